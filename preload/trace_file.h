/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_file.h - the file of this process.  Runs in: the writer.
 * Whole frames or nothing: a frame that does not fit on the disk is taken back, so that what is
 * in the file can be read to its end.
 */
#ifndef PRELOAD_TRACE_FILE_H
#define PRELOAD_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Creates the file that TTITRACE_OUTPUT says, never one that exists, and writes its header.
 * False: one line has said why.
 */
bool trace_file_create(void);

/* False: nothing of it is in the file, and the first time one line has said why. */
bool trace_file_append(const void *frame, size_t size);

/* The same for what ends the file: there is room for that when nothing else fits. */
bool trace_file_append_last(const void *frame, size_t size);

/* How large it is; cutting takes frames back. */
uint64_t trace_file_bytes(void);
void trace_file_cut(uint64_t bytes);

/* NULL: not created. */
const char *trace_file_path(void);

/* In a forked child: the file is the parent's. */
void trace_file_forget(void);

#endif
