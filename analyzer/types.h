/* SPDX-License-Identifier: Apache-2.0 */
/* types.h - types of numbers. */
#ifndef ANALYZER_TYPES_H
#define ANALYZER_TYPES_H

#include <stdint.h>

enum type {
	TYPE_none,
#define TYPE(name, bits, cuda, cudnn) TYPE_##name,
#include "types.def"
#undef TYPE
	NR_TYPES
};

const char *type_name(enum type t);  /* "?" for TYPE_none */
double type_bytes(enum type t);      /* of one number; 0 for TYPE_none */
enum type type_by_cuda(uint64_t t);  /* cudaDataType; TYPE_none: another one */
enum type type_by_cudnn(uint64_t t); /* cudnnDataType_t */

/* The number in the library's enumeration, TYPE_UNNUMBERED: it has no such type. */
#define TYPE_UNNUMBERED UINT64_MAX
uint64_t type_to_cuda(enum type t);
uint64_t type_to_cudnn(enum type t);

/* By what C++ calls it inside the name of a kernel: "__half", "cutlass::bfloat16_t", ... */
enum type type_in_name(const char *name);

#endif
