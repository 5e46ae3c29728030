/* SPDX-License-Identifier: Apache-2.0 */
#include "frame_symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct frame_symbols {
	char **symbols;
	size_t nr, size;
	struct id_map by_address; /* address + 1, index + 1 */
};

struct frame_symbols *frame_symbols_new(void)
{
	return calloc(1, sizeof(struct frame_symbols));
}

void frame_symbols_free(struct frame_symbols *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nr; i++)
		free(s->symbols[i]);
	free(s->symbols);
	id_map_free(&s->by_address);
	free(s);
}

static int add(struct frame_symbols *s, uint64_t address, const char *symbol)
{
	if (id_map_find(&s->by_address, address))
		return 0;
	if (s->nr == s->size) {
		const size_t size = s->size ? 2 * s->size : 256;
		char **symbols = realloc(s->symbols, size * sizeof(*symbols));

		if (!symbols)
			return -ENOMEM;
		s->symbols = symbols;
		s->size = size;
	}
	s->symbols[s->nr] = strdup(symbol);
	if (!s->symbols[s->nr])
		return -ENOMEM;
	s->nr++;
	return id_map_add(&s->by_address, address, (uint32_t)s->nr);
}

static int take_line(struct frame_symbols *s, char *line)
{
	char *tab;
	uint64_t address;

	line[strcspn(line, "\r\n")] = '\0';
	if (!*line || *line == '#')
		return 0;
	address = strtoull(line, &tab, 16);
	return tab == line || *tab != '\t' ? -EINVAL : add(s, address, tab + 1);
}

int frame_symbols_read(struct frame_symbols *s, const char *path, struct diag *diag)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	unsigned int nr = 0;
	int r = 0;

	if (!file)
		return diag_set(diag, -errno, "%s: %s", path, strerror(errno));
	while (r == 0 && getline(&line, &size, file) >= 0) {
		nr++;
		r = take_line(s, line);
	}
	if (r == -EINVAL)
		diag_set(diag, r, "%s:%u: expected address TAB symbol", path, nr);
	else if (r == 0 && ferror(file))
		r = diag_set(diag, -EIO, "%s: cannot be read", path);
	else if (r < 0)
		diag_set(diag, r, "no memory");
	free(line);
	fclose(file);
	return r;
}

const char *frame_symbol(const struct frame_symbols *s, const struct model *m, uint64_t address)
{
	const uint32_t index = s ? id_map_find(&s->by_address, address) : 0;

	(void)m; /* its objects say what lies at an address, for whoever reads them */
	return index ? s->symbols[index - 1] : NULL;
}
