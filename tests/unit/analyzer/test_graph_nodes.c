/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes of graphs that come and go: what is in use stays, what is not is settled and forgotten. */
#include "analyzer/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { CAPTURED = 1, CLONE = 2, CLONE_OF_CLONE = 3, OTHERS = 1000 };

struct fixture {
	struct names *names;
	struct classifier *classifier;
	struct works *works;
	struct model model;
};

static int set_up(void **state)
{
	static struct fixture f;

	f.names = names_new();
	f.classifier = classifier_new();
	f.works = works_new(f.names, f.classifier);
	*state = &f;
	return model_init(&f.model, f.names, f.works);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	model_clear(&f->model);
	works_free(f->works);
	classifier_free(f->classifier);
	names_free(f->names);
	return 0;
}

/* Until there are as many as make it worth while; the number of the first. */
static uint64_t add_many(struct model *m)
{
	static uint64_t next = OTHERS;
	const uint64_t first = next;

	while (!model_has_many_nodes(m))
		assert_non_null(model_node(m, next++));
	return first;
}

static void chain(struct model *m)
{
	model_node(m, CAPTURED)->site = 7;
	model_node(m, CLONE)->origin = CAPTURED;
	model_node(m, CLONE_OF_CLONE)->origin = CLONE;
}

static int settle(const struct graph_node *node, void *of)
{
	*(uint64_t *)of += node->nr_rows;
	return 0;
}

static void what_is_asked_for_stays_and_knows_its_creator(void **state)
{
	struct model *const m = &((struct fixture *)*state)->model;
	uint64_t settled = 0;

	chain(m);
	add_many(m);
	assert_int_equal(model_forget_nodes(m, settle, &settled), 0);
	for (int i = 0; i < 3; i++) {
		model_node(m, CLONE_OF_CLONE)->nr_rows++;
		add_many(m);
		assert_int_equal(model_forget_nodes(m, settle, &settled), 0);
	}
	assert_int_equal(settled, 0);
	assert_int_equal(model_node(m, CLONE_OF_CLONE)->nr_rows, 3);
	assert_int_equal(model_node_creator(m, model_node(m, CLONE_OF_CLONE)), 7);
}

static void what_nobody_asks_for_is_settled_once_and_gone(void **state)
{
	struct model *const m = &((struct fixture *)*state)->model;
	uint64_t settled = 0, first;

	first = add_many(m);
	model_node(m, first)->nr_rows = 5;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(model_forget_nodes(m, settle, &settled), 0);
		add_many(m);
	}
	assert_int_equal(settled, 5);
	assert_int_equal(model_node(m, first)->nr_rows, 0);
}

static void their_number_is_bounded_however_many_come(void **state)
{
	struct model *const m = &((struct fixture *)*state)->model;
	uint64_t settled = 0;
	size_t most = 0;

	for (int i = 0; i < 6; i++) {
		add_many(m);
		most = m->nodes.nr > most ? m->nodes.nr : most;
		assert_int_equal(model_forget_nodes(m, settle, &settled), 0);
	}
	assert_true(most <= 3u << 19);
	assert_int_equal(m->problems[PROBLEM_too_many], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_asked_for_stays_and_knows_its_creator,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_nobody_asks_for_is_settled_once_and_gone,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(their_number_is_bounded_however_many_come, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
