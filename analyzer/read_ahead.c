/* SPDX-License-Identifier: Apache-2.0 */
#include "read_ahead.h"

#include <pthread.h>
#include <stdlib.h>

enum { SLOTS = 2 };

/* What one call of reader_next() gave. */
struct slot {
	struct frame frame;
	uint8_t *content;
	size_t content_size;
	uint64_t offset;
	int result;
	struct diag diag;
};

struct read_ahead {
	struct reader *reader;
	pthread_t thread;
	bool has_thread; /* else the caller reads for itself: no threads can be had */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock: */
	uint64_t nr_read, nr_done; /* frames given by the thread, and done with */
	bool is_ending;
	/* The slots from nr_done to nr_read are the caller's, the next one is the thread's. */
	struct slot slots[SLOTS];
	bool is_lent; /* the caller holds a frame */
};

static int read_slot(struct reader *reader, struct slot *s)
{
	s->result = reader_next(reader, &s->frame, &s->diag);
	s->offset = reader_offset(reader);
	if (s->result > 0)
		reader_swap_content(reader, &s->content, &s->content_size);
	return s->result;
}

static void *read_all(void *argument)
{
	struct read_ahead *a = argument;
	int r = 1;

	while (r > 0) {
		struct slot *s;

		pthread_mutex_lock(&a->lock);
		while (a->nr_read - a->nr_done == SLOTS && !a->is_ending)
			pthread_cond_wait(&a->changed, &a->lock);
		s = a->is_ending ? NULL : &a->slots[a->nr_read % SLOTS];
		pthread_mutex_unlock(&a->lock);
		if (!s)
			break;
		r = read_slot(a->reader, s);
		pthread_mutex_lock(&a->lock);
		a->nr_read++;
		pthread_cond_broadcast(&a->changed);
		pthread_mutex_unlock(&a->lock);
	}
	return NULL;
}

struct read_ahead *read_ahead_begin(struct reader *reader)
{
	struct read_ahead *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->reader = reader;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	a->has_thread = pthread_create(&a->thread, NULL, read_all, a) == 0;
	return a;
}

/* The one before is done with. */
static struct slot *wait_for_slot(struct read_ahead *a)
{
	pthread_mutex_lock(&a->lock);
	if (a->is_lent)
		a->nr_done++;
	a->is_lent = true;
	pthread_cond_broadcast(&a->changed);
	while (a->nr_read == a->nr_done)
		pthread_cond_wait(&a->changed, &a->lock);
	pthread_mutex_unlock(&a->lock);
	return &a->slots[a->nr_done % SLOTS];
}

int read_ahead_next(struct read_ahead *a, struct frame *ret_frame, uint64_t *ret_offset,
		    struct diag *diag)
{
	struct slot *s = &a->slots[0];

	if (a->has_thread)
		s = wait_for_slot(a);
	else
		read_slot(a->reader, s);
	*ret_frame = s->frame;
	*ret_offset = s->offset;
	if (s->result < 0)
		*diag = s->diag;
	return s->result;
}

void read_ahead_end(struct read_ahead *a)
{
	if (!a)
		return;
	if (a->has_thread) {
		pthread_mutex_lock(&a->lock);
		a->is_ending = true;
		pthread_cond_broadcast(&a->changed);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->thread, NULL);
	}
	for (size_t i = 0; i < SLOTS; i++)
		free(a->slots[i].content);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
}
