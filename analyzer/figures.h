/* SPDX-License-Identifier: Apache-2.0 */
/* figures.h - numbers as people read them. */
#ifndef ANALYZER_FIGURES_H
#define ANALYZER_FIGURES_H

#include <stdint.h>

struct figure {
	char text[32];
};

struct figure figure_time(uint64_t ns);     /* "12.34 ms" */
struct figure figure_seconds(double s);     /* the same, as far as it goes */
struct figure figure_count(uint64_t n);     /* "22,012" */
struct figure figure_bytes(uint64_t bytes); /* "1.2 MB" */
struct figure figure_share(double share);   /* "45.1%" */

#endif
