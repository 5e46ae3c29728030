/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h - bytes of a stranger as UTF-8. */
#ifndef ANALYZER_UTF8_H
#define ANALYZER_UTF8_H

#include <stddef.h>

/*
 * What is not UTF-8 becomes U+FFFD.  `ret` has room for 3 * size bytes and one, which ends it with
 * a zero byte; returns how many there are before it.
 */
size_t utf8_clean(const char *bytes, size_t size, char *ret);

#endif
