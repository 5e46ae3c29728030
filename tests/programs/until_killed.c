/* SPDX-License-Identifier: Apache-2.0 */
/*
 * until_killed.c - launches for ever, 10,000 times a second, until somebody ends it: FILE [HOW].
 * The file always holds how many launches have returned, and when the latest 65,536 of them did
 * (CLOCK_MONOTONIC, launch i at i modulo that), so that who killed it knows what was lost.
 * HOW: waits (the default), or a letter on standard input makes it: segv, abort, exit_group.
 */
#include "tests/programs/way/way.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TIMES 65536

struct log {
	_Atomic uint64_t nr;
	uint64_t when[TIMES];
};

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct log *map_log(const char *path)
{
	const int fd = open(path, O_RDWR | O_CREAT, 0600);
	void *memory;
	if (fd < 0 || ftruncate(fd, sizeof(struct log)) < 0)
		exit(3);
	memory = mmap(NULL, sizeof(struct log), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		exit(3);
	close(fd);
	return memory;
}

static void end_when_told(const char *how)
{
	char letter;
	if (read(STDIN_FILENO, &letter, 1) != 1)
		return;
	if (!strcmp(how, "segv"))
		raise(SIGSEGV);
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "exit_group"))
		syscall(SYS_exit_group, 14);
}

int main(int argc, char **argv)
{
	struct log *const log = map_log(argc > 1 ? argv[1] : "launches");
	CUmodule module = NULL;
	CUfunction f;
	driver_open("getproc");
	driver_start();
	CHECK(cu.cuModuleLoadData(&module, "unsuspecting" PARAMETERS));
	f = kernel_named(module, "unsuspecting");
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	for (uint64_t i = 0;; i++) {
		CHECK(launch(f, 1 + (unsigned int)(i % 1000), 1, 1, NULL));
		log->when[i % TIMES] = now_ns();
		atomic_store(&log->nr, i + 1);
		usleep(50);
		end_when_told(argc > 2 ? argv[2] : "waits");
	}
}
