/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
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

static FILE *open_gz(int fd)
{
	const cookie_io_functions_t functions = { .write = gz_write, .close = gz_close };
	gzFile file = gzdopen(fd, "wb");
	FILE *out = file ? fopencookie(file, "w", functions) : NULL;

	if (file && !out)
		gzclose(file);
	else if (!file)
		close(fd);
	return out;
}

static bool ends_in_gz(const char *path)
{
	const size_t n = strlen(path);

	return n > 3 && !strcmp(path + n - 3, ".gz");
}

static int refuse(const char *path, int err, struct diag *diag)
{
	return diag_set(diag, -err, "%s: %s", path, strerror(err));
}

static int open_beside(struct output_place *place, mode_t mode)
{
	int fd, err;

	if (asprintf(&place->unfinished, "%s-XXXXXX", place->path) < 0) {
		place->unfinished = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(place->unfinished, O_CLOEXEC);
	if (fd >= 0 && (!mode || fchmod(fd, mode & 07777) == 0))
		return fd;
	err = errno;
	if (fd >= 0) {
		close(fd);
		unlink(place->unfinished);
	}
	free(place->unfinished);
	place->unfinished = NULL;
	return -err;
}

static int open_as_it_is(const char *path, int flags)
{
	const int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC | flags);

	return fd < 0 ? -errno : fd;
}

static int open_file(struct output_place *place, const struct stat *st)
{
	const int fd = open_beside(place, st->st_mode);

	/* A file that may be written in a directory that may not. */
	if (st->st_mode && (fd == -EACCES || fd == -EPERM || fd == -EROFS))
		return open_as_it_is(place->path, O_TRUNC | O_NOFOLLOW);
	return fd;
}

int output_place_open(struct output_place *place, const char *path, struct diag *diag)
{
	struct stat st = { .st_mode = 0 };
	int fd;

	*place = (struct output_place){ .path = path };
	if (lstat(path, &st) < 0 && errno != ENOENT)
		return refuse(path, errno, diag);
	if (S_ISLNK(st.st_mode) && st.st_uid && st.st_uid != geteuid())
		return diag_set(diag, -ELOOP, "%s: a symbolic link of somebody else", path);
	if (S_ISLNK(st.st_mode))
		fd = open_as_it_is(path, O_CREAT | O_TRUNC);
	else if (!st.st_mode || S_ISREG(st.st_mode))
		fd = open_file(place, &st);
	else
		fd = open_as_it_is(path, O_NOFOLLOW);
	return fd < 0 ? refuse(path, -fd, diag) : fd;
}

int output_settle(struct output_place *place, bool is_whole, struct diag *diag)
{
	int r = 0;

	if (place->unfinished && is_whole && rename(place->unfinished, place->path) < 0)
		r = refuse(place->path, errno, diag);
	if (place->unfinished && (!is_whole || r < 0))
		unlink(place->unfinished);
	free(place->unfinished);
	place->unfinished = NULL;
	return r;
}

int output_open(struct output *output, const char *path, struct diag *diag)
{
	int fd;

	*output = (struct output){ .file = stdout };
	if (!path || !strcmp(path, "-"))
		return 0;
	fd = output_place_open(&output->place, path, diag);
	if (fd < 0)
		return fd;
	output->file = ends_in_gz(path) ? open_gz(fd) : fdopen(fd, "w");
	if (output->file)
		return 0;
	output_settle(&output->place, false, diag);
	return diag_set(diag, -ENOMEM, "no memory");
}

int output_check(FILE *out, struct diag *diag)
{
	return ferror(out) ? diag_set(diag, -EIO, "the output cannot be written") : 0;
}

int output_close(struct output *output, int r, struct diag *diag)
{
	bool is_whole;

	if (output->file == stdout)
		return r;
	is_whole = !ferror(output->file);
	is_whole = !fclose(output->file) && is_whole;
	if (r == 0 && !is_whole)
		r = diag_set(diag, -EIO, "%s: cannot write it", output->place.path);
	if (r < 0) {
		output_settle(&output->place, false, &(struct diag){ "" });
		return r;
	}
	return output_settle(&output->place, true, diag);
}
