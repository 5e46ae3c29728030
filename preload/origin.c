/* SPDX-License-Identifier: Apache-2.0 */
#include "origin.h"

#include <errno.h>

#include "log.h"
#include "options.h"
#include "python.h"
#include "python_path.h"
#include "stack.h"

static bool is_native, is_python;
/* Of whichever thread had one last: autograd's own threads launch for what Python began. */
static _Atomic uint32_t last_path;

void origin_start(void)
{
	is_python = options.stacks == STACKS_PYTHON || options.stacks == STACKS_BOTH;
	is_native = options.stacks == STACKS_NATIVE || options.stacks == STACKS_BOTH;
	if (is_python)
		python_find();
	if (is_native && !stack_start()) {
		is_native = false;
		log_line("no native stacks: cannot load libunwind.so.8");
	}
}

void origin_look_again(void)
{
	if (is_python)
		python_find();
}

void origin_expect(const struct thread *t)
{
	if (is_python)
		python_path_expect(t);
}

static void add_path(struct thread *t, struct template_content *c)
{
	const uint32_t last = atomic_load_explicit(&last_path, memory_order_relaxed);

	c->path = python_path(t);
	if (likely(c->path)) {
		/* Written only when it changes: threads that launch at once share the line. */
		if (c->path != last)
			atomic_store_explicit(&last_path, c->path, memory_order_relaxed);
	} else if (last) {
		c->path = last;
		c->flags |= TTI_TEMPLATE_PATH_INHERITED;
		counter_add(&t->counters, TTI_COUNTER_PATHS_INHERITED, 1);
	}
}

void origin_add(struct thread *t, struct template_content *c)
{
	int saved;

	if (!is_python && !is_native)
		return;
	saved = errno;
	/* A signal handler that launches meanwhile finds us busy and passes through. */
	tls.is_ours++;
	if (is_python)
		add_path(t, c);
	if (is_native)
		c->stack = stack_id(t);
	tls.is_ours--;
	errno = saved;
}
