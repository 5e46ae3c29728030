/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttitrace.h - what a program may say to the library that records it.
 *
 * The functions are in libttitrace.so, which a program is not linked with: declared weak, they are
 * NULL where nothing is recorded.
 *
 *	if (ttitrace_pause)
 *		ttitrace_pause();
 *
 * From Python: ctypes.CDLL(None).ttitrace_pause().  Any thread; what other threads launch at that
 * moment may fall on either side.
 */
#ifndef TTITRACE_H
#define TTITRACE_H

#define TTI_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/* Launches are not recorded until ttitrace_resume(); what was recorded stays. */
__attribute__((weak, visibility("default"))) void ttitrace_pause(void);
__attribute__((weak, visibility("default"))) void ttitrace_resume(void);
/* A text at this moment, as of nvtxMark; copied. */
__attribute__((weak, visibility("default"))) void ttitrace_mark(const char *text);

#ifdef __cplusplus
}
#endif

#endif
