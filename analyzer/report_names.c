/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

char *report_command(const struct trace *t)
{
	const struct name *command = t->model.command;
	const size_t size = command ? command->size : 0;
	char *text = malloc(size + 1);

	if (!text)
		return NULL;
	for (size_t i = 0; i < size; i++)
		text[i] = command->text[i] ? command->text[i] : ' ';
	text[size] = '\0';
	if (size && text[size - 1] == ' ')
		text[size - 1] = '\0';
	return text;
}

static bool is_identifier(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$';
}

char *report_short_name(const char *name)
{
	char *text = malloc(strlen(name) + 1);
	size_t used = 0;
	size_t word = 0; /* where the identifier that is being copied begins */

	if (!text)
		return NULL;
	while (*name) {
		if (name[0] == ':' && name[1] == ':' && word < used) {
			used = word; /* it was a namespace */
			name += 2;
			continue;
		}
		if (!is_identifier(*name))
			word = used + 1;
		text[used++] = *name++;
	}
	text[used] = '\0';
	return text;
}
