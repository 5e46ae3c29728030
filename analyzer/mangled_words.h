/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mangled_words.h - the identifiers of a mangled name that is too long to be demangled.
 *
 * CUTLASS names go beyond what libiberty accepts.  Their identifiers stand in the mangled form as
 * <length><text>, which is enough to recognise a kernel:
 *   _ZN7cutlass13device_kernelIN5flash11enable_sm90I... ->
 * cutlass::device_kernel<flash::enable_sm90<...
 */
#ifndef ANALYZER_MANGLED_WORDS_H
#define ANALYZER_MANGLED_WORDS_H

#include <stddef.h>

/* Writes at most size - 1 bytes and a NUL; brackets are not closed.  size > 0. */
void mangled_words(char *ret, size_t size, const char *mangled);

#endif
