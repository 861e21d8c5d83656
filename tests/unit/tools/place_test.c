// SPDX-License-Identifier: GPL-2.0-or-later
/* Where IMAGE:PART:/path is split, with names that have colons of their own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "look/place.h"

static const char *const *there; /* the files that exist */

static bool exists(const char *path)
{
	for (size_t i = 0; there[i]; i++)
		if (!strcmp(there[i], path))
			return true;
	return false;
}

struct split_case {
	const char *text, *image;
	enum place_part part;
	uint64_t number;
	const char *path;
};

static void check(const struct split_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct place place;

		assert_int_equal(place_split(cases[i].text, exists, &place), 0);
		assert_string_equal(place.image, cases[i].image);
		assert_int_equal(place.part, cases[i].part);
		if (place.part == PLACE_PARTITION)
			assert_int_equal(place.number, cases[i].number);
		assert_string_equal(place.path, cases[i].path);
		place_clear(&place);
	}
}

#define COUNT(cases) (sizeof(cases) / sizeof(*(cases)))

static void place_test_plain(void **state)
{
	static const struct split_case cases[] = {
		{"a.zst", "a.zst", PLACE_NONE, 0, "/"},
		{"a.zst:", "a.zst", PLACE_DISK, 0, "/"},
		{"a.zst::", "a.zst", PLACE_DISK, 0, "/"},
		{"a.zst::/x", "a.zst", PLACE_DISK, 0, "/x"},
		{"a.zst:disk", "a.zst", PLACE_DISK, 0, "/"},
		{"a.zst:disk:/x", "a.zst", PLACE_DISK, 0, "/x"},
		{"a.zst:2", "a.zst", PLACE_PARTITION, 2, "/"},
		{"a.zst:2:", "a.zst", PLACE_PARTITION, 2, "/"},
		{"a.zst:12:/x", "a.zst", PLACE_PARTITION, 12, "/x"},
		{"a.zst:2:x/y", "a.zst", PLACE_PARTITION, 2, "x/y"},
		{"a.zst:2:/x:3:/y", "a.zst", PLACE_PARTITION, 2, "/x:3:/y"},
	};
	static const char *const files[] = {"a.zst", NULL};

	(void)state;
	there = files;
	check(cases, COUNT(cases));
	/* The same where nothing exists: the sentence names the file that is missing. */
	there = files + 1;
	check(cases, COUNT(cases));
}

static void place_test_colons(void **state)
{
	static const struct split_case cases[] = {
		{"2026:11:27.zst", "2026:11:27.zst", PLACE_NONE, 0, "/"},
		{"2026:11:27.zst:2:/x", "2026:11:27.zst", PLACE_PARTITION, 2, "/x"},
		{"2026:11", "2026", PLACE_PARTITION, 11, "/"},
		{"b:disk:1:/x", "b:disk", PLACE_PARTITION, 1, "/x"},
		{"whole:2", "whole:2", PLACE_NONE, 0, "/"},
		{"d:e:2:/x:4", "d:e", PLACE_PARTITION, 2, "/x:4"},
	};
	static const char *const files[] = {"2026:11:27.zst", "2026", "b:disk", "whole",
					    "whole:2",	      "d",    "d:e",	NULL};

	(void)state;
	there = files + 1;
	check(cases + 2, COUNT(cases) - 2);
	static const char *const one[] = {"2026:11:27.zst", NULL};

	there = one;
	check(cases, 2);
}

static void place_test_wrong(void **state)
{
	static const char *const texts[] = {"a:two:/x", "a:2/x",	 "a:-1",
					    "a:0x2:/",	"a:12345678901", "a:disk2:/"};
	static const char *const files[] = {"a", NULL};
	struct place place;

	(void)state;
	there = files;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(place_split(texts[i], exists, &place), -EINVAL);
		assert_string_equal(place.image, "a");
		place_clear(&place);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(place_test_plain),
		cmocka_unit_test(place_test_colons),
		cmocka_unit_test(place_test_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
