/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "decode.h"
#include "reader.h"

static const char suffix[] = ".ttt";

struct found {
	char *path;
	struct timespec changed;
};

struct listing {
	struct found *rows;
	size_t nr;
};

void inputs_free(struct inputs *in)
{
	for (size_t i = 0; i < in->nr; i++)
		free(in->paths[i]);
	free(in->paths);
	free(in->arguments);
	*in = (struct inputs){ 0 };
}

static int append(struct inputs *in, const char *path, struct diag *diag)
{
	char **paths = realloc(in->paths, (in->nr + 1) * sizeof(*paths));
	size_t *arguments = realloc(in->arguments, (in->nr + 1) * sizeof(*arguments));

	if (paths)
		in->paths = paths;
	if (arguments)
		in->arguments = arguments;
	if (!paths || !arguments || !(in->paths[in->nr] = strdup(path)))
		return diag_set(diag, -ENOMEM, "no memory");
	in->arguments[in->nr++] = in->nr_arguments;
	return 0;
}

static void listing_free(struct listing *l)
{
	for (size_t i = 0; i < l->nr; i++)
		free(l->rows[i].path);
	free(l->rows);
}

static bool has_suffix(const char *name)
{
	const size_t n = strlen(name);

	return n > strlen(suffix) && !strcmp(name + n - strlen(suffix), suffix);
}

static int list_file(struct listing *l, const char *directory, const char *name)
{
	struct found *rows;
	struct stat st;
	char *path;

	if (!strcmp(directory, "."))
		path = strdup(name);
	else if (asprintf(&path, "%s/%s", directory, name) < 0)
		path = NULL;
	rows = path ? realloc(l->rows, (l->nr + 1) * sizeof(*rows)) : NULL;
	if (rows)
		l->rows = rows;
	if (!rows || stat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
		free(path);
		return path && !rows ? -ENOMEM : 0;
	}
	rows[l->nr++] = (struct found){ .path = path, .changed = st.st_mtim };
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct found *)a)->path, ((const struct found *)b)->path);
}

static int list(const char *directory, struct listing *l, struct diag *diag)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return diag_set(diag, -errno, "%s: %s", directory, strerror(errno));
	while (r == 0 && (entry = readdir(dir)))
		if (has_suffix(entry->d_name))
			r = list_file(l, directory, entry->d_name);
	closedir(dir);
	if (r < 0)
		return diag_set(diag, r, "no memory");
	if (l->nr)
		qsort(l->rows, l->nr, sizeof(*l->rows), by_path);
	return 0;
}

int inputs_add(struct inputs *in, const char *path, struct diag *diag)
{
	struct listing l = { 0 };
	struct stat st;
	int r;

	in->nr_arguments++;
	if (stat(path, &st) < 0)
		return diag_set(diag, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return append(in, path, diag);
	r = list(path, &l, diag);
	if (r == 0 && !l.nr)
		r = diag_set(diag, -ENOENT, "%s: no traces (*%s) in this directory", path, suffix);
	for (size_t i = 0; r == 0 && i < l.nr; i++)
		r = append(in, l.rows[i].path, diag);
	listing_free(&l);
	return r;
}

static bool is_text(const struct tti_str *s, const char *text)
{
	return s->size == strlen(text) && !memcmp(s->data, text, s->size);
}

/* The value of option "run" in the first frame, where the recorder puts it; empty: there is none.
 */
static void read_run_id(const char *path, char *id, size_t size)
{
	struct diag ignored;
	struct reader *reader;
	struct frame frame;
	struct record record;
	union record_fields fields;
	struct list_room room = { 0 };
	size_t present;

	id[0] = '\0';
	if (reader_open(path, &reader, &ignored) < 0)
		return;
	if (reader_next(reader, &frame, &ignored) > 0)
		while (record_next(&frame.content, &record) > 0) {
			if (record.kind != TTI_RECORD_INFO ||
			    record_fields(&record, &fields, &present, &room) < 0)
				continue;
			if (is_text(&fields.info.key, "option.run"))
				snprintf(id, size, "%.*s", (int)fields.info.value.size,
					 fields.info.value.data ? fields.info.value.data : "");
		}
	list_room_free(&room);
	reader_close(reader);
}

static bool is_newer(const struct found *a, const struct found *b)
{
	if (a->changed.tv_sec != b->changed.tv_sec)
		return a->changed.tv_sec > b->changed.tv_sec;
	return a->changed.tv_nsec > b->changed.tv_nsec;
}

static int append_run(struct inputs *in, const struct listing *l, const char *run_id, long since_s,
		      struct diag *diag)
{
	char id[128];
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->nr; i++) {
		if (l->rows[i].changed.tv_sec < since_s)
			continue;
		read_run_id(l->rows[i].path, id, sizeof(id));
		if (!strcmp(id, run_id))
			r = append(in, l->rows[i].path, diag);
	}
	return r;
}

int inputs_add_newest(struct inputs *in, const char *directory, struct diag *diag)
{
	struct listing l = { 0 };
	const struct found *newest = NULL;
	char id[128];
	int r = list(directory, &l, diag);

	for (size_t i = 0; r == 0 && i < l.nr; i++)
		if (!newest || is_newer(&l.rows[i], newest))
			newest = &l.rows[i];
	if (r == 0 && !newest)
		r = diag_set(diag, -ENOENT,
			     "no traces (*%s) in this directory; say which to read, or make one: "
			     "ttitrace record -- PROGRAM",
			     suffix);
	if (r == 0) {
		read_run_id(newest->path, id, sizeof(id));
		r = id[0] ? append_run(in, &l, id, 0, diag) : append(in, newest->path, diag);
	}
	listing_free(&l);
	return r;
}

int inputs_add_run(struct inputs *in, const char *directory, const char *run_id, long since_s,
		   struct diag *diag)
{
	struct listing l = { 0 };
	int r = list(directory, &l, diag);

	if (r == 0)
		r = append_run(in, &l, run_id, since_s, diag);
	listing_free(&l);
	return r;
}
