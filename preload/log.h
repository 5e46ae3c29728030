/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - one line on standard error.  No allocation, no stdio, errno kept. */
#ifndef PRELOAD_LOG_H
#define PRELOAD_LOG_H

/* At the start: what standard error is, to know it again. */
void log_remember(void);

/* Prints "ttitrace: " and the given strings, up to NULL, as one line. */
void log_parts(const char *first, ...) __attribute__((sentinel));
#define log_line(...) log_parts(__VA_ARGS__, (char *)0)

#endif
