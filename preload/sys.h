/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys.h - the few things we want from the system, without libc's locks and allocations.
 * Runs in: any thread.
 */
#ifndef PRELOAD_SYS_H
#define PRELOAD_SYS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* The loader fixes the place of this thread-local memory at start: no call to find it. */
#define THREAD_LOCAL static __thread __attribute__((tls_model("initial-exec")))

uint32_t sys_tid(void);

/* Zeroed memory that costs only what is touched; NULL: none to be had.  Keeps errno. */
void *sys_reserve(size_t size_bytes);
void sys_release(void *memory, size_t size_bytes);

/* Is there a thread `tid` in this process? */
bool sys_thread_lives(uint32_t tid);

/* Blocks for at most `timeout_ns` while *word is `value`. */
void sys_wait(const _Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns);
void sys_wake(_Atomic uint32_t *word);

/*
 * Takes a mutex that is held for moments, or for a flush.  Without waiting inside libc, which ends
 * the process where a sandbox forbids it to wait.
 */
void sys_lock(pthread_mutex_t *mutex);

/* Contents of a small file as a string; false: not readable. */
bool sys_read_file(const char *path, char *out, size_t size);

#endif
