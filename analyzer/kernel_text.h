/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_text.h - one spelling for the names that CUPTI, Nsight, llvm and the ABI spell in four
 * ways, so that one rule meets one text.
 *
 *   void at::native::(anonymous namespace)::foo<float, (int)4>(float const*, long)
 *   -> text at::native::foo<float,4>, base at::native::foo
 *
 * Dropped: return type, parameters, anonymous and versioned inline namespaces, casts and suffixes
 * of numbers, what a lambda takes, spaces that separate nothing.
 */
#ifndef ANALYZER_KERNEL_TEXT_H
#define ANALYZER_KERNEL_TEXT_H

#include <stddef.h>

enum { KERNEL_TEXT_BYTES = 16 * 1024 }; /* longer texts are cut: what decides stands in front */

struct kernel_text {
	char readable[KERNEL_TEXT_BYTES];
	size_t text_length; /* of text */
	/*
	 * readable in lower case.  Of a mangled name with an anonymous namespace, the file follows
	 * as " @file": it tells layer_norm from group_norm where the function's name does not.
	 */
	char text[KERNEL_TEXT_BYTES];
	char base[KERNEL_TEXT_BYTES]; /* lower case, without template arguments */
};

/*
 * name as recorded, demangled as demangle() gave it (the same pointer is fine).  Any bytes do;
 * the time is linear in their number.
 */
void kernel_text_make(struct kernel_text *ret, const char *name, const char *demangled);

#endif
