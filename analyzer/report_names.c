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
