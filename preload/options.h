/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - include/ttitrace/options.def as a struct, filled once from the environment. */
#ifndef PRELOAD_OPTIONS_H
#define PRELOAD_OPTIONS_H

#include <stdint.h>

enum { TIMING_CUPTI, TIMING_NONE };
enum { PARAMETERS_NONE, PARAMETERS_KNOWN, PARAMETERS_ALL };
enum { STACKS_NONE, STACKS_NATIVE, STACKS_PYTHON, STACKS_BOTH };
enum { MARKS_NONE, MARKS_NVTX };

#define OPTION_C_TYPE_TEXT   const char *
#define OPTION_C_TYPE_NUMBER uint64_t
#define OPTION_C_TYPE_CHOICE uint64_t

struct options {
#define OPTION(field, TYPE, def, variable, option, argument, help) OPTION_C_TYPE_##TYPE field;
#include "ttitrace/options.def"
#undef OPTION
};

extern struct options options;

/*
 * A value that cannot be understood costs one line and leaves the default.  Strings are those of
 * the environment at start-up: later setenv() calls of the application do not matter.
 */
void options_read(void);

#endif
