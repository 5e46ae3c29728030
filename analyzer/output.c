/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

static ssize_t gz_write(void *cookie, const char *bytes, size_t size)
{
	/* A short write is an error to stdio; 0 says so without its trying again. */
	return gzwrite(cookie, bytes, (unsigned int)size) == (int)size ? (ssize_t)size : 0;
}

static int gz_close(void *cookie)
{
	return gzclose(cookie) == Z_OK ? 0 : -1;
}

static FILE *open_gz(const char *path)
{
	const cookie_io_functions_t functions = { .write = gz_write, .close = gz_close };
	gzFile file = gzopen(path, "wbe");
	FILE *out = file ? fopencookie(file, "w", functions) : NULL;

	if (file && !out)
		gzclose(file);
	return out;
}

static bool ends_in_gz(const char *path)
{
	const size_t n = strlen(path);

	return n > 3 && !strcmp(path + n - 3, ".gz");
}

FILE *output_open(const char *path, struct diag *diag)
{
	FILE *out;

	if (!path || !strcmp(path, "-"))
		return stdout;
	out = ends_in_gz(path) ? open_gz(path) : fopen(path, "we");
	if (!out)
		diag_set(diag, -errno, "%s: %s", path, strerror(errno));
	return out;
}

int output_check(FILE *out, struct diag *diag)
{
	return ferror(out) ? diag_set(diag, -EIO, "the output cannot be written") : 0;
}

int output_close(FILE *out, const char *path, struct diag *diag)
{
	int failed;

	if (out == stdout)
		return 0;
	failed = ferror(out);
	if (fclose(out) || failed)
		return diag_set(diag, -EIO, "%s: cannot write it", path);
	return 0;
}
