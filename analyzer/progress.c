/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* What is done sooner needs no line; between two lines. */
enum { FIRST_MS = 1000, EACH_MS = 200 };

struct progress {
	const char *command;
	uint64_t all_bytes, done_bytes;
	uint64_t next_ms;
	bool is_terminal, has_line;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct progress *progress_new(const char *command, uint64_t all_bytes)
{
	struct progress *p = calloc(1, sizeof(*p));

	if (p)
		*p = (struct progress){ .command = command,
					.all_bytes = all_bytes ? all_bytes : 1,
					.next_ms = now_ms() + FIRST_MS,
					.is_terminal = isatty(STDERR_FILENO) };
	return p;
}

void progress_at(struct progress *p, uint64_t bytes)
{
	const double share = (double)(p->done_bytes + bytes) / (double)p->all_bytes;
	uint64_t now;

	if (!p->is_terminal)
		return;
	now = now_ms();
	if (now < p->next_ms)
		return;
	p->next_ms = now + EACH_MS;
	p->has_line = true;
	fprintf(stderr, "\rttitrace %s: %3.0f%%", p->command, 100 * (share < 1 ? share : 1));
}

void progress_add(struct progress *p, uint64_t bytes)
{
	p->done_bytes += bytes;
}

void progress_end(struct progress *p)
{
	if (p && p->has_line)
		fputs("\r\033[K", stderr);
	free(p);
}
