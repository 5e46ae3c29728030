/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phases.h - the segments of a run -> its phases: text encoding, every denoising step, VAE decode,
 * prefill, every decode step ...
 *
 * A step is from one call of the denoiser to the next one from the same line of the program: calls
 * from other lines of the same function, as guidance without batching makes them, belong to it.
 * What runs between two steps belongs to the first one.  What no phase explains is the residual.
 */
#ifndef ANALYZER_PHASES_H
#define ANALYZER_PHASES_H

#include "modules.h"
#include "run.h"

struct phase {
	const struct name *name;
	const struct trace *trace;
	enum phase_kind kind;
	uint32_t index;   /* among those of one name, from 0 on */
	bool is_gpu_time; /* else nothing ran, and times are the host's */
	uint64_t begin_ns, end_ns, busy_ns, kernel_ns, launches;
	struct module_sums sums; /* after phases_sum() */
	struct profile_cost cost;
};

struct phases {
	struct phase *rows; /* in order of begin, process by process */
	size_t nr, size;
	struct phase residual; /* no begin and no end */
	uint32_t **of_segment; /* by trace, by segment: index and 1; 0: residual */
	const struct run *run;
	uint64_t period_launches; /* other than 0: found by the period of launches */
	bool by_marks;
};

/* Of a run loaded with_phases.  0 or -ENOMEM. */
int phases_make(struct phases *p, const struct run *run);
void phases_clear(struct phases *p);
int phases_sum(struct phases *p, const struct profile *profile); /* 0 or -ENOMEM */

/* Index and 1; 0: the residual. */
uint32_t phases_of_segment(const struct phases *p, const struct trace *t, uint32_t segment);

/* That of a trace loaded with_phase_sites. */
uint32_t phases_of_site(const struct phases *p, const struct trace *t, uint32_t site);

/*
 * "i..j" or "i": by number, from 1 on; "NAME" or "NAME:i..j": those with NAME in their name, of
 * these from i to j, from 0 on.
 */
struct phase_choice {
	char name[128]; /* empty: any */
	uint64_t first, last;
};

bool phase_choice_parse(const char *text, struct phase_choice *ret); /* false: it is none */
bool phase_choice_has(const struct phase_choice *c, const struct phases *p, uint32_t phase);

#endif
