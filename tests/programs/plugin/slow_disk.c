/* SPDX-License-Identifier: Apache-2.0 */
/* slow_disk.c - preloaded: each write of a trace takes SLOW_DISK_MS. */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

__attribute__((visibility("default"))) ssize_t pwrite(int fd, const void *bytes, size_t size,
						      off_t at)
{
	static __typeof__(pwrite) *real;
	const char *ms = getenv("SLOW_DISK_MS");

	if (!real)
		real = (__typeof__(real))dlsym(RTLD_NEXT, "pwrite");
	usleep(ms ? (useconds_t)atoi(ms) * 1000 : 0);
	return real(fd, bytes, size, at);
}
