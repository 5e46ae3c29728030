/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exit.c - the ways to end a process that no handler hears of.
 * Runs in: the application's thread.  libc's exit() does not come through here.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "life.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED _Noreturn void _exit(int status)
{
	life_end(TTI_ENDING_QUICK_EXIT);
	for (;;)
		syscall(SYS_exit_group, status);
}

_Noreturn void _Exit(int status) __attribute__((visibility("default"), alias("_exit")));
