/* SPDX-License-Identifier: Apache-2.0 */
/* trace_path.h - the name of this process's file, by TTITRACE_OUTPUT. */
#ifndef PRELOAD_TRACE_PATH_H
#define PRELOAD_TRACE_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* Early, in the thread that starts the process: relative names are relative to this directory. */
void trace_path_remember_directory(void);

/*
 * The whole name, with `-1` and so on before a final .ttt from the second try on (`attempt` is
 * counted from 0).  False: it does not fit.
 */
bool trace_path_make(int attempt, char *path, size_t size);

/* The rank of this process in a distributed run, or "". */
const char *trace_path_rank(void);

#endif
