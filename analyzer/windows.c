/* SPDX-License-Identifier: Apache-2.0 */
#include "windows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "ttitrace/format.h"

enum { TURNS_MAX = 1 << 20 };

static int add(struct windows *w, uint64_t time_ns)
{
	if (w->nr == TURNS_MAX)
		return 0;
	if (w->nr == w->size) {
		const size_t size = w->size ? 2 * w->size : 16;
		uint64_t *turned = realloc(w->turned_ns, size * sizeof(*turned));

		if (!turned)
			return -ENOMEM;
		w->turned_ns = turned;
		w->size = size;
	}
	w->turned_ns[w->nr++] = time_ns;
	return 0;
}

int windows_take(struct windows *w, const struct tti_mark *mark)
{
	const bool opens = mark->kind == TTI_MARK_OPEN;

	if (!opens && mark->kind != TTI_MARK_CLOSE)
		return 0;
	/* A run that begins closed says so by opening first. */
	if (opens && !w->nr && add(w, 0) < 0)
		return -ENOMEM;
	/* Whatever does not turn, or not forward, says nothing. */
	if (opens != (w->nr % 2 == 1) || (w->nr && mark->time_ns < w->turned_ns[w->nr - 1]))
		return 0;
	return add(w, mark->time_ns);
}

void windows_free(struct windows *w)
{
	free(w->turned_ns);
	*w = (struct windows){ 0 };
}

size_t windows_count(const struct windows *w)
{
	return w->nr ? w->nr / 2 + (w->turned_ns[0] != 0) : 0;
}

uint64_t windows_closed_ns(const struct windows *w, uint64_t begin_ns, uint64_t end_ns)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < w->nr; i += 2) {
		const uint64_t closed = w->turned_ns[i] > begin_ns ? w->turned_ns[i] : begin_ns;
		const uint64_t next = i + 1 < w->nr ? w->turned_ns[i + 1] : UINT64_MAX;
		const uint64_t opened = next < end_ns ? next : end_ns;

		sum += opened > closed ? opened - closed : 0;
	}
	return sum;
}
