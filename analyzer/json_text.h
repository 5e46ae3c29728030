/* SPDX-License-Identifier: Apache-2.0 */
/* json_text.h - JSON strings of bytes that need not be UTF-8. */
#ifndef ANALYZER_JSON_TEXT_H
#define ANALYZER_JSON_TEXT_H

#include <jansson.h>

/* What is not UTF-8 becomes U+FFFD, byte by byte.  A new reference; NULL: no memory. */
json_t *json_text(const char *bytes);

#endif
