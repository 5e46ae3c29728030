/* SPDX-License-Identifier: Apache-2.0 */
/* demangle.h - C++ names (Itanium ABI) as a programmer writes them; a front of libiberty. */
#ifndef ANALYZER_DEMANGLE_H
#define ANALYZER_DEMANGLE_H

/*
 * Returns a new string, the caller frees it.  A name that is not mangled, that libiberty refuses
 * (longer than about 1000 bytes, nested too deeply) or that would grow beyond DEMANGLE_MAX_BYTES
 * comes back as it is.  NULL only where there is no memory.
 */
char *demangle(const char *name);

enum { DEMANGLE_MAX_BYTES = 64 * 1024 };

#endif
