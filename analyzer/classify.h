/* SPDX-License-Identifier: Apache-2.0 */
/*
 * classify.h - the name of a kernel -> what kind of kernel it is.
 *
 * An ordered list of rules: the user's first, file by file as added, then kernel_rules.def.  The
 * first that matches decides.
 */
#ifndef ANALYZER_CLASSIFY_H
#define ANALYZER_CLASSIFY_H

#include "diag.h"
#include "rule.h"

struct classifier; /* of one thread at a time */

struct classification {
	const char *kind;          /* "gemm"; "unknown" where no rule matches */
	const char *sub;           /* "splitk_reduce"; "" where the rule names none */
	const char *operator_name; /* "linear": what the name alone suggests */
	const struct rule *rule;   /* NULL where no rule matches */
};                                 /* valid as long as the classifier */

struct classifier *classifier_new(void);    /* NULL: no memory */
void classifier_free(struct classifier *c); /* accepts NULL */

/*
 * Adds the rules of a file (format: rule_file.h) behind those added before and in front of the
 * built-in ones.  Negative errno and file:line in diag where it cannot be read or has an error;
 * then none of its rules is added.
 */
int classifier_add_rules(struct classifier *c, const char *path, struct diag *diag);

/* name in any spelling of kernel_text.h, mangled or not; any bytes are fine. */
void classify(const struct classifier *c, const char *name, struct classification *ret);

/* The same for a caller that has the text already. */
void classify_text(const struct classifier *c, const struct kernel_text *text,
		   struct classification *ret);

#endif
