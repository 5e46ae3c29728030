/* SPDX-License-Identifier: Apache-2.0 */
#include "activity_buffer.h"

#include "counter.h"
#include "options.h"
#include "sys.h"

/* Holds some 4,800 kernels: small enough to come back often, large enough to come back rarely. */
#define BUFFER_BYTES (1u << 20)
#define BUFFERS_MAX  4096u

enum { FREE, IN_USE, FILLED };

struct slot {
	_Atomic uint32_t state;
	_Atomic(uint8_t *) memory; /* NULL: none yet */
	uint64_t turn;             /* of FILLED ones, which came first */
	size_t valid_bytes;
};

static struct slot slots[BUFFERS_MAX];
static _Atomic uint64_t turns;

static _Atomic bool may_refuse = true;

void activity_buffer_allow_refusal(bool is_allowed)
{
	atomic_store(&may_refuse, is_allowed);
}

static size_t nr_slots(void)
{
	const uint64_t n = (options.buffer_mb << 20) / BUFFER_BYTES;

	return n < BUFFERS_MAX && atomic_load_explicit(&may_refuse, memory_order_relaxed)
		       ? n
		       : BUFFERS_MAX;
}

static struct slot *slot_of(const uint8_t *buffer)
{
	for (size_t i = 0; i < BUFFERS_MAX; i++)
		if (atomic_load_explicit(&slots[i].memory, memory_order_relaxed) == buffer)
			return &slots[i];
	return NULL;
}

uint8_t *activity_buffer_request(size_t *ret_bytes)
{
	for (size_t i = 0; i < nr_slots(); i++) {
		struct slot *s = &slots[i];
		uint32_t state = FREE;
		uint8_t *memory;

		/* acquire: pairs with the release of who emptied it */
		if (!atomic_compare_exchange_strong_explicit(&s->state, &state, IN_USE,
							     memory_order_acquire,
							     memory_order_relaxed))
			continue;
		memory = atomic_load_explicit(&s->memory, memory_order_relaxed);
		if (!memory)
			memory = sys_reserve(BUFFER_BYTES);
		atomic_store_explicit(&s->memory, memory, memory_order_relaxed);
		if (!memory) {
			atomic_store_explicit(&s->state, FREE, memory_order_relaxed);
			break;
		}
		*ret_bytes = BUFFER_BYTES;
		return memory;
	}
	counter_add_shared(TTI_COUNTER_NO_BUFFER, 1);
	*ret_bytes = 0;
	return NULL;
}

void activity_buffer_complete(uint8_t *buffer, size_t valid_bytes)
{
	struct slot *s = buffer ? slot_of(buffer) : NULL;

	if (!s)
		return;
	s->valid_bytes = valid_bytes;
	s->turn = atomic_fetch_add_explicit(&turns, 1, memory_order_relaxed);
	/* release: pairs with the acquire in activity_buffer_take() */
	atomic_store_explicit(&s->state, FILLED, memory_order_release);
}

uint8_t *activity_buffer_take(size_t *ret_valid_bytes)
{
	struct slot *earliest = NULL;

	for (size_t i = 0; i < nr_slots(); i++) {
		struct slot *s = &slots[i];

		if (atomic_load_explicit(&s->state, memory_order_acquire) == FILLED &&
		    (!earliest || s->turn < earliest->turn))
			earliest = s;
	}
	if (!earliest)
		return NULL;
	*ret_valid_bytes = earliest->valid_bytes;
	return atomic_load_explicit(&earliest->memory, memory_order_relaxed);
}

void activity_buffer_release(uint8_t *buffer)
{
	/* release: what was read is read */
	atomic_store_explicit(&slot_of(buffer)->state, FREE, memory_order_release);
}
