/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_object.c - memory behind the stand-in driver's handles.
 *
 * A freed handle is the next one given out, as the real driver likes to do: whoever remembers
 * something by handle meets its successor at once.  Memory never goes back to the system, so a
 * stale handle is refused, not followed into nowhere.
 */
#include "tests/fake/fake_driver.h"

#include <stdlib.h>
#include <string.h>

struct free_object {
	uint32_t magic;
	struct free_object *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static struct free_object *pools[FAKE_MAGIC_END - FAKE_CONTEXT];

void driver_lock(void)
{
	pthread_mutex_lock(&lock);
}

void driver_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void *object_new(enum fake_magic magic, size_t size)
{
	pthread_mutex_lock(&pool_lock);
	struct free_object *o = pools[magic - FAKE_CONTEXT];
	if (o)
		pools[magic - FAKE_CONTEXT] = o->next;
	pthread_mutex_unlock(&pool_lock);
	if (o)
		memset(o, 0, size);
	else
		o = calloc(1, size);
	if (!o)
		abort(); /* a test machine without memory: nothing to prove here */
	__atomic_store_n(&o->magic, magic, __ATOMIC_RELEASE);
	return o;
}

void object_free(enum fake_magic magic, void *object)
{
	struct free_object *o = object;
	__atomic_store_n(&o->magic, FAKE_FREE, __ATOMIC_RELEASE);
	pthread_mutex_lock(&pool_lock);
	o->next = pools[magic - FAKE_CONTEXT];
	pools[magic - FAKE_CONTEXT] = o;
	pthread_mutex_unlock(&pool_lock);
}

bool object_is(const void *handle, enum fake_magic magic)
{
	return handle && __atomic_load_n((const uint32_t *)handle, __ATOMIC_ACQUIRE) == magic;
}
