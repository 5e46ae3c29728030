/* SPDX-License-Identifier: Apache-2.0 */
/* json_text.h - values of a trace as JSON, whatever bytes they are. */
#ifndef ANALYZER_JSON_TEXT_H
#define ANALYZER_JSON_TEXT_H

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

/* What is not UTF-8 becomes U+FFFD. */
json_t *json_bytes(const char *bytes, size_t size);
json_t *json_text(const char *text); /* NULL gives null */

/* Beyond 2^63 - 1, which JSON readers lose, a string of digits. */
json_t *json_u64(uint64_t value);

/* For rows by the million, the same written directly.  The text is UTF-8. */
void json_put_text(const char *text, FILE *out);
void json_put_u64(uint64_t value, FILE *out);

/* Takes the value over; indent 0: one line. */
void json_print(json_t *value, int indent, FILE *out);

#endif
