/* SPDX-License-Identifier: Apache-2.0 */
#include "correlate.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	PAGE_IDS = 256,
	NR_KEYS = 1 << 24,   /* 32 bit ids by page */
	PAGES_RECENT = 4096, /* a million ids: graph launches wait that long for further nodes */
	PAGES_MAX = 40000,   /* 240 MiB */
	HOST_CLASSES = HOST_LAUNCH | HOST_GRAPH | HOST_COPY,
};

struct slot {
	uint32_t host;   /* valid if class has a bit of HOST_CLASSES */
	uint32_t device; /* template of the last record */
	uint32_t nr_records;
	uint32_t class;   /* 0: free */
	uint64_t time_ns; /* of records that came before their call */
};

struct page {
	uint32_t key;
	uint32_t nr_used;    /* slots that are not free */
	uint32_t nr_waiting; /* those that have no partner at all */
	struct page_list *list;
	struct page *older, *newer;
	struct slot slots[PAGE_IDS];
};

#define PAGES_BYTES (NR_KEYS * sizeof(struct page *))

/* From the oldest to the newest. */
struct page_list {
	struct page *oldest, *newest;
	size_t nr;
};

struct correlator {
	struct page **pages; /* by key; the kernel gives memory only to the parts that are used */
	struct page_list recent, old;
	struct page *spare;
	struct page *current; /* the last one used by a device record or host call */
	struct correlation result;
	bool (*ran_bodies)(void *context, uint32_t host); /* NULL: nobody knows */
	void *context;
};

struct correlator *correlator_new(void)
{
	struct correlator *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	/* Not calloc: a sanitizer would touch a shadow of all of it. */
	c->pages = mmap(NULL, PAGES_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (c->pages == MAP_FAILED) {
		free(c);
		return NULL;
	}
	return c;
}

static void list_add(struct page_list *list, struct page *page)
{
	page->list = list;
	page->older = list->newest;
	page->newer = NULL;
	if (list->newest)
		list->newest->newer = page;
	else
		list->oldest = page;
	list->newest = page;
	list->nr++;
}

static void list_remove(struct page *page)
{
	struct page_list *list = page->list;

	*(page->older ? &page->older->newer : &list->oldest) = page->newer;
	*(page->newer ? &page->newer->older : &list->newest) = page->older;
	list->nr--;
}

static void free_list(struct page_list *list)
{
	for (struct page *page = list->oldest, *next; page; page = next) {
		next = page->newer;
		free(page);
	}
}

void correlator_free(struct correlator *c)
{
	if (!c)
		return;
	free_list(&c->recent);
	free_list(&c->old);
	free(c->spare);
	munmap(c->pages, PAGES_BYTES);
	free(c);
}

/* A launch leaves its slot when it meets its kernel record: records of other sorts do not help. */
static bool is_waiting(const struct slot *s)
{
	if (s->class & HOST_LAUNCH)
		return true;
	return s->class && (!(s->class & HOST_CLASSES) || !s->nr_records);
}

/* Nothing more will come to this slot. */
static void retire_slot(struct correlator *c, const struct slot *s)
{
	struct correlation *r = &c->result;

	if (s->class & HOST_CLASSES) {
		r->launches_without_record += !!(s->class & HOST_LAUNCH);
		r->graphs_without_record += s->class & HOST_GRAPH && !s->nr_records &&
					    !(c->ran_bodies && c->ran_bodies(c->context, s->host));
		r->copies_without_record += s->class & HOST_COPY && !s->nr_records;
		return;
	}
	r->kernels_without_launch += s->class & DEVICE_KERNEL ? s->nr_records : 0;
	r->nodes_without_launch += s->class & DEVICE_NODE ? s->nr_records : 0;
	r->copies_without_call += s->class & DEVICE_COPY ? s->nr_records : 0;
}

/* All slots of the page are free. */
static void drop_page(struct correlator *c, struct page *page)
{
	c->pages[page->key] = NULL;
	if (c->current == page)
		c->current = NULL;
	list_remove(page);
	free(c->spare);
	c->spare = page;
}

static void retire_page(struct correlator *c, struct page *page)
{
	for (size_t i = 0; i < PAGE_IDS; i++)
		retire_slot(c, &page->slots[i]);
	memset(page->slots, 0, sizeof(page->slots));
	page->nr_used = 0;
	page->nr_waiting = 0;
	drop_page(c, page);
}

/* Before another page is made: those that wait for nothing go when a million ids have passed. */
static void limit_pages(struct correlator *c)
{
	struct page *page = c->recent.oldest;

	if (c->recent.nr >= PAGES_RECENT) {
		if (page->nr_waiting) {
			list_remove(page);
			list_add(&c->old, page);
		} else {
			retire_page(c, page);
		}
	}
	if (c->recent.nr + c->old.nr >= PAGES_MAX) {
		c->result.gave_up++;
		retire_page(c, c->old.nr ? c->old.oldest : c->recent.oldest);
	}
}

static struct page *new_page(struct correlator *c, uint32_t key)
{
	struct page *page;

	limit_pages(c);
	page = c->spare ? c->spare : calloc(1, sizeof(*page));
	c->spare = NULL;
	if (!page)
		return NULL;
	page->key = key;
	c->pages[key] = page;
	list_add(&c->recent, page);
	return page;
}

/* NULL: no memory */
static inline struct page *find_page(struct correlator *c, uint32_t id)
{
	const uint32_t key = id / PAGE_IDS;
	struct page *page = c->current;

	if (page && page->key == key)
		return page;
	page = c->pages[key];
	if (!page)
		page = new_page(c, key);
	c->current = page;
	return page;
}

static inline void put_slot(struct page *page, struct slot *s, struct slot now)
{
	page->nr_used += (uint32_t)(now.class != 0) - (uint32_t)(s->class != 0);
	page->nr_waiting += (uint32_t)is_waiting(&now) - (uint32_t)is_waiting(s);
	*s = now;
}

static inline void clear_slot(struct correlator *c, struct page *page, struct slot *s)
{
	put_slot(page, s, (struct slot){ 0 });
	if (!page->nr_used)
		drop_page(c, page);
}

void correlate_host(struct correlator *c, uint32_t id, enum host_class class, uint32_t host,
		    struct correlated *ret)
{
	struct slot now = { .host = host, .class = class };
	struct page *page = id ? find_page(c, id) : NULL;
	struct slot *s;

	*ret = (struct correlated){ 0 };
	if (!page) {
		retire_slot(c, &now);
		return;
	}
	s = &page->slots[id % PAGE_IDS];
	if (s->class & HOST_CLASSES) {
		retire_slot(c, s); /* the id has come round again */
	} else if (s->class) {
		if ((class == HOST_LAUNCH && s->class & DEVICE_KERNEL) ||
		    (class == HOST_COPY && s->class & DEVICE_COPY))
			*ret = (struct correlated){ s->device, s->nr_records, s->time_ns };
		if (class == HOST_LAUNCH && s->class & DEVICE_KERNEL) {
			c->result.matched++;
			clear_slot(c, page, s);
			return;
		}
		now.nr_records = s->nr_records;
		now.device = s->device;
	}
	put_slot(page, s, now);
}

uint32_t correlate_device(struct correlator *c, uint32_t id, enum device_class class,
			  uint32_t template, uint64_t time_ns)
{
	struct slot now = {
		.device = template, .class = class, .nr_records = 1, .time_ns = time_ns
	};
	struct page *page = id ? find_page(c, id) : NULL;
	uint32_t host = 0;
	struct slot *s;

	if (!page) {
		retire_slot(c, &now);
		return 0;
	}
	s = &page->slots[id % PAGE_IDS];
	if (class == DEVICE_KERNEL && s->class & HOST_LAUNCH) {
		host = s->host;
		c->result.matched++;
		clear_slot(c, page, s);
		return host;
	}
	if (s->class & HOST_CLASSES) {
		now.host = s->host;
		now.class = s->class;
		now.nr_records = s->nr_records + 1;
		host = class == DEVICE_COPY && s->class & HOST_COPY ? s->host : 0;
	} else if (class == DEVICE_KERNEL && s->class) {
		retire_slot(c, s); /* a launch has one kernel record: the id has come round again */
	} else if (s->class) {
		now.class = s->class;
		now.nr_records = s->nr_records + 1;
		now.time_ns += s->time_ns;
	}
	put_slot(page, s, now);
	return host;
}

void correlate_body(struct correlator *c)
{
	c->result.nodes_of_bodies++;
}

void correlator_ask_bodies(struct correlator *c, bool (*ran_bodies)(void *context, uint32_t host),
			   void *context)
{
	c->ran_bodies = ran_bodies;
	c->context = context;
}

void correlator_finish(struct correlator *c, struct correlation *ret)
{
	while (c->recent.nr)
		retire_page(c, c->recent.oldest);
	while (c->old.nr)
		retire_page(c, c->old.oldest);
	*ret = c->result;
}
