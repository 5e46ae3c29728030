/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.h - the content of a frame to the bytes of a zstd frame.  One routine for everybody who
 * writes traces, so that the same content gives the same bytes (under the same version of zstd).
 */
#ifndef TTITRACE_FRAME_H
#define TTITRACE_FRAME_H

#include <zstd.h>

#include "ttitrace/encode.h"

/* Once per context.  Negative: a parameter was refused. */
static inline int tti_frame_setup(ZSTD_CCtx *cctx, int level)
{
	if (ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, level)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 1)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_contentSizeFlag, 1)))
		return -1;
	return 0;
}

/* The most bytes that tti_frame_compress() can need. */
static inline size_t tti_frame_bound(size_t content_bytes, size_t nr_cuts)
{
	/* Every cut may leave a block header of 3 bytes behind. */
	return ZSTD_compressBound(content_bytes) + 64 + 4 * nr_cuts;
}

/*
 * Compresses one whole frame with a context that tti_frame_setup() prepared; `cuts` are rising
 * offsets into the content where a zstd block ends (usually content->cuts).  Returns the size, or
 * 0: it did not fit, or zstd failed; the context can be used again.
 */
static inline size_t tti_frame_compress(ZSTD_CCtx *cctx, void *out, size_t out_size,
					const struct tti_buffer *content, const uint32_t *cuts,
					size_t nr_cuts)
{
	ZSTD_inBuffer from = { .src = content->data };
	ZSTD_outBuffer to = { .dst = out, .size = out_size };
	size_t left;

	ZSTD_CCtx_reset(cctx, ZSTD_reset_session_only);
	/* Else the size would not be in the frame's header, and readers could not allocate once. */
	if (ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(cctx, content->used)))
		return 0;
	for (size_t i = 0; i < nr_cuts; i++) {
		if (cuts[i] <= from.size || cuts[i] >= content->used)
			continue;
		from.size = cuts[i];
		left = ZSTD_compressStream2(cctx, &to, &from, ZSTD_e_flush);
		if (left) /* an error, or no room */
			return 0;
	}
	from.size = content->used;
	left = ZSTD_compressStream2(cctx, &to, &from, ZSTD_e_end);
	return left ? 0 : to.pos;
}

#endif
