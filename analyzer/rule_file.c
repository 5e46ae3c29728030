/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int line_error(const struct rule *at, const char *what, struct diag *diag)
{
	return diag_set(diag, -EINVAL, "%s:%u: %s", at->file, at->line, what);
}

/* Cuts the field off at its tab; NULL where there is none. */
static char *field_end(char *field)
{
	char *const tab = strchr(field, '\t');

	if (tab)
		*tab = '\0';
	return tab;
}

/* Points the rule into the line, which it takes apart. */
static int line_parse(char *line, struct rule *rule, struct diag *diag)
{
	char *const how_tab = field_end(line);
	char *const pattern_tab = how_tab ? field_end(how_tab + 1) : NULL;
	const size_t kind_length = strcspn(line, "/");

	if (!pattern_tab || !pattern_tab[1])
		return line_error(rule, "expected kind[/sub] TAB how TAB pattern", diag);
	rule->kind = kind_by_name(line, kind_length);
	if (rule->kind == NR_KINDS)
		return diag_set(diag, -EINVAL, "%s:%u: there is no kind '%.*s'", rule->file,
				rule->line, (int)(kind_length < 64 ? kind_length : 64), line);
	rule->sub = line[kind_length] ? line + kind_length + 1 : "";
	rule->how = rule_how_by_name(how_tab + 1, strlen(how_tab + 1));
	if (rule->how == NR_RULE_HOWS)
		return line_error(rule, "how is none of SUBSTR, BASE, PREFIX, REGEX", diag);
	rule->pattern = pattern_tab + 1;
	return 0;
}

static int line_read(char *line, size_t length, struct rule *rule, struct rule_list *list,
		     struct diag *diag)
{
	struct diag inner;
	int r;

	if (strlen(line) != length)
		return line_error(rule, "holds a NUL byte", diag);
	line[strcspn(line, "\r\n")] = '\0';
	if (line[0] == '\0' || line[0] == '#')
		return 0;
	r = line_parse(line, rule, diag);
	if (r < 0)
		return r;
	r = rule_list_add(list, rule, &inner);
	if (r < 0)
		diag_set(diag, r, "%s:%u: %.400s", rule->file, rule->line, inner.message);
	return r;
}

int rule_file_read(const char *path, struct rule_list *list, struct diag *diag)
{
	struct rule rule = { .file = path };
	FILE *const file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	int r = 0;

	if (!file)
		return diag_set(diag, -errno, "%s: %s", path, strerror(errno));
	while (r == 0 && (length = getline(&line, &size, file)) >= 0) {
		rule.line++;
		r = line_read(line, (size_t)length, &rule, list, diag);
	}
	if (r == 0 && !feof(file))
		r = diag_set(diag, errno ? -errno : -EIO, "%s: %s", path, strerror(errno));
	free(line);
	fclose(file);
	return r;
}
