// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ui/meter.h"

#define MB 1000000u

static void no_time_is_no_rate(void **state)
{
	struct meter meter;

	(void)state;
	meter_start(&meter, 0, 0);
	assert_int_equal(meter_rate(&meter), 0);
	assert_int_equal(meter_remaining(&meter, 100), -1);
	meter_add(&meter, 0, 50);
	assert_int_equal(meter_rate(&meter), 0);
	assert_int_equal(meter_average(&meter), 0);
	assert_int_equal(meter_remaining(&meter, 100), -1);
	assert_int_equal(meter_remaining(&meter, 50), 0);
	assert_int_equal(meter_remaining(&meter, 0), -1);
	assert_int_equal(meter_elapsed(&meter), 0);
}

/* Called ever so often, as it is. */
static int64_t run(struct meter *meter, int64_t from, double seconds, uint64_t done, uint64_t rate)
{
	int64_t time = 0;

	for (; time < (int64_t)(seconds * METER_SECOND); time += METER_SECOND / 100)
		meter_add(meter, from + time, done + rate * (uint64_t)time / METER_SECOND);
	return from + time;
}

static void the_window_follows_the_average_stays(void **state)
{
	struct meter meter;
	int64_t now;

	(void)state;
	meter_start(&meter, 7, 0);
	now = run(&meter, 7, 20, 0, 100 * MB);
	assert_in_range(meter_rate(&meter), 99 * MB, 101 * MB);
	assert_in_range(meter_remaining(&meter, 3000 * (uint64_t)MB), 10, 11);
	now = run(&meter, now, 10, 2000 * (uint64_t)MB, 10 * MB);
	assert_in_range(meter_rate(&meter), 9 * MB, 11 * MB);
	assert_in_range(meter_average(&meter), 69 * MB, 71 * MB);
	/* A stall shows, and no forecast is made of it. */
	now = run(&meter, now, 6, 2100 * (uint64_t)MB, 0);
	assert_int_equal(meter_rate(&meter), 0);
	assert_int_equal(meter_remaining(&meter, 3000 * (uint64_t)MB), -1);
	assert_in_range(meter_elapsed(&meter), 35 * METER_SECOND, 36 * METER_SECOND);
}

static void what_was_there_before_is_not_counted(void **state)
{
	struct meter meter;

	(void)state;
	meter_start(&meter, 0, 1000 * (uint64_t)MB);
	run(&meter, 0, 2, 1000 * (uint64_t)MB, 50 * MB);
	assert_in_range(meter_rate(&meter), 49 * MB, 51 * MB);
	assert_in_range(meter_average(&meter), 49 * MB, 51 * MB);
}

static void a_rewind_is_no_negative_rate(void **state)
{
	struct meter meter;
	int64_t now;

	(void)state;
	meter_start(&meter, 0, 500);
	now = run(&meter, 0, 3, 500, 100 * MB);
	meter_add(&meter, now, 100);
	assert_int_equal(meter_rate(&meter), 0);
	assert_int_equal(meter_average(&meter), 0);
	run(&meter, now, 3, 100, 10 * MB);
	assert_in_range(meter_rate(&meter), 9 * MB, 11 * MB);
}

static void updates_may_be_rare(void **state)
{
	struct meter meter;

	(void)state;
	meter_start(&meter, 0, 0);
	for (int64_t i = 1; i < 100; i++) {
		meter_add(&meter, i * 60 * METER_SECOND, (uint64_t)i * 60 * MB);
		assert_int_equal(meter_rate(&meter), MB);
	}
}

static void the_largest_numbers_fit(void **state)
{
	struct meter meter;

	(void)state;
	meter_start(&meter, 0, 0);
	meter_add(&meter, METER_SECOND, UINT64_MAX / 2);
	assert_true(meter_rate(&meter) > UINT64_MAX / 3);
	assert_in_range(meter_remaining(&meter, UINT64_MAX), 1, 2);
	meter_start(&meter, 0, 0);
	meter_add(&meter, METER_SECOND, 1);
	assert_int_equal(meter_remaining(&meter, UINT64_MAX), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_time_is_no_rate),
		cmocka_unit_test(the_window_follows_the_average_stays),
		cmocka_unit_test(what_was_there_before_is_not_counted),
		cmocka_unit_test(a_rewind_is_no_negative_rate),
		cmocka_unit_test(updates_may_be_rare),
		cmocka_unit_test(the_largest_numbers_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
