/* SPDX-License-Identifier: Apache-2.0 */
#include "foreign.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "byte_stream.h"
#include "nsys_sqlite.h"
#include "profiler_json.h"

static const char *const names[NR_FOREIGN] = { "unknown", "torch", "nsys" };

enum foreign foreign_by_name(const char *name)
{
	enum foreign f = FOREIGN_torch;

	while (f < NR_FOREIGN && strcmp(names[f], name) != 0)
		f++;
	return f;
}

/* By the first bytes of what is in it. */
static int recognise(const char *file, enum foreign *ret, struct diag *diag)
{
	static const char sqlite[] = "SQLite format 3", ours[] = "\x54\x2a\x4d\x18";
	struct byte_stream *stream;
	char head[64] = "";
	ssize_t n;
	int r = byte_stream_open(file, &stream, diag);

	if (r < 0)
		return r;
	n = byte_stream_read(stream, head, sizeof(head) - 1);
	byte_stream_close(stream);
	if (n < 0 && n != -EBADMSG)
		return diag_set(diag, (int)n, "%s: %s", file, strerror((int)-n));
	if (n >= (ssize_t)sizeof(sqlite) && !memcmp(head, sqlite, sizeof(sqlite)))
		*ret = FOREIGN_nsys;
	else if (n > 0 && strchr("{[", head[strspn(head, " \t\r\n\xef\xbb\xbf")]))
		*ret = FOREIGN_torch;
	else if (n >= 4 && !memcmp(head, ours, 4))
		return diag_set(diag, -EINVAL, "%s: it is a trace of ttitrace already", file);
	else
		return diag_set(diag, -EINVAL,
				"%s: neither JSON of torch.profiler nor SQLite of Nsight Systems",
				file);
	return 0;
}

static void describe(struct import *in, const char *file, const char *source)
{
	const char *slash = strrchr(file, '/');

	import_info(in, "import.source", source);
	import_info(in, "import.file", slash ? slash + 1 : file);
}

static int write_torch(struct import *in, const char *file, const char *output,
		       const struct foreign_options *options, struct foreign_result *ret,
		       struct diag *diag)
{
	const struct import_target target = { .path = output,
					      .may_replace = options->may_replace,
					      .is_whole = ret->is_whole };

	ret->counts = import_counts(in);
	if (!ret->counts.activities && !ret->is_whole)
		return diag_set(diag, -EBADMSG,
				"%s: %s at byte %" PRIu64 ", and no GPU activity before it", file,
				ret->why, ret->position);
	if (!ret->counts.activities)
		return diag_set(diag, -EBADMSG, "%s: no GPU activity in it", file);
	return import_write(in, &target, diag);
}

static int import_torch(const char *file, const char *output, const struct foreign_options *options,
			struct foreign_result *ret, struct diag *diag)
{
	struct profiler_json_result result;
	struct byte_stream *stream;
	struct import *in;
	int r = byte_stream_open(file, &stream, diag);

	if (r < 0)
		return r;
	in = import_new();
	if (!in) {
		byte_stream_close(stream);
		return diag_set(diag, -ENOMEM, "no memory");
	}
	describe(in, file, "torch.profiler");
	r = profiler_json_read(stream, in, &result, diag);
	byte_stream_close(stream);
	if (r == 0) {
		*ret = (struct foreign_result){ .is_whole = result.is_whole,
						.position = result.position,
						.nr_skipped = result.nr_skipped };
		memcpy(ret->why, result.why, sizeof(ret->why));
		r = write_torch(in, file, output, options, ret, diag);
	}
	import_free(in);
	return r;
}

int foreign_import(const char *file, const char *output, const struct foreign_options *options,
		   struct foreign_result *ret, struct diag *diag)
{
	enum foreign format = options->format;
	int r = 0;

	*ret = (struct foreign_result){ .is_whole = true };
	if (format == FOREIGN_unknown)
		r = recognise(file, &format, diag);
	if (r < 0)
		return r;
	if (format == FOREIGN_nsys)
		return nsys_import(file, output, options, ret, diag);
	return import_torch(file, output, options, ret, diag);
}
