/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs by correlation id: either order, reuse after 2^32, graphs, memory limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/correlate.h"

static struct correlator *c;
static struct correlation result;

/* The device template that a host call meets. */
static uint32_t host(struct correlator *of, uint32_t id, enum host_class class, uint32_t number)
{
	struct correlated met;

	correlate_host(of, id, class, number, &met);
	return met.device;
}

static int set_up(void **state)
{
	(void)state;
	c = correlator_new();
	return c ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	correlator_free(c);
	return 0;
}

static void launch_and_record_meet_in_either_order(void **state)
{
	(void)state;
	assert_int_equal(host(c, 7, HOST_LAUNCH, 11), 0);
	assert_int_equal(correlate_device(c, 7, DEVICE_KERNEL, 22, 1), 11);
	assert_int_equal(correlate_device(c, 8, DEVICE_KERNEL, 33, 1), 0);
	assert_int_equal(host(c, 8, HOST_LAUNCH, 44), 33);
	correlator_finish(c, &result);
	assert_int_equal(result.matched, 2);
	assert_int_equal(result.launches_without_record, 0);
	assert_int_equal(result.kernels_without_launch, 0);
}

static void what_has_no_partner_is_counted(void **state)
{
	(void)state;
	host(c, 1, HOST_LAUNCH, 1);
	correlate_device(c, 2, DEVICE_KERNEL, 1, 1);
	host(c, 3, HOST_GRAPH, 1);
	correlate_device(c, 4, DEVICE_NODE, 1, 1);
	correlate_device(c, 4, DEVICE_NODE, 1, 1);
	host(c, 5, HOST_COPY, 1);
	correlate_device(c, 6, DEVICE_COPY, 1, 1);
	correlator_finish(c, &result);
	assert_int_equal(result.launches_without_record, 1);
	assert_int_equal(result.kernels_without_launch, 1);
	assert_int_equal(result.graphs_without_record, 1);
	assert_int_equal(result.nodes_without_launch, 2);
	assert_int_equal(result.copies_without_record, 1);
	assert_int_equal(result.copies_without_call, 1);
}

static void an_id_of_zero_joins_nothing(void **state)
{
	(void)state;
	assert_int_equal(host(c, 0, HOST_LAUNCH, 1), 0);
	assert_int_equal(correlate_device(c, 0, DEVICE_KERNEL, 1, 1), 0);
	correlator_finish(c, &result);
	assert_int_equal(result.matched, 0);
	assert_int_equal(result.launches_without_record, 1);
	assert_int_equal(result.kernels_without_launch, 1);
}

static void a_graph_launch_takes_any_number_of_nodes(void **state)
{
	(void)state;
	correlate_device(c, 9, DEVICE_NODE, 5, 1);
	host(c, 9, HOST_GRAPH, 1);
	for (int i = 0; i < 100; i++)
		assert_int_equal(correlate_device(c, 9, DEVICE_NODE, 5, 1), 0);
	correlator_finish(c, &result);
	assert_int_equal(result.nodes_without_launch, 0);
	assert_int_equal(result.graphs_without_record, 0);
}

static void a_copy_is_not_the_record_of_a_launch(void **state)
{
	(void)state;
	host(c, 7, HOST_LAUNCH, 1);
	correlate_device(c, 7, DEVICE_COPY, 1, 1);
	host(c, 8, HOST_LAUNCH, 1);
	correlate_device(c, 8, DEVICE_COPY, 1, 1);
	assert_int_equal(correlate_device(c, 8, DEVICE_KERNEL, 1, 1), 1);
	correlator_finish(c, &result);
	assert_int_equal(result.matched, 1);
	assert_int_equal(result.launches_without_record, 1);
}

static void a_second_record_of_a_launch_has_no_partner(void **state)
{
	(void)state;
	host(c, 7, HOST_LAUNCH, 1);
	correlate_device(c, 7, DEVICE_KERNEL, 1, 1);
	correlate_device(c, 7, DEVICE_KERNEL, 1, 1);
	correlator_finish(c, &result);
	assert_int_equal(result.matched, 1);
	assert_int_equal(result.kernels_without_launch, 1);
}

static void ids_that_wrap_pair_with_the_new_launch(void **state)
{
	uint32_t id = UINT32_MAX - 1000;

	(void)state;
	host(c, 5, HOST_LAUNCH, 99); /* of the round before; its record was lost */
	for (int i = 0; i < 2000; i++, id += id == UINT32_MAX ? 2 : 1)
		host(c, id, HOST_LAUNCH, 1 + (uint32_t)i);
	id = UINT32_MAX - 1000;
	for (int i = 0; i < 2000; i++, id += id == UINT32_MAX ? 2 : 1)
		assert_int_equal(correlate_device(c, id, DEVICE_KERNEL, 7, 1), 1 + i);
	correlator_finish(c, &result);
	assert_int_equal(result.matched, 2000);
	assert_int_equal(result.launches_without_record, 1);
}

static bool is_seven(void *context, uint32_t number)
{
	assert_ptr_equal(context, &result);
	return number == 7;
}

static void a_graph_launch_whose_kernels_are_in_bodies_misses_no_record(void **state)
{
	(void)state;
	correlator_ask_bodies(c, is_seven, &result);
	host(c, 1, HOST_GRAPH, 7);
	host(c, 2, HOST_GRAPH, 8);
	correlate_body(c);
	correlate_body(c);
	correlator_finish(c, &result);
	assert_int_equal(result.graphs_without_record, 1);
	assert_int_equal(result.nodes_of_bodies, 2);
	assert_int_equal(result.nodes_without_launch, 0);
}

static void hostile_ids_do_not_take_all_memory(void **state)
{
	uint64_t counted;

	(void)state;
	for (uint32_t i = 1; i <= 200000; i++)
		host(c, i * 20011u, HOST_LAUNCH, 1);
	correlator_finish(c, &result);
	assert_true(result.gave_up > 0);
	counted = result.launches_without_record;
	assert_int_equal(counted, 200000);
}

static void everything_meets_when_much_is_in_flight(void **state)
{
	enum { N = 3000000 };

	(void)state;
	for (uint32_t i = 1; i <= N; i++)
		host(c, i, HOST_LAUNCH, i);
	for (uint32_t i = 1; i <= N; i++)
		assert_int_equal(correlate_device(c, i, DEVICE_KERNEL, 1, 1), i);
	correlator_finish(c, &result);
	assert_int_equal(result.matched, N);
	assert_int_equal(result.gave_up, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(launch_and_record_meet_in_either_order),
		TEST(what_has_no_partner_is_counted),
		TEST(an_id_of_zero_joins_nothing),
		TEST(a_graph_launch_takes_any_number_of_nodes),
		TEST(a_copy_is_not_the_record_of_a_launch),
		TEST(a_second_record_of_a_launch_has_no_partner),
		TEST(ids_that_wrap_pair_with_the_new_launch),
		TEST(a_graph_launch_whose_kernels_are_in_bodies_misses_no_record),
		TEST(hostile_ids_do_not_take_all_memory),
		TEST(everything_meets_when_much_is_in_flight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
