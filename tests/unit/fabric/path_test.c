// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "path.h"

static void test_follows_entry(void **state)
{
	struct path_table table;
	struct path_hop hop;

	(void)state;
	path_init(&table, PATH_LANE_HOPS, PATH_CONTROL_CREDITS);
	assert_false(path_lookup(&table, 8, &hop));
	/* valid, 14 credits, out through adapter 3, next HopID 1 */
	assert_true(path_write(&table, 16, 0x80000000 | 14 << 17 | 3 << 11 | 1));
	assert_true(path_lookup(&table, 8, &hop));
	assert_int_equal(hop.out_adapter, 3);
	assert_int_equal(hop.next_hop, 1);
	assert_false(path_lookup(&table, 9, &hop));
	assert_true(path_write(&table, 16, 14 << 17 | 3 << 11 | 1));
	assert_false(path_lookup(&table, 8, &hop));
}

static void test_wide_fields(void **state)
{
	struct path_table table;
	struct path_hop hop;

	(void)state;
	path_init(&table, PATH_LANE_HOPS, 0);
	path_write(&table, 2 * 31, UINT32_MAX);
	assert_true(path_lookup(&table, 31, &hop));
	assert_int_equal(hop.out_adapter, 63);
	assert_int_equal(hop.next_hop, 2047);
}

static void test_pending_reads_zero(void **state)
{
	struct path_table table;
	uint32_t value;

	(void)state;
	path_init(&table, PATH_HOST_HOPS, 0);
	assert_true(path_write(&table, 3, UINT32_MAX));
	assert_true(path_read(&table, 3, &value));
	assert_int_equal(value, 0xefffffff);
}

static void test_control_credits(void **state)
{
	struct path_table table;
	uint32_t value;

	(void)state;
	path_init(&table, PATH_LANE_HOPS, 2);
	assert_true(path_read(&table, 0, &value));
	assert_int_equal(value >> 17 & 0x7f, 2);
}

static void test_outside(void **state)
{
	struct path_table table;
	struct path_hop hop;
	uint32_t value;

	(void)state;
	path_init(&table, PATH_HOST_HOPS, 0);
	assert_true(path_read(&table, 2 * PATH_HOST_HOPS - 1, &value));
	assert_false(path_read(&table, 2 * PATH_HOST_HOPS, &value));
	assert_false(path_write(&table, 2 * PATH_HOST_HOPS, 0));
	assert_false(path_write(&table, UINT32_MAX, 0));
	assert_false(path_lookup(&table, PATH_HOST_HOPS, &hop));
	assert_false(path_lookup(&table, UINT32_MAX, &hop));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follows_entry),
		cmocka_unit_test(test_wide_fields),
		cmocka_unit_test(test_pending_reads_zero),
		cmocka_unit_test(test_control_credits),
		cmocka_unit_test(test_outside),
	};

	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
