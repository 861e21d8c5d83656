// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include <cmocka.h>

#include "used/spare.h"

#define KIB	 1024ull
#define SIZE	 (1ull << 40)
#define DISTANCE (1ull << 24) /* between the ranges of a long list */

static int setup(void **state)
{
	*state = spare_new(SIZE);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	spare_free(*state);
	return 0;
}

static void expect(const struct spare *spare, size_t count, const uint64_t (*ranges)[2])
{
	struct spare_range range = {0};
	uint64_t bytes = 0;

	assert_int_equal(spare_count(spare), count);
	for (size_t i = 0; i < count; i++) {
		assert_true(spare_next(spare, range.end, &range));
		assert_int_equal(range.start, ranges[i][0]);
		assert_int_equal(range.end, ranges[i][1]);
		bytes += range.end - range.start;
	}
	assert_false(spare_next(spare, range.end, &range));
	assert_int_equal(spare_bytes(spare), bytes);
}

static void spare_sorts_and_joins(void **state)
{
	static const uint64_t ranges[][2] = {{0, 96 * KIB}, {200 * KIB, 264 * KIB}};
	struct spare *spare = *state;

	assert_int_equal(spare_add(spare, 200 * KIB, 32 * KIB), 0);
	/* Goes on where the last one ended. */
	assert_int_equal(spare_add(spare, 232 * KIB, 8 * KIB), 0);
	assert_int_equal(spare_add(spare, 32 * KIB, 64 * KIB), 0);
	assert_int_equal(spare_add(spare, 240 * KIB, 24 * KIB), 0);
	assert_int_equal(spare_add(spare, 0, 32 * KIB), 0);
	assert_int_equal(spare_finish(spare), 0);
	expect(spare, 2, ranges);
}

/* What is short is not worth an entry, unless it becomes long in pieces. */
static void spare_forgets_what_is_short(void **state)
{
	static const uint64_t ranges[][2] = {{1000 * KIB, 1016 * KIB}};
	struct spare *spare = *state;

	assert_int_equal(spare_add(spare, 0, SPARE_LEAST - 1), 0);
	for (int i = 0; i < 16; i++)
		assert_int_equal(spare_add(spare, (1000 + i) * KIB, KIB), 0);
	assert_int_equal(spare_add(spare, 2000 * KIB, 15 * KIB), 0);
	assert_int_equal(spare_add(spare, 3000 * KIB, 0), 0);
	assert_int_equal(spare_finish(spare), 0);
	expect(spare, 1, ranges);
}

static void spare_is_within_its_area(void **state)
{
	static const uint64_t ranges[][2] = {{SIZE - SPARE_LEAST, SIZE}};
	struct spare *spare = *state;

	assert_int_equal(spare_add(spare, SIZE - SPARE_LEAST, SPARE_LEAST + 1), -EUCLEAN);
	assert_int_equal(spare_add(spare, SIZE + 1, 0), -EUCLEAN);
	assert_int_equal(spare_add(spare, UINT64_MAX, 2), -EUCLEAN);
	assert_int_equal(spare_add(spare, SIZE - SPARE_LEAST, SPARE_LEAST), 0);
	assert_int_equal(spare_finish(spare), 0);
	expect(spare, 1, ranges);
}

static void spare_refuses_what_is_counted_twice(void **state)
{
	struct spare *spare = *state;

	assert_int_equal(spare_add(spare, 100 * KIB, 64 * KIB), 0);
	assert_int_equal(spare_add(spare, 50 * KIB, 51 * KIB), 0);
	assert_int_equal(spare_finish(spare), -EUCLEAN);
}

/* Of too many ranges the longest stay: every 64th here. */
static void spare_is_bounded(void **state)
{
	struct spare *spare = *state;
	struct spare_range range = {0};
	size_t longs = 0;

	for (uint64_t i = 0; i < 2 * SPARE_RANGES_MOST; i++)
		assert_int_equal(
			spare_add(spare, i * DISTANCE, i % 64 ? SPARE_LEAST + i % 64 : 1024 * KIB),
			0);
	assert_int_equal(spare_finish(spare), 0);
	assert_true(spare_count(spare) <= SPARE_RANGES_MOST);
	while (spare_next(spare, range.end, &range))
		longs += range.end - range.start == 1024 * KIB;
	assert_int_equal(longs, 2 * SPARE_RANGES_MOST / 64);
}

static void spare_finds_the_next_one(void **state)
{
	struct spare *spare = *state;
	struct spare_range range;

	assert_false(spare_next(spare, 0, &range));
	for (uint64_t i = 1; i < 100; i++)
		assert_int_equal(spare_add(spare, i * DISTANCE, SPARE_LEAST), 0);
	assert_int_equal(spare_finish(spare), 0);
	for (uint64_t i = 1; i < 100; i++) {
		assert_true(spare_next(spare, i * DISTANCE - 1, &range));
		assert_int_equal(range.start, i * DISTANCE);
		assert_true(spare_next(spare, i * DISTANCE + SPARE_LEAST - 1, &range));
		assert_int_equal(range.start, i * DISTANCE);
		assert_int_equal(spare_next(spare, i * DISTANCE + SPARE_LEAST, &range), i < 99);
	}
}

static void spare_merges_further_on(void **state)
{
	static const uint64_t ranges[][2] = {{0, 64 * KIB}, {1064 * KIB, 1128 * KIB}};
	struct spare *spare = *state, *part = spare_new(1000 * KIB);

	assert_non_null(part);
	assert_int_equal(spare_add(part, 64 * KIB, 64 * KIB), 0);
	assert_int_equal(spare_finish(part), 0);
	assert_int_equal(spare_merge(spare, part, 1000 * KIB), 0);
	assert_int_equal(spare_add(spare, 0, 64 * KIB), 0);
	assert_int_equal(spare_merge(spare, part, SIZE - 100 * KIB), -EUCLEAN);
	assert_int_equal(spare_merge(spare, part, UINT64_MAX), -EUCLEAN);
	assert_int_equal(spare_finish(spare), 0);
	expect(spare, 2, ranges);
	spare_free(part);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(spare_sorts_and_joins, setup, teardown),
		cmocka_unit_test_setup_teardown(spare_forgets_what_is_short, setup, teardown),
		cmocka_unit_test_setup_teardown(spare_is_within_its_area, setup, teardown),
		cmocka_unit_test_setup_teardown(spare_refuses_what_is_counted_twice, setup,
						teardown),
		cmocka_unit_test_setup_teardown(spare_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(spare_finds_the_next_one, setup, teardown),
		cmocka_unit_test_setup_teardown(spare_merges_further_on, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
