// SPDX-License-Identifier: GPL-2.0-or-later
/* The bottleneck in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ui/limit.h"

static void test_text(void **state)
{
	struct limit limits[] = {{"disk", 70}, {"CPU", 220}, {"cable", 710}, {"target", 0}};
	char text[LIMIT_TEXT];

	(void)state;
	assert_string_equal(limit_text(limits, 4, text), "cable 71 %, CPU 22 %, disk 7 %");
	assert_string_equal(limits[0].name, "cable");
}

static void test_little(void **state)
{
	struct limit limits[] = {{"disk", 4}, {"CPU", 991}, {"cable", 5}};
	char text[LIMIT_TEXT];

	(void)state;
	assert_string_equal(limit_text(limits, 3, text), "CPU 99 %, cable 1 %");
}

static void test_none(void **state)
{
	struct limit limits[] = {{"disk", 0}, {"CPU", -5}};
	struct limit most[] = {{"disk", INT64_MAX / 2}, {"CPU", INT64_MAX / 2}, {"cable", -1}};
	char text[LIMIT_TEXT];

	(void)state;
	assert_string_equal(limit_text(limits, 2, text), "");
	assert_string_equal(limit_text(limits, 0, text), "");
	limit_text(most, 3, text);
	assert_non_null(strstr(text, "disk 50 %"));
	assert_non_null(strstr(text, "CPU 50 %"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_little),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
