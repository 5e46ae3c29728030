/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_file.h - the user's own rules.
 *
 * A text file, one rule a line, three fields between single tabs:
 *
 *   kind[/sub-kind] TAB how TAB pattern
 *
 * kind is one of kinds.def; the sub-kind is free.  how is SUBSTR, BASE, PREFIX or REGEX (rule.h).
 * The pattern is the rest of the line.  Empty lines and those that begin with # mean nothing; a
 * carriage return at the end of a line is not part of it.
 *
 *   # our fused sampler
 *   sampling/top_p   SUBSTR   acme::fused_top_p
 */
#ifndef ANALYZER_RULE_FILE_H
#define ANALYZER_RULE_FILE_H

#include "rule_list.h"

/*
 * Appends the rules of the file.  -EINVAL for an error in a line, else the errno of reading; the
 * rules before the error are in the list then.
 */
int rule_file_read(const char *path, struct rule_list *list, struct diag *diag);

#endif
