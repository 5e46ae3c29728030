/* SPDX-License-Identifier: Apache-2.0 */
#include "parameters.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "driver.h"
#include "identity.h"
#include "intern.h"
#include "options.h"
#include "sys.h"
#include "thread.h"

#define KERNELS_MAX 16384u
#define WORDS_MAX   (PARAMETERS_BYTES_MAX / 8)
/*
 * A kernel may have so many contents, and one more for every so many launches: lengths that grow
 * with each token are kept, in a model of few layers too, a seed that is new at each launch is not.
 */
#define CONTENTS_FREE        4096u
#define LAUNCHES_PER_CONTENT 16u
/* Of the memory that all definitions share. */
#define TOTAL_BYTES_MAX (64u << 20)

/* What has been found out about one kernel. */
struct kernel_words {
	_Atomic uint64_t pointers[WORDS_MAX / 64]; /* bit by word: replace it */
	_Atomic uint64_t numbers[WORDS_MAX / 64];  /* bit by word: it was doubted, wrongly */
	_Atomic uint32_t first;                    /* its first content, not masked */
	_Atomic uint32_t launches, contents;
};

static struct kernel_words kernels[KERNELS_MAX];
static _Atomic uint64_t total_bytes;

bool parameters_are_wanted(const char *name)
{
	static const char *const parts[] = {
#define PARAMETERS(part, whose) part,
#include "parameters.def"
#undef PARAMETERS
	};

	if (options.parameters == PARAMETERS_ALL)
		return true;
	for (size_t i = 0; name && i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(name, parts[i]))
			return options.parameters == PARAMETERS_KNOWN;
	return false;
}

struct packed {
	const uint8_t *bytes; /* NULL: there are none */
	size_t size;
};

static struct packed packed_of(void *const *extra)
{
	struct packed p = { .bytes = NULL };

	for (; extra && extra[0] != CU_LAUNCH_PARAM_END; extra += 2) {
		if (extra[0] == CU_LAUNCH_PARAM_BUFFER_POINTER)
			p.bytes = extra[1];
		if (extra[0] == CU_LAUNCH_PARAM_BUFFER_SIZE)
			p.size = *(const size_t *)extra[1];
	}
	return p;
}

/* Copies parameters to where the kernel has them; gaps are 0.  Returns bytes, up to a whole word.
 */
static uint32_t gather(uint8_t *out, const struct kernel_content *k, void *const *params,
		       void *const *extra)
{
	const struct packed packed = params ? (struct packed){ .bytes = NULL } : packed_of(extra);
	uint32_t end = 0;

	for (uint32_t i = 0; i < k->nr_parameters; i++) {
		const uint32_t offset = k->parameters[i].offset;
		uint32_t size = k->parameters[i].size;

		if (offset < end || offset >= PARAMETERS_BYTES_MAX)
			break;
		if (size > PARAMETERS_BYTES_MAX - offset)
			size = PARAMETERS_BYTES_MAX - offset;
		if (!params && (!packed.bytes || offset + size > packed.size))
			break;
		memset(out + end, 0, offset - end);
		memcpy(out + offset, params ? params[i] : packed.bytes + offset, size);
		end = offset + size;
	}
	memset(out + end, 0, -end % 8);
	return (end + 7) & ~7u;
}

void parameters_mask(uint8_t *bytes, const uint64_t *pointers, uint32_t nr_words)
{
	const uint64_t one = 1;
	uint64_t value;

	for (uint32_t base = 0; base < nr_words; base += 64)
		for (uint64_t set = pointers[base / 64]; set; set &= set - 1) {
			const uint32_t w = base + (uint32_t)__builtin_ctzll(set);

			if (w >= nr_words)
				return;
			memcpy(&value, bytes + 8 * w, 8);
			if (value)
				memcpy(bytes + 8 * w, &one, 8);
		}
}

/* Above 4 GiB, below the end of what user space can have. */
static bool may_be_address(uint64_t value)
{
	return value >> 32 && !(value >> 48);
}

static bool is_address(uint64_t value)
{
	const int saved = errno;
	unsigned int type = 0;
	CUresult rc;

	tls.is_ours++;
	rc = driver.cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
					  (CUdeviceptr)value);
	tls.is_ours--;
	errno = saved;
	return rc == CUDA_SUCCESS && type;
}

/* Decides about the words that differ from the kernel's first content.  True: pointers found. */
static bool doubt(struct kernel_words *k, const uint8_t *bytes, const uint8_t *first,
		  uint32_t nr_words)
{
	bool is_any = false;

	for (uint32_t w = 0; w < nr_words; w++) {
		const uint64_t bit = 1ull << w % 64;
		uint64_t now, before;

		memcpy(&now, bytes + 8 * w, 8);
		memcpy(&before, first + 8 * w, 8);
		if (now == before || !may_be_address(now) || (before && !may_be_address(before)) ||
		    (k->pointers[w / 64] | k->numbers[w / 64]) & bit)
			continue;
		if (is_address(now)) {
			atomic_fetch_or(&k->pointers[w / 64], bit);
			is_any = true;
		} else {
			atomic_fetch_or(&k->numbers[w / 64], bit);
		}
	}
	return is_any;
}

static bool may_add(struct kernel_words *k, uint32_t size)
{
	const uint32_t contents = atomic_load_explicit(&k->contents, memory_order_relaxed);
	const uint32_t launches = atomic_load_explicit(&k->launches, memory_order_relaxed);

	if (contents > CONTENTS_FREE + launches / LAUNCHES_PER_CONTENT ||
	    atomic_load_explicit(&total_bytes, memory_order_relaxed) > TOTAL_BYTES_MAX)
		return false;
	atomic_fetch_add_explicit(&k->contents, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&total_bytes, size, memory_order_relaxed);
	return true;
}

static void mask(struct kernel_words *k, uint8_t *bytes, uint32_t nr_words)
{
	uint64_t pointers[WORDS_MAX / 64];

	for (uint32_t i = 0; i <= (nr_words - 1) / 64; i++)
		pointers[i] = atomic_load_explicit(&k->pointers[i], memory_order_relaxed);
	parameters_mask(bytes, pointers, nr_words);
}

/* New bytes: are they new because of pointers only? */
static uint32_t add(struct kernel_words *k, struct parameters_content *c, const uint8_t *first,
		    uint32_t size)
{
	const uint32_t nr_words = (size - (uint32_t)offsetof(struct parameters_content, bytes)) / 8;
	uint32_t id;

	if (doubt(k, c->bytes, first, nr_words)) {
		mask(k, c->bytes, nr_words);
		id = intern_find(INTERN_PARAMETERS, c, size);
		if (id)
			return id;
	}
	return may_add(k, size) ? intern(INTERN_PARAMETERS, c, size) : 0;
}

/* 0: they are given up. */
static uint32_t known_or_new(struct kernel_words *k, struct parameters_content *c,
			     uint32_t nr_bytes)
{
	const uint32_t size = (uint32_t)offsetof(struct parameters_content, bytes) + nr_bytes;
	uint32_t first = atomic_load_explicit(&k->first, memory_order_relaxed), id;
	const struct parameters_content *f;
	size_t first_size = 0;

	atomic_fetch_add_explicit(&k->launches, 1, memory_order_relaxed);
	if (unlikely(!first)) {
		first = may_add(k, size) ? intern(INTERN_PARAMETERS, c, size) : 0;
		atomic_store_explicit(&k->first, first, memory_order_relaxed);
		return first;
	}
	mask(k, c->bytes, nr_bytes / 8);
	id = intern_find(INTERN_PARAMETERS, c, size);
	if (likely(id))
		return id;
	f = intern_content(INTERN_PARAMETERS, first, &first_size);
	return f && first_size == size ? add(k, c, f->bytes, size) : 0;
}

uint32_t parameters_id(uint32_t kernel, void *const *params, void *const *extra)
{
	struct parameters_content c;
	const struct kernel_content *k;
	uint32_t nr_bytes, id;
	size_t size;

	if (kernel >= KERNELS_MAX) {
		counter_add_shared(TTI_COUNTER_PARAMETERS_DROPPED, 1);
		return 0;
	}
	k = intern_content(INTERN_KERNEL, kernel, &size);
	if (!k || (!params && !extra))
		return 0;
	nr_bytes = gather(c.bytes, k, params, extra);
	if (!nr_bytes)
		return 0;
	c.kernel = kernel;
	c.zero = 0;
	id = known_or_new(&kernels[kernel], &c, nr_bytes);
	if (unlikely(!id))
		counter_add_shared(TTI_COUNTER_PARAMETERS_DROPPED, 1);
	return id;
}
