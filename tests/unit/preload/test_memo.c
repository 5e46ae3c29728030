/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "preload/memo.h"
#include "preload/sys.h"

static struct memo *new_memo(void)
{
	struct memo *m = sys_reserve(sizeof(*m));

	assert_non_null(m);
	return m;
}

static uint64_t hash(uint32_t i)
{
	return memo_mix(0x5bd1e995, i);
}

static void an_empty_memo_knows_nothing(void **state)
{
	struct memo *m = new_memo();

	(void)state;
	for (uint32_t i = 1; i < 1000; i++)
		assert_int_equal(memo_find(m, hash(i)), 0);
	sys_release(m, sizeof(*m));
}

static void what_was_added_is_found_in_any_order(void **state)
{
	struct memo *m = new_memo();

	(void)state;
	for (uint32_t i = 1; i <= 1000; i++)
		memo_add(m, hash(i), i);
	for (uint32_t round = 0; round < 3; round++)
		for (uint32_t i = 1; i <= 1000; i++)
			assert_int_equal(memo_find(m, hash(i * 7 % 1000 + 1)), i * 7 % 1000 + 1);
	sys_release(m, sizeof(*m));
}

/* Launches repeat themselves: then the table is not even looked at. */
static void what_came_after_it_the_last_time_is_found_without_the_table(void **state)
{
	struct memo *m = new_memo();

	(void)state;
	for (uint32_t i = 1; i <= 10; i++)
		memo_add(m, hash(i), i);
	for (uint32_t i = 0; i < 30; i++)
		memo_find(m, hash(i % 10 + 1));
	for (uint32_t i = 0; i < MEMO_ENTRIES; i++)
		m->entries[i] = (struct memo_entry){ .hash = 0 };
	for (uint32_t i = 0; i < 30; i++)
		assert_int_equal(memo_find(m, hash(i % 10 + 1)), i % 10 + 1);
	assert_int_equal(memo_find(m, hash(5)), 0);
	sys_release(m, sizeof(*m));
}

static void a_full_memo_forgets_and_never_invents(void **state)
{
	struct memo *m = new_memo();
	uint32_t known = 0;

	(void)state;
	for (uint32_t i = 1; i <= 4 * MEMO_ENTRIES; i++) {
		memo_add(m, hash(i), i);
		assert_int_equal(memo_find(m, hash(i)), i);
	}
	for (uint32_t i = 1; i <= 4 * MEMO_ENTRIES; i++) {
		const uint32_t id = memo_find(m, hash(i));

		assert_true(!id || id == i);
		known += id != 0;
	}
	assert_in_range(known, MEMO_ENTRIES / 2, MEMO_ENTRIES + MEMO_NEXT);
	sys_release(m, sizeof(*m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_memo_knows_nothing),
		cmocka_unit_test(what_was_added_is_found_in_any_order),
		cmocka_unit_test(what_came_after_it_the_last_time_is_found_without_the_table),
		cmocka_unit_test(a_full_memo_forgets_and_never_invents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
