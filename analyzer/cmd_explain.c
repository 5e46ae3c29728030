/* SPDX-License-Identifier: Apache-2.0 */

#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "classify.h"
#include "command.h"
#include "demangle.h"
#include "json_text.h"

/* All that explain says about one name. */
struct explanation {
	const char *name;
	char *demangled;
	struct kernel_text text;
	struct classification found;
};

struct explain {
	struct classifier *classifier;
	bool json;
	char **names;
	int nr_names;
	struct explanation now; /* one at a time; too large for the stack */
};

enum { OPTION_JSON = 256, OPTION_RULES };

static const struct argp_option options[] = {
	{ .name = "json", .key = OPTION_JSON, .doc = "One JSON object a line" },
	{ .name = "rules",
	  .key = OPTION_RULES,
	  .arg = "FILE",
	  .doc = "Ask the rules of FILE before the built-in ones; may be repeated.  A line is "
		 "kind[/sub] TAB how TAB pattern; how is SUBSTR, BASE, PREFIX or REGEX" },
	{ 0 },
};

static void explain_add_rules(struct explain *e, const char *path, struct argp_state *state)
{
	struct diag diag;

	if (classifier_add_rules(e->classifier, path, &diag) < 0)
		argp_error(state, "%s", diag.message);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct explain *const e = state->input;

	switch (key) {
	case OPTION_JSON:
		e->json = true;
		return 0;
	case OPTION_RULES:
		explain_add_rules(e, arg, state);
		return 0;
	case ARGP_KEY_ARGS:
		e->names = state->argv + state->next;
		e->nr_names = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which kernel?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "NAME...\n-",
	.doc = "Say what kind of kernel a name means, and which rule decided.\v"
	       "With -, names are read from standard input, one a line, and each is answered by "
	       "one line: name TAB kind TAB rule.",
};

static int explanation_make(struct explain *e, const char *name, struct diag *diag)
{
	struct explanation *const x = &e->now;

	x->name = name;
	x->demangled = demangle(name);
	if (!x->demangled)
		return diag_set(diag, -ENOMEM, "no memory for a name");
	kernel_text_make(&x->text, name, x->demangled);
	classify_text(e->classifier, &x->text, &x->found);
	return 0;
}

static void print_kind(const struct classification *found)
{
	printf("%s%s%s", found->kind, found->sub[0] ? "/" : "", found->sub);
}

static void print_rule(const struct rule *rule)
{
	if (!rule)
		putchar('-');
	else if (rule->file)
		printf("%s %s (%s:%u)", rule_how_name(rule->how), rule->pattern, rule->file,
		       rule->line);
	else
		printf("%s %s", rule_how_name(rule->how), rule->pattern);
}

static void print_text(const struct explanation *x)
{
	printf("name       %s\nkind       ", x->name);
	print_kind(&x->found);
	printf("\noperator   %s\nrule       ", x->found.operator_name);
	print_rule(x->found.rule);
	printf("\ndemangled  %s\nreadable   %s\n", x->demangled, x->text.readable);
}

static void print_line(const struct explanation *x)
{
	printf("%s\t", x->name);
	print_kind(&x->found);
	putchar('\t');
	print_rule(x->found.rule);
	putchar('\n');
}

static json_t *rule_json(const struct rule *rule)
{
	if (!rule)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o}", "how", rule_how_name(rule->how), "pattern",
			 json_text(rule->pattern), "file", json_text(rule->file), "line",
			 rule->file ? json_integer(rule->line) : json_null());
}

static void print_json(const struct explanation *x)
{
	json_print(json_pack("{s:o, s:s, s:o, s:s, s:o, s:o, s:o}", "name", json_text(x->name),
			     "kind", x->found.kind, "sub", json_text(x->found.sub), "operator",
			     x->found.operator_name, "rule", rule_json(x->found.rule), "demangled",
			     json_text(x->demangled), "readable", json_text(x->text.readable)),
		   0, stdout);
}

static int explain_one(struct explain *e, const char *name,
		       void (*print)(const struct explanation *), struct diag *diag)
{
	const int r = explanation_make(e, name, diag);

	if (r < 0)
		return r;
	if (e->json)
		print = print_json;
	print(&e->now);
	free(e->now.demangled);
	if (ferror(stdout))
		return diag_set(diag, -EIO, "cannot write the output");
	return 0;
}

static int explain_arguments(struct explain *e, struct diag *diag)
{
	int r = 0;

	for (int i = 0; i < e->nr_names && r == 0; i++) {
		if (i && !e->json)
			putchar('\n');
		r = explain_one(e, e->names[i], print_text, diag);
	}
	return r;
}

/* A NUL byte ends the name in its line: no kernel's name has one. */
static int explain_input(struct explain *e, struct diag *diag)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	int r = 0;

	while (r == 0 && (length = getline(&line, &size, stdin)) >= 0) {
		if (length && line[length - 1] == '\n')
			line[length - 1] = '\0';
		r = explain_one(e, line, print_line, diag);
	}
	if (r == 0 && !feof(stdin))
		r = diag_set(diag, -EIO, "cannot read the names: %s", strerror(errno));
	free(line);
	return r;
}

static int explain_run(struct explain *e, struct diag *diag)
{
	int r;

	if (e->nr_names == 1 && strcmp(e->names[0], "-") == 0)
		r = explain_input(e, diag);
	else
		r = explain_arguments(e, diag);
	if (r == 0 && fflush(stdout) != 0)
		r = diag_set(diag, -errno, "cannot write the output: %s", strerror(errno));
	return r;
}

int cmd_explain(int argc, char **argv, struct diag *diag)
{
	struct explain *const e = calloc(1, sizeof(*e));
	int r;

	if (e)
		e->classifier = classifier_new();
	if (e && e->classifier)
		r = -command_parse(&argp, argc, argv, 0, e);
	else
		r = -ENOMEM;
	if (r < 0)
		diag_set(diag, r, "%s", strerror(-r));
	else
		r = explain_run(e, diag);
	if (e)
		classifier_free(e->classifier);
	free(e);
	return r;
}
