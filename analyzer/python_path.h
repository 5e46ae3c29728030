/* SPDX-License-Identifier: Apache-2.0 */
/* python_path.h - what a frame of a Python path is by itself. */
#ifndef ANALYZER_PYTHON_PATH_H
#define ANALYZER_PYTHON_PATH_H

#include <stdbool.h>

#include "model.h"

/* The function's own name, without what it is defined in. */
const char *python_function(const struct python_frame *f);

/* Module._call_impl and its like, by whatever is before the last dot. */
bool python_name_is_call(const char *name);

/* A module of PyTorch is being called, by `module(...)`. */
bool python_is_call(const struct python_frame *f);

/* Makes a model or moves it, rather than running it; see module_rules.def. */
bool python_is_setup(const struct python_frame *f);

/* Wrappers, closures, context managers, the inside of libraries. */
bool python_is_folded(const struct python_frame *f);

#endif
