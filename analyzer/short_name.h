/* SPDX-License-Identifier: Apache-2.0 */
/* short_name.h - a kernel's name for a column of a table. */
#ifndef ANALYZER_SHORT_NAME_H
#define ANALYZER_SHORT_NAME_H

#include <stddef.h>

/*
 * What tells a kernel from its siblings: no namespaces, no numbers and booleans among template
 * arguments, no lambdas, no wrappers that every elementwise kernel of PyTorch has.
 *
 *   at::native::elementwise_kernel<128,4,at::native::gpu_kernel_impl_nocast<
 *       at::native::CUDAFunctor_add<c10::Half>>::{lambda}>
 *   -> elementwise_kernel<CUDAFunctor_add<Half>>
 *
 * Takes kernel_text's `readable`.  The caller frees; NULL: no memory.
 */
char *short_name(const char *readable);

/*
 * At most `width` columns of it: the middle goes, because siblings differ at their ends, and the
 * ellipsis (one column wide) stands there.  The caller frees; NULL: no memory.
 */
char *short_name_fit(const char *name, size_t width, const char *ellipsis);

#endif
