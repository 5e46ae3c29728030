/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intern.h - content to id, once for the whole process.
 *
 * Any number of threads look up and add; nobody waits.  A definition is published before its id
 * is handed out, so whoever sees an id in a row finds the definition: the writer drains rows
 * first and then takes the definitions that are ready.  Two threads that add the same content at
 * once may get two ids; both are defined.
 */
#ifndef PRELOAD_INTERN_H
#define PRELOAD_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The tables, one per record that defines an id; each behind those that it refers to. */
enum intern_kind {
	INTERN_STRING,
	INTERN_KERNEL,
	INTERN_CONTEXT,
	INTERN_GRAPH_EXEC,
	INTERN_CALL,
	INTERN_PARAMETERS,
	INTERN_OBJECT,
	INTERN_FRAME,
	INTERN_CODE,
	INTERN_PYTHON_FRAME,
	INTERN_TEMPLATE,
	INTERN_DEVICE_TEMPLATE,
	NR_INTERN_KINDS
};

/*
 * False: no memory; every id will be 0.  Ids are from 1.  May be called again, by any thread.
 */
bool intern_init(void);

/*
 * The id of `content`, added if it is new; 0: the table or the memory is full.  Looking up costs
 * a hash and a comparison.
 */
uint32_t intern(enum intern_kind kind, const void *content, size_t size);

/* The same, but nothing is added: 0 if it is new. */
uint32_t intern_find(enum intern_kind kind, const void *content, size_t size);

/* Is the content of `id` these bytes?  Cheaper than looking it up, for who has a guess. */
bool intern_is(enum intern_kind kind, uint32_t id, const void *content, size_t size);

/* intern_is() will be asked about this id: fetches what it reads. */
void intern_expect(enum intern_kind kind, uint32_t id);

/* Content of a definition that is ready, or NULL. */
const void *intern_content(enum intern_kind kind, uint32_t id, size_t *ret_size);

/* Ids up to this one have been given out; some may not be ready yet. */
uint32_t intern_last(enum intern_kind kind);

#endif
