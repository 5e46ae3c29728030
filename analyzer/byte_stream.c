/* SPDX-License-Identifier: Apache-2.0 */
#include "byte_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

enum { ROOM = 1 << 17, WINDOW_LOG_MAX = 27 };

struct byte_stream {
	int fd;
	uint64_t position, size;
	gzFile gz; /* also of files that are not compressed; NULL: zstd */
	ZSTD_DCtx *zstd;
	uint8_t room[ROOM];
	ZSTD_inBuffer in;
	bool is_inside; /* of a zstd frame */
};

static bool is_zstd(const uint8_t *head, ssize_t n)
{
	static const uint8_t magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

	return n >= (ssize_t)sizeof(magic) && !memcmp(head, magic, sizeof(magic));
}

static int open_decoder(struct byte_stream *s)
{
	uint8_t head[4];
	const ssize_t n = pread(s->fd, head, sizeof(head), 0);

	if (n < 0)
		return -errno;
	if (!is_zstd(head, n)) {
		s->gz = gzdopen(s->fd, "rb");
		return s->gz && !gzbuffer(s->gz, ROOM) ? 0 : -ENOMEM;
	}
	s->zstd = ZSTD_createDCtx();
	if (!s->zstd)
		return -ENOMEM;
	ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	return 0;
}

int byte_stream_open(const char *path, struct byte_stream **ret, struct diag *diag)
{
	struct byte_stream *s = calloc(1, sizeof(*s));
	struct stat st;
	int r;

	if (!s)
		return diag_set(diag, -ENOMEM, "no memory");
	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0) {
		r = diag_set(diag, -errno, "%s: %s", path, strerror(errno));
		free(s);
		return r;
	}
	if (!fstat(s->fd, &st) && S_ISREG(st.st_mode))
		s->size = (uint64_t)st.st_size;
	r = open_decoder(s);
	if (r < 0) {
		byte_stream_close(s);
		return diag_set(diag, r, "%s: %s", path, strerror(-r));
	}
	*ret = s;
	return 0;
}

void byte_stream_close(struct byte_stream *s)
{
	if (!s)
		return;
	if (s->gz)
		gzclose(s->gz);
	else
		close(s->fd);
	ZSTD_freeDCtx(s->zstd);
	free(s);
}

static ssize_t read_gz(struct byte_stream *s, void *to, size_t size)
{
	const int n = gzread(s->gz, to, (unsigned int)size);
	int err = Z_OK;

	s->position = (uint64_t)gzoffset(s->gz);
	if (n > 0)
		return n;
	gzerror(s->gz, &err);
	if (err == Z_ERRNO)
		return errno ? -errno : -EIO;
	return err == Z_OK || err == Z_STREAM_END ? 0 : -EBADMSG;
}

static ssize_t fill_room(struct byte_stream *s)
{
	const ssize_t n = read(s->fd, s->room, sizeof(s->room));

	if (n < 0)
		return -errno;
	s->in = (ZSTD_inBuffer){ .src = s->room, .size = (size_t)n };
	s->position += (uint64_t)n;
	return n;
}

static ssize_t read_zstd(struct byte_stream *s, void *to, size_t size)
{
	ZSTD_outBuffer out = { .dst = to, .size = size };

	while (!out.pos) {
		size_t left;

		if (s->in.pos == s->in.size) {
			const ssize_t n = fill_room(s);

			if (n < 0)
				return n;
			if (!n)
				return s->is_inside ? -EBADMSG : 0;
		}
		left = ZSTD_decompressStream(s->zstd, &out, &s->in);
		if (ZSTD_isError(left))
			return -EBADMSG;
		s->is_inside = left != 0;
	}
	return (ssize_t)out.pos;
}

ssize_t byte_stream_read(struct byte_stream *s, void *to, size_t size)
{
	return s->gz ? read_gz(s, to, size) : read_zstd(s, to, size);
}

uint64_t byte_stream_position(const struct byte_stream *s)
{
	return s->position;
}

uint64_t byte_stream_size(const struct byte_stream *s)
{
	return s->size;
}
