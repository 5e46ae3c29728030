/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>
#include <zstd_errors.h>

enum {
	READ_BYTES = 1 << 18,
	/* The longest frame a writer can make: incompressible content and a header per block. */
	WINDOW_BYTES_MAX = TTI_FRAME_BYTES_MAX + (1 << 20),
	/* Behind damage, bytes that look like a frame and are none are tried this often. */
	CANDIDATES_MAX = 256,
};

struct reader {
	char *path;
	int fd;
	bool at_eof;
	struct tti_file_header header;
	uint64_t offset; /* in the file, of bytes[begin] */
	uint8_t *bytes;
	size_t size, begin, end;
	ZSTD_DCtx *dctx;
	uint8_t *content;
	size_t content_size;
	struct reader_damage damage;
};

enum frame_state { FRAME_WHOLE, FRAME_DAMAGED, FRAME_CUT, FRAME_NO_MEMORY, FRAME_UNREADABLE };

static size_t available(const struct reader *r)
{
	return r->end - r->begin;
}

static void consume(struct reader *r, size_t n)
{
	r->begin += n;
	r->offset += n;
}

static int make_room(struct reader *r, size_t wanted)
{
	size_t size = r->size ? r->size : READ_BYTES;
	uint8_t *bytes;

	if (r->begin) {
		memmove(r->bytes, r->bytes + r->begin, available(r));
		r->end -= r->begin;
		r->begin = 0;
	}
	while (size < wanted)
		size *= 2;
	if (size == r->size)
		return 0;
	bytes = realloc(r->bytes, size);
	if (!bytes)
		return -ENOMEM;
	r->bytes = bytes;
	r->size = size;
	return 0;
}

/* At least `wanted` bytes are there, or all up to the end of the file. */
static int fill(struct reader *r, size_t wanted, struct diag *diag)
{
	if (available(r) >= wanted || r->at_eof)
		return 0;
	if (r->size - r->begin < wanted && make_room(r, wanted) < 0)
		return diag_set(diag, -ENOMEM, "%s: no memory", r->path);
	while (available(r) < wanted && !r->at_eof) {
		const ssize_t n = read(r->fd, r->bytes + r->end, r->size - r->end);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return diag_set(diag, -errno, "%s: %s", r->path, strerror(errno));
		r->at_eof = n == 0;
		r->end += (size_t)n;
	}
	return 0;
}

/* Less than n where the file ends before. */
static int skip(struct reader *r, uint64_t n, uint64_t *ret_skipped, struct diag *diag)
{
	uint64_t left = n;
	int err = 0;

	while (left && err == 0) {
		const size_t now = left < available(r) ? left : available(r);

		consume(r, now);
		left -= now;
		if (left && r->at_eof)
			break;
		err = left ? fill(r, 1, diag) : 0;
	}
	*ret_skipped = n - left;
	return err;
}

static uint32_t magic_here(const struct reader *r)
{
	uint32_t magic = 0;

	if (available(r) >= sizeof(magic))
		memcpy(&magic, r->bytes + r->begin, sizeof(magic));
	return magic;
}

static bool is_skippable(uint32_t magic)
{
	return (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

/* What people have instead: JSON, gzip, SQLite. */
static const char *hint(const struct reader *r)
{
	const char *dot = strrchr(r->path, '.');
	static const char *const endings[] = { ".json", ".gz", ".zst", ".sqlite", ".db" };

	for (size_t i = 0; dot && i < sizeof(endings) / sizeof(*endings); i++)
		if (!strcmp(dot, endings[i]))
			return "; ttitrace import makes one of those of other profilers";
	return "";
}

static int header_check(const struct reader *r, struct diag *diag)
{
	const struct tti_file_header *h = &r->header;
	const size_t least = sizeof(*h) - offsetof(struct tti_file_header, magic);

	if (h->skippable_magic != TTI_SKIPPABLE_MAGIC || memcmp(h->magic, TTI_MAGIC, 8))
		return diag_set(diag, -EBADMSG, "%s: not a ttitrace trace%s", r->path, hint(r));
	if (h->major != TTI_FORMAT_MAJOR)
		return diag_set(
			diag, -EPROTO,
			"%s: trace format %u.%u, this ttitrace reads %u.x: use another version",
			r->path, h->major, h->minor, TTI_FORMAT_MAJOR);
	if (h->features & ~TTI_FEATURES_KNOWN)
		return diag_set(diag, -EPROTO,
				"%s: uses features %#llx that this ttitrace does not know: use a "
				"newer version",
				r->path, (unsigned long long)(h->features & ~TTI_FEATURES_KNOWN));
	if (h->size_bytes < least)
		return diag_set(diag, -EBADMSG, "%s: the file header is damaged", r->path);
	return 0;
}

static int read_header(struct reader *r, struct diag *diag)
{
	uint64_t skipped;
	int err = fill(r, sizeof(r->header), diag);

	if (err < 0)
		return err;
	if (!available(r))
		return diag_set(diag, -EBADMSG, "%s: the file is empty, not a trace", r->path);
	if (available(r) < sizeof(r->header))
		return diag_set(diag, -EBADMSG, "%s: not a ttitrace trace%s", r->path, hint(r));
	memcpy(&r->header, r->bytes + r->begin, sizeof(r->header));
	err = header_check(r, diag);
	if (err < 0)
		return err;
	/* A newer minor version may have a longer header. */
	return skip(r, 8 + (uint64_t)r->header.size_bytes, &skipped, diag);
}

int reader_open(const char *path, struct reader **ret_reader, struct diag *diag)
{
	struct reader *r = calloc(1, sizeof(*r));
	int err = -ENOMEM;

	if (!r)
		return diag_set(diag, -ENOMEM, "%s: no memory", path);
	r->fd = -1;
	r->path = strdup(path);
	r->dctx = ZSTD_createDCtx();
	if (!r->path || !r->dctx) {
		diag_set(diag, err, "%s: no memory", path);
		goto out;
	}
	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (r->fd < 0) {
		err = diag_set(diag, -errno, "%s: %s", path, strerror(errno));
		goto out;
	}
	err = read_header(r, diag);
	if (err < 0)
		goto out;
	*ret_reader = r;
	return 0;
out:
	reader_close(r);
	return err;
}

void reader_close(struct reader *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		close(r->fd);
	ZSTD_freeDCtx(r->dctx);
	free(r->content);
	free(r->bytes);
	free(r->path);
	free(r);
}

const struct tti_file_header *reader_header(const struct reader *r)
{
	return &r->header;
}

const struct reader_damage *reader_damage(const struct reader *r)
{
	return &r->damage;
}

uint64_t reader_offset(const struct reader *r)
{
	return r->offset;
}

static bool content_reserve(struct reader *r, size_t size)
{
	uint8_t *content;

	if (size <= r->content_size)
		return true;
	content = realloc(r->content, size);
	if (!content)
		return false;
	r->content = content;
	r->content_size = size;
	return true;
}

void reader_swap_content(struct reader *r, uint8_t **content, size_t *size)
{
	uint8_t *const their_content = *content;
	const size_t their_size = *size;

	*content = r->content;
	*size = r->content_size;
	r->content = their_content;
	r->content_size = their_size;
}

/* The compressed size of the frame that begins here, or an error code of zstd. */
static int measure(struct reader *r, size_t *ret_size, struct diag *diag)
{
	size_t wanted = READ_BYTES;

	for (;;) {
		const int err = fill(r, wanted, diag);

		if (err < 0)
			return err;
		*ret_size = ZSTD_findFrameCompressedSize(r->bytes + r->begin, available(r));
		if (ZSTD_getErrorCode(*ret_size) != ZSTD_error_srcSize_wrong || r->at_eof ||
		    available(r) >= WINDOW_BYTES_MAX)
			return 0;
		wanted = available(r) * 2 < WINDOW_BYTES_MAX ? available(r) * 2 : WINDOW_BYTES_MAX;
	}
}

static enum frame_state decompress(struct reader *r, size_t compressed, struct frame *ret)
{
	const uint8_t *bytes = r->bytes + r->begin;
	const unsigned long long size = ZSTD_getFrameContentSize(bytes, compressed);

	/* Also what zstd says for "not known" and "error": these are huge. */
	if (size > TTI_FRAME_BYTES_MAX)
		return FRAME_DAMAGED;
	if (!content_reserve(r, size ? size : 1))
		return FRAME_NO_MEMORY;
	if (ZSTD_decompressDCtx(r->dctx, r->content, size, bytes, compressed) != size)
		return FRAME_DAMAGED;
	*ret = (struct frame){
		.content = cursor_make(r->content, size),
		.offset = r->offset,
		.compressed_bytes = compressed,
	};
	return FRAME_WHOLE;
}

/* Consumes the frame only if it is whole. */
static enum frame_state try_frame(struct reader *r, struct frame *ret, size_t *ret_size,
				  struct diag *diag)
{
	size_t size;
	enum frame_state state;

	*ret_size = 0;
	if (measure(r, &size, diag) < 0)
		return FRAME_UNREADABLE;
	if (ZSTD_isError(size))
		return r->at_eof && ZSTD_getErrorCode(size) == ZSTD_error_srcSize_wrong
			       ? FRAME_CUT
			       : FRAME_DAMAGED;
	*ret_size = size;
	state = decompress(r, size, ret);
	if (state == FRAME_WHOLE)
		consume(r, size);
	if (state == FRAME_NO_MEMORY)
		diag_set(diag, -ENOMEM, "%s: no memory", r->path);
	return state;
}

/* To the next four bytes that may begin a frame; false: there are none. */
static bool find_magic(struct reader *r, struct diag *diag, int *ret_err)
{
	for (;;) {
		const uint8_t *at;

		*ret_err = fill(r, 4, diag);
		if (*ret_err < 0)
			return false;
		if (available(r) < 4) {
			consume(r, available(r));
			return false;
		}
		at = memchr(r->bytes + r->begin, ZSTD_MAGICNUMBER & 0xff, available(r) - 3);
		if (!at) {
			consume(r, available(r) - 3);
			if (r->at_eof)
				consume(r, available(r));
			continue;
		}
		consume(r, (size_t)(at - (r->bytes + r->begin)));
		if (magic_here(r) == ZSTD_MAGICNUMBER)
			return true;
		consume(r, 1);
	}
}

static void count_damage(struct reader *r, uint64_t begin, bool is_cut)
{
	if (is_cut) {
		r->damage.cut_bytes += r->offset - begin;
		return;
	}
	if (!r->damage.nr_regions++)
		r->damage.first_offset = begin;
	r->damage.damaged_bytes += r->offset - begin;
}

static bool is_boundary(const struct reader *r, size_t distance)
{
	uint32_t magic;

	if (distance == available(r))
		return r->at_eof;
	if (available(r) - distance < sizeof(magic))
		return false;
	memcpy(&magic, r->bytes + r->begin + distance, sizeof(magic));
	return magic == ZSTD_MAGICNUMBER || is_skippable(magic);
}

/* What stands here is no whole frame: look for the next that is. */
static int resync(struct reader *r, enum frame_state state, size_t size, struct frame *ret,
		  struct diag *diag)
{
	const uint64_t begin = r->offset;
	int err = fill(r, size + 4, diag);

	if (err < 0)
		return err;
	if (size && is_boundary(r, size)) {
		consume(r, size);
		count_damage(r, begin, false);
		return -EAGAIN;
	}
	consume(r, available(r) ? 1 : 0);
	for (int i = 0; i < CANDIDATES_MAX && find_magic(r, diag, &err); i++) {
		const uint64_t here = r->offset;
		const enum frame_state next = try_frame(r, ret, &size, diag);

		if (next == FRAME_UNREADABLE || next == FRAME_NO_MEMORY)
			return -EIO;
		if (next == FRAME_WHOLE) {
			const uint64_t behind = r->offset;

			r->offset = here;
			count_damage(r, begin, false);
			r->offset = behind;
			return 1;
		}
		consume(r, 1);
	}
	while (err == 0 && (available(r) || !r->at_eof)) {
		consume(r, available(r));
		err = fill(r, 1, diag);
	}
	count_damage(r, begin, state == FRAME_CUT);
	return err;
}

static int skip_skippable(struct reader *r, struct diag *diag)
{
	const uint64_t begin = r->offset;
	uint64_t skipped = 0;
	uint32_t size = 0;
	int err = fill(r, 8, diag);

	if (err < 0)
		return err;
	if (available(r) >= 8)
		memcpy(&size, r->bytes + r->begin + 4, sizeof(size));
	err = skip(r, 8 + (uint64_t)size, &skipped, diag);
	if (err == 0 && skipped < 8 + (uint64_t)size)
		count_damage(r, begin, true);
	return err;
}

int reader_next(struct reader *r, struct frame *ret_frame, struct diag *diag)
{
	for (;;) {
		enum frame_state state = FRAME_DAMAGED;
		size_t size = 0;
		int err = fill(r, 4, diag);

		if (err < 0)
			return err;
		if (!available(r))
			return 0;
		if (is_skippable(magic_here(r))) {
			err = skip_skippable(r, diag);
			if (err < 0)
				return err;
			continue;
		}
		if (magic_here(r) == ZSTD_MAGICNUMBER)
			state = try_frame(r, ret_frame, &size, diag);
		else if (available(r) < 4)
			state = FRAME_CUT;
		if (state == FRAME_WHOLE)
			return 1;
		if (state == FRAME_NO_MEMORY || state == FRAME_UNREADABLE)
			return -EIO;
		err = resync(r, state, size, ret_frame, diag);
		if (err != -EAGAIN)
			return err;
	}
}
