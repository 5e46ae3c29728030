/* SPDX-License-Identifier: Apache-2.0 */
#include "trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "options.h"
#include "trace_path.h"
#include "ttitrace/format.h"

#define NAMES_MAX 100 /* name, name-1, ... before giving up */

/* Away from the numbers that programs give out and take, without a larger table of them. */
#define DESCRIPTOR_MIN 900

/* Kept on the disk behind the last frame: the end of the file fits when nothing else does. */
#define RESERVE_BYTES (16u << 10)

static char path[4096];
static int fd = -1;
static struct stat identity; /* of the file: a descriptor may be closed, and be another's then */
static off_t whole_bytes;    /* of the file: all frames that are in it whole */
static bool has_complained;

static const char *text_of_error(void)
{
	const char *s = strerrordesc_np(errno);

	return s ? s : "unknown error";
}

static bool is_the_file(int descriptor)
{
	struct stat st;

	return fstat(descriptor, &st) == 0 && st.st_dev == identity.st_dev &&
	       st.st_ino == identity.st_ino;
}

/* Programs close descriptors they do not know, and put their own in the place. */
static bool is_open(void)
{
	int again;

	if (is_the_file(fd))
		return true;
	again = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (again >= 0 && !is_the_file(again)) {
		close(again);
		errno = ESTALE;
		return false;
	}
	if (again >= 0)
		fd = again; /* whatever has the old number is not ours to close */
	return again >= 0;
}

/* False: the disk is full.  A file system that cannot reserve leaves that to the write. */
static bool reserve(size_t size)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, whole_bytes, (off_t)(size + RESERVE_BYTES)) ==
		       0 ||
	       (errno != ENOSPC && errno != EDQUOT);
}

static bool write_all(const void *bytes, size_t size)
{
	const char *p = bytes;
	off_t at = whole_bytes;

	while (size) {
		const ssize_t n = pwrite(fd, p, size, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

static void complain(void)
{
	if (!has_complained)
		log_line("cannot write ", path, ": ", text_of_error(),
			 "; the program goes on, what is lost is counted");
	has_complained = true;
}

static bool append(const void *frame, size_t size)
{
	if (write_all(frame, size)) {
		whole_bytes += (off_t)size;
		return true;
	}
	complain();
	/* If even this fails, the file ends in a piece of a frame: readers stop before it. */
	trace_file_cut(whole_bytes);
	return false;
}

bool trace_file_append(const void *frame, size_t size)
{
	if (fd < 0)
		return false;
	if (is_open() && reserve(size))
		return append(frame, size);
	complain();
	return false;
}

bool trace_file_append_last(const void *frame, size_t size)
{
	struct stat st;

	if (fd < 0 || !is_open() || !append(frame, size))
		return false;
	trace_file_cut(whole_bytes); /* what was reserved */
	if (fstat(fd, &st) == 0 && !st.st_nlink)
		log_line("the trace is lost: ", path, " was removed while it was written");
	return true;
}

uint64_t trace_file_bytes(void)
{
	return (uint64_t)whole_bytes;
}

void trace_file_cut(uint64_t bytes)
{
	if (fd >= 0 && is_the_file(fd) && ftruncate(fd, (off_t)bytes) == 0)
		whole_bytes = (off_t)bytes;
}

static bool write_header(void)
{
	struct tti_file_header h = {
		.skippable_magic = TTI_SKIPPABLE_MAGIC,
		.size_bytes = sizeof(h) - offsetof(struct tti_file_header, magic),
		.major = TTI_FORMAT_MAJOR,
		.minor = TTI_FORMAT_MINOR,
		.level = (uint8_t)options.level,
	};

	memcpy(h.magic, TTI_MAGIC, sizeof(h.magic));
	return trace_file_append(&h, sizeof(h));
}

static void move_away(void)
{
	const int moved = fcntl(fd, F_DUPFD_CLOEXEC, DESCRIPTOR_MIN);

	if (moved < 0)
		return; /* the limit is lower: it stays where it is */
	close(fd);
	fd = moved;
}

bool trace_file_create(void)
{
	for (int attempt = 0; attempt < NAMES_MAX && fd < 0; attempt++) {
		if (!trace_path_make(attempt, path, sizeof(path))) {
			log_line("nothing is recorded: TTITRACE_OUTPUT is too long");
			return false;
		}
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd < 0 || fstat(fd, &identity) < 0) {
		log_line("nothing is recorded: cannot create ", path, ": ", text_of_error());
		if (fd >= 0) {
			unlink(path);
			close(fd);
			fd = -1;
		}
		return false;
	}
	move_away();
	if (options.verbose)
		log_line("writing ", path);
	whole_bytes = 0;
	if (!write_header()) {
		unlink(path);
		trace_file_forget();
		return false;
	}
	return true;
}

const char *trace_file_path(void)
{
	return fd < 0 ? NULL : path;
}

void trace_file_forget(void)
{
	if (fd >= 0 && is_the_file(fd))
		close(fd);
	fd = -1;
}
