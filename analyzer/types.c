/* SPDX-License-Identifier: Apache-2.0 */
#include "types.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	int bits, cuda, cudnn;
} types[NR_TYPES] = {
	[TYPE_none] = { .name = "?", .cuda = -1, .cudnn = -1 },
#define TYPE(in_name, in_bits, in_cuda, in_cudnn)                                     \
	[TYPE_##in_name] = {                                                          \
		.name = #in_name, .bits = in_bits, .cuda = in_cuda, .cudnn = in_cudnn \
	},
#include "types.def"
#undef TYPE
};

/* Longer words first: "float" stands in "bfloat16". */
static const struct {
	const char *word;
	enum type type;
} words[] = {
	{ "bfloat16", TYPE_bf16 }, { "bf16", TYPE_bf16 },  { "e4m3", TYPE_f8e4m3 },
	{ "e5m2", TYPE_f8e5m2 },   { "half", TYPE_f16 },   { "f16", TYPE_f16 },
	{ "fp16", TYPE_f16 },      { "double", TYPE_f64 }, { "float", TYPE_f32 },
	{ "f32", TYPE_f32 },
};

const char *type_name(enum type t)
{
	return types[t].name;
}

double type_bytes(enum type t)
{
	return types[t].bits / 8.0;
}

enum type type_by_cuda(uint64_t t)
{
	for (enum type i = 1; i < NR_TYPES; i++)
		if (types[i].cuda >= 0 && (uint64_t)types[i].cuda == t)
			return i;
	return TYPE_none;
}

enum type type_by_cudnn(uint64_t t)
{
	for (enum type i = 1; i < NR_TYPES; i++)
		if (types[i].cudnn >= 0 && (uint64_t)types[i].cudnn == t)
			return i;
	return TYPE_none;
}

uint64_t type_to_cuda(enum type t)
{
	return t && types[t].cuda >= 0 ? (uint64_t)types[t].cuda : TYPE_UNNUMBERED;
}

uint64_t type_to_cudnn(enum type t)
{
	return t && types[t].cudnn >= 0 ? (uint64_t)types[t].cudnn : TYPE_UNNUMBERED;
}

enum type type_in_name(const char *name)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcasestr(name, words[i].word))
			return words[i].type;
	return TYPE_none;
}
