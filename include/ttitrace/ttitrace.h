/* SPDX-License-Identifier: Apache-2.0 */
/* ttitrace.h - what the library and the command have in common besides the format. */
#ifndef TTITRACE_H
#define TTITRACE_H

#define TTI_VERSION "0.1.0"

#endif
