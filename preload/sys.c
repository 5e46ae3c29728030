/* SPDX-License-Identifier: Apache-2.0 */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

uint32_t sys_tid(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

void *sys_reserve(size_t size_bytes)
{
	const int saved = errno;
	void *p = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	errno = saved;
	return p == MAP_FAILED ? NULL : p;
}

void sys_release(void *memory, size_t size_bytes)
{
	if (memory)
		munmap(memory, size_bytes);
}

bool sys_thread_lives(uint32_t tid)
{
	return syscall(SYS_tgkill, getpid(), tid, 0) == 0 || errno != ESRCH;
}

void sys_wait(const _Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(timeout_ns / 1000000000),
				     .tv_nsec = (long)(timeout_ns % 1000000000) };

	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &ts, NULL, 0);
}

void sys_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

bool sys_read_file(const char *path, char *out, size_t size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, out, size - 1);
	close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

void sys_lock(pthread_mutex_t *mutex)
{
	enum { YIELDS = 100, PAUSE_NS = 50000 };
	const int saved = errno;

	for (int i = 0; pthread_mutex_trylock(mutex) == EBUSY; i++)
		if (i < YIELDS)
			sched_yield();
		else
			nanosleep(&(const struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	errno = saved;
}
