/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nvtx.c - Runs in: the application's thread.  No malloc, no lock, no system call once a thread has
 * begun; errno kept.
 */
#include "nvtx.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "launch.h"
#include "life.h"
#include "nvtx_abi.h"
#include "thread.h"
#include "window.h"

#define VARIABLE  "NVTX_INJECTION64_PATH"
#define TEXT_SIZE 1024u
#define DEPTH_MAX 65536

/* Handles that NVTX carries for us are ids of strings: nothing to keep, nothing to free. */
static uint32_t id_of(const void *handle)
{
	return (uint32_t)(uintptr_t)handle;
}

static void *handle_of(uint32_t id)
{
	return (void *)(uintptr_t)id;
}

static _Atomic uint64_t last_range;
/* What NVTX answers to push and pop: the depth, in whatever domain. */
THREAD_LOCAL int depth;

/* UTF-8, cut where there is no more room. */
static void utf8(const wchar_t *from, char *to)
{
	size_t n = 0;

	for (; *from && n + 4 < TEXT_SIZE; from++) {
		const uint32_t c = (uint32_t)*from;

		if (c < 0x80) {
			to[n++] = (char)c;
			continue;
		}
		if (c >= 0x10000)
			to[n++] = (char)(0xf0 | (c >> 18 & 0x07));
		if (c >= 0x800)
			to[n++] = (char)((c >= 0x10000 ? 0x80 : 0xe0) |
					 (c >> 12 & (c >= 0x10000 ? 0x3f : 0x0f)));
		to[n++] =
			(char)((c >= 0x800 ? 0x80 : 0xc0) | (c >> 6 & (c >= 0x800 ? 0x3f : 0x1f)));
		to[n++] = (char)(0x80 | (c & 0x3f));
	}
	to[n] = '\0';
}

/* 0: there is none, or the table is full. */
static uint32_t text_id(const char *text)
{
	const uint32_t id = intern(INTERN_STRING, text, strnlen(text, TEXT_SIZE));

	if (!id)
		counter_add_shared(TTI_COUNTER_MARKS_CUT, 1);
	return id;
}

static uint32_t text_ascii(const char *text)
{
	return text ? text_id(text) : 0;
}

static uint32_t text_unicode(const wchar_t *text)
{
	char buffer[TEXT_SIZE];

	if (!text)
		return 0;
	utf8(text, buffer);
	return text_id(buffer);
}

static uint32_t text_event(const struct nvtx_event *event)
{
	if (!event || event->size < sizeof(*event))
		return 0;
	switch (event->message_type) {
	case NVTX_MESSAGE_ASCII:
		return text_ascii(event->message.ascii);
	case NVTX_MESSAGE_UNICODE:
		return text_unicode(event->message.unicode);
	case NVTX_MESSAGE_REGISTERED:
		return id_of(event->message.registered);
	default:
		return 0;
	}
}

static void put(enum tti_mark_kind kind, const void *domain, uint32_t text, uint64_t range)
{
	const int saved = errno;

	if (tls.is_ours || !life_may_record())
		return;
	if (kind == TTI_MARK_PUSH || kind == TTI_MARK_START)
		window_range(kind, text, range);
	record_said(&(const struct said){
		.kind = kind, .domain = id_of(domain), .text = text, .range = range });
	if (kind == TTI_MARK_POP || kind == TTI_MARK_END)
		window_range(kind, text, range);
	errno = saved;
}

/* --- what NVTX calls -------------------------------------------------------------------------- */

static void domain_mark_event(const void *domain, const struct nvtx_event *event)
{
	put(TTI_MARK_INSTANT, domain, text_event(event), 0);
}

static uint64_t start(const void *domain, uint32_t text)
{
	const uint64_t range =
		(atomic_fetch_add_explicit(&last_range, 1, memory_order_relaxed) + 1) &
		ROW_DURATION_MAX;

	put(TTI_MARK_START, domain, text, range);
	return range;
}

static int push(const void *domain, uint32_t text)
{
	put(TTI_MARK_PUSH, domain, text, 0);
	return depth < DEPTH_MAX ? depth++ : depth;
}

static uint64_t domain_start_event(const void *domain, const struct nvtx_event *event)
{
	return start(domain, text_event(event));
}

static void domain_end(const void *domain, uint64_t range)
{
	put(TTI_MARK_END, domain, 0, range);
}

static int domain_push_event(const void *domain, const struct nvtx_event *event)
{
	return push(domain, text_event(event));
}

/* -1: there was none to pop, as NVTX wants it. */
static int domain_pop(const void *domain)
{
	put(TTI_MARK_POP, domain, 0, 0);
	return depth ? --depth : -1;
}

static void mark_event(const struct nvtx_event *event)
{
	domain_mark_event(NULL, event);
}

static void mark_ascii(const char *text)
{
	put(TTI_MARK_INSTANT, NULL, text_ascii(text), 0);
}

static void mark_unicode(const wchar_t *text)
{
	put(TTI_MARK_INSTANT, NULL, text_unicode(text), 0);
}

static uint64_t start_event(const struct nvtx_event *event)
{
	return start(NULL, text_event(event));
}

static uint64_t start_ascii(const char *text)
{
	return start(NULL, text_ascii(text));
}

static uint64_t start_unicode(const wchar_t *text)
{
	return start(NULL, text_unicode(text));
}

static void end(uint64_t range)
{
	domain_end(NULL, range);
}

static int push_event(const struct nvtx_event *event)
{
	return push(NULL, text_event(event));
}

static int push_ascii(const char *text)
{
	return push(NULL, text_ascii(text));
}

static int push_unicode(const wchar_t *text)
{
	return push(NULL, text_unicode(text));
}

static int pop(void)
{
	return domain_pop(NULL);
}

static void *register_ascii(const void *domain, const char *text)
{
	(void)domain;
	return handle_of(text_ascii(text));
}

static void *register_unicode(const void *domain, const wchar_t *text)
{
	(void)domain;
	return handle_of(text_unicode(text));
}

static void *create_ascii(const char *name)
{
	return handle_of(text_ascii(name));
}

static void *create_unicode(const wchar_t *name)
{
	return handle_of(text_unicode(name));
}

/* --- how NVTX finds them ---------------------------------------------------------------------- */

static const struct {
	uint32_t module, number;
	nvtx_function function;
} functions[] = {
#define NVTX(module, number, function) { module, number, (nvtx_function)(function) },
#include "nvtx.def"
#undef NVTX
};

static void answer(const struct nvtx_callbacks *callbacks, size_t i)
{
	nvtx_function **table;
	unsigned int size;

	if (callbacks->module_table(functions[i].module, &table, &size) &&
	    functions[i].number < size && table[functions[i].number])
		*table[functions[i].number] = functions[i].function;
}

/*
 * A process that has the variable and not the preload, because it was started with a cleaned
 * environment, would load us for nothing: no launch passes by here.
 */
static bool is_preloaded(void)
{
	Dl_info self, first;

	return dladdr((void *)&answer, &self) && dladdr((void *)&dlsym, &first) &&
	       self.dli_fbase == first.dli_fbase;
}

/* For each copy of NVTX in the process.  0: no tool, the copy does nothing from then on. */
__attribute__((visibility("default"))) int InitializeInjectionNvtx2(nvtx_export_table export_table);
int InitializeInjectionNvtx2(nvtx_export_table export_table)
{
	const int saved = errno;
	const struct nvtx_callbacks *callbacks = export_table(NVTX_TABLE_CALLBACKS);
	bool is_answered = false;

	if (callbacks && callbacks->size >= sizeof(*callbacks) && is_preloaded() &&
	    life_expect_marks()) {
		for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
			answer(callbacks, i);
		is_answered = true;
	}
	errno = saved;
	return is_answered;
}

void nvtx_announce(void)
{
	Dl_info self;

	if (!getenv(VARIABLE) && dladdr((void *)&InitializeInjectionNvtx2, &self) && self.dli_fname)
		setenv(VARIABLE, self.dli_fname, 0);
}
