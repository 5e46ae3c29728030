/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parameters.h - the raw parameter bytes of launches, interned by content.
 *
 * Only for kernels that somebody can read something from (parameters.def), or for all of them on
 * request.  A pointer that changes from launch to launch would make every content a new one, so
 * it is replaced by 1 (a null pointer stays 0).  What is a pointer is not guessed: two ints side
 * by side look like one.  Only a word that differs from the kernel's first content is doubted,
 * and then the driver is asked, once for each word of a kernel, whether it is an address it knows.
 *
 * Runs in: the launching thread, after the real call, which has read the same memory: the caller
 * still stands in its frame, and the time of the call is not lengthened.  No malloc, no lock.
 */
#ifndef PRELOAD_PARAMETERS_H
#define PRELOAD_PARAMETERS_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes from here on are not kept. */
#define PARAMETERS_BYTES_MAX 4096u

struct parameters_content {
	uint32_t kernel;
	uint32_t zero;
	uint8_t bytes[PARAMETERS_BYTES_MAX]; /* the first ones are stored */
};

/* Does a kernel of this mangled name (NULL: not known) want its parameters kept? */
bool parameters_are_wanted(const char *name);

/*
 * INTERN_PARAMETERS of a launch of `kernel` that the driver has accepted, 0: not kept.  A kernel
 * whose bytes change all the time is given up, which is counted.
 */
uint32_t parameters_id(uint32_t kernel, void *const *params, void *const *extra);

/* In `bytes`, words whose bit is set are replaced by 1, null ones excepted. */
void parameters_mask(uint8_t *bytes, const uint64_t *pointers, uint32_t nr_words);

#endif
