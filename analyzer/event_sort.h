/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_sort.h - records of one size in order, however many: those beyond a fixed amount of memory
 * wait in a temporary file.
 */
#ifndef ANALYZER_EVENT_SORT_H
#define ANALYZER_EVENT_SORT_H

#include <stddef.h>

struct event_sort;

/* Like qsort's.  Records that are equal come out in the order they went in. */
typedef int event_compare(const void *a, const void *b);

/* NULL: no memory */
struct event_sort *event_sort_new(size_t record_bytes, event_compare *compare, size_t memory_bytes);
void event_sort_free(struct event_sort *s); /* accepts NULL */

/* Copies the record.  Negative errno: no memory, or the temporary file cannot be written. */
int event_sort_add(struct event_sort *s, const void *record);

/* No more records will be added.  Negative errno. */
int event_sort_begin(struct event_sort *s);

/* Valid until the next call; NULL: there are no more, or event_sort_error() says what is wrong. */
const void *event_sort_next(struct event_sort *s);

int event_sort_error(const struct event_sort *s); /* 0, or a negative errno */

#endif
