/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_symbols.h - frames of native stacks -> symbols.
 *
 * Those that the trace itself names are that.  The others come from a file that the user gave, made
 * where the objects are, else from the objects themselves where this machine has the very same.
 */
#ifndef ANALYZER_FRAME_SYMBOLS_H
#define ANALYZER_FRAME_SYMBOLS_H

#include "diag.h"
#include "elf_sources.h"
#include "model.h"

struct frame_symbols; /* of a run: objects are read once, when the first frame asks */

struct frame_symbols *frame_symbols_new(void);    /* NULL: no memory */
void frame_symbols_free(struct frame_symbols *s); /* accepts NULL */

/* A file as symbol_file.h has it; "none": objects on this machine are not to be read. */
int frame_symbols_read(struct frame_symbols *s, const char *path, struct diag *diag);

/* How it went with the objects on this machine that frames asked for. */
struct frame_objects {
	uint64_t read;
	uint64_t missing;    /* not here */
	uint64_t refused;    /* here is one of another build */
	uint64_t unreadable; /* no ELF object, or too many of them */
};

struct frame_objects frame_symbols_objects(const struct frame_symbols *s);

/*
 * Goes through the objects that frames asked for in vain: the path of the next one from *index
 * on, which it moves; why is -ENOENT, -ESTALE or another errno.  NULL: there are no more.
 */
const char *frame_symbols_next_failure(const struct frame_symbols *s, size_t *index, int *ret_why);

struct frame_names; /* of one trace; each frame is looked up once */

/* NULL: no memory.  Without s (NULL) nothing has a name.  The model and s must outlive it. */
struct frame_names *frame_names_new(struct frame_symbols *s, const struct model *m);
void frame_names_free(struct frame_names *f); /* accepts NULL */

/* The function, mangled; NULL: not known.  Valid as long as s. */
const char *frame_name(struct frame_names *f, uint32_t frame);

/*
 * The functions and lines of the frame, the innermost first, more than one where calls were
 * inlined. Returns how many; 0: there is no debug information here.  Valid as long as s.
 */
size_t frame_sources(struct frame_names *f, uint32_t frame, struct source_frame *ret, size_t max);

/* What the frame lies in; NULL: in no object of the trace. */
const struct loaded_object *frame_object(struct frame_names *f, uint32_t frame);

#endif
