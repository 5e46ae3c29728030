/* SPDX-License-Identifier: Apache-2.0 */
/* demangle.h - C++ names (Itanium ABI) as a programmer writes them; a front of libiberty. */
#ifndef ANALYZER_DEMANGLE_H
#define ANALYZER_DEMANGLE_H

/*
 * Returns a new string, the caller frees it.  A name that is not mangled, that is longer than
 * DEMANGLE_NAME_BYTES_MAX, that would grow beyond DEMANGLE_TEXT_BYTES_MAX or that takes too long
 * comes back as it is.  NULL only where there is no memory.
 *
 * Any bytes will do: names that would take hours are given up, and after five seconds that
 * went into such names the process demangles no more.  Of one thread at a time.
 */
char *demangle(const char *name);

enum {
	DEMANGLE_NAME_BYTES_MAX = 16 * 1024, /* FlashAttention 3 comes to 8 KiB */
	DEMANGLE_TEXT_BYTES_MAX = 64 * 1024,
};

#endif
