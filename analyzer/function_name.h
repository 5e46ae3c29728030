/* SPDX-License-Identifier: Apache-2.0 */
/* function_name.h - a function's name for a stack. */
#ifndef ANALYZER_FUNCTION_NAME_H
#define ANALYZER_FUNCTION_NAME_H

/*
 * The qualified name alone: no return type, parameters or template arguments.
 *
 *   at::Tensor at::native::sum<float>(at::Tensor const&) -> at::native::sum
 *
 * Takes what demangle() gives.  The caller frees; NULL: no memory.
 */
char *function_name(const char *readable);

#endif
