// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ui/table.h"

/* COLUMNS of CELLS, which NULL ends, as they are printed; free() it. */
static char *printed(size_t columns, size_t right, int indent, const char *const *cells)
{
	struct table *table = table_new(columns, right);
	size_t len;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(table);
	assert_non_null(out);
	for (; *cells; cells++)
		table_add(table, *cells);
	table_print(table, out, indent);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void print_is(size_t columns, size_t right, int indent, const char *const *cells,
		     const char *expected)
{
	char *text = printed(columns, right, indent, cells);

	assert_string_equal(text, expected);
	free(text);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
	static const char *const cells[] = {"Nr",	   "Size", "Name", "Label", "1",
					    "4.0 MiB",	   "EFI",  "",	   "12",    "1 GiB",
					    "a long name", "root", NULL};

	(void)state;
	print_is(4, 2, 0, cells,
		 "Nr     Size  Name         Label\n"
		 " 1  4.0 MiB  EFI\n"
		 "12    1 GiB  a long name  root\n");
	print_is(4, 2, 3, cells,
		 "   Nr     Size  Name         Label\n"
		 "    1  4.0 MiB  EFI\n"
		 "   12    1 GiB  a long name  root\n");
}

static void columns_of_nothing_are_left_out(void **state)
{
	static const char *const cells[] = {"A", "B", "C", "1", "", "3", "4", "", "", NULL};
	static const char *const first[] = {"A", "B", "", "2", NULL};
	static const char *const heading[] = {"A", "B", NULL};

	(void)state;
	print_is(3, 0, 0, cells, "A  C\n1  3\n4\n");
	print_is(2, 2, 0, first, "B\n2\n");
	print_is(2, 0, 0, heading, "\n");
}

/* A character of several bytes is one column wide. */
static void width_is_that_of_characters(void **state)
{
	static const char *const cells[] = {"A", "B", "\303\234ber", "x", "four5", "y", NULL};

	(void)state;
	print_is(2, 0, 0, cells, "A      B\n\303\234ber   x\nfour5  y\n");
}

static void control_characters_do_not_get_through(void **state)
{
	static const char *const cells[] = {
		"A", "B", "\033[2J\a\r\n\t", "\177\302\233", "\377\300", "\302\205", NULL};

	(void)state;
	print_is(2, 0, 0, cells, "A         B\n?[2J????  ???\n??        ??\n");
}

/* One hostile cell makes no row longer than a terminal's few lines. */
static void long_cells_are_cut(void **state)
{
	size_t len = 1 << 20;
	char *huge = malloc(len + 1);
	const char *cells[] = {"A", "B", huge, "x", "y", "z", NULL};
	char *text;

	(void)state;
	assert_non_null(huge);
	memset(huge, 'h', len);
	huge[len] = '\0';
	text = printed(2, 0, 0, cells);
	assert_in_range(strlen(text), 500, 1000);
	free(text);
	/* Not in the midst of a character. */
	for (size_t i = 0; i < len; i += 2)
		memcpy(huge + i, "\303\234", 2);
	huge[0] = 'h';
	huge[1] = 'h';
	memmove(huge + 1, huge + 2, len - 1);
	text = printed(2, 0, 0, cells);
	assert_null(strchr(text, '?'));
	free(text);
	free(huge);
}

static void nothing_is_fine(void **state)
{
	static const char *const none[] = {NULL};
	static const char *const part[] = {"A", "B", "1", NULL};

	(void)state;
	print_is(2, 0, 0, none, "");
	/* A row that is not whole is not printed. */
	print_is(2, 0, 0, part, "A\n");
	table_add(NULL, "x");
	table_print(NULL, stdout, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(columns_of_nothing_are_left_out),
		cmocka_unit_test(width_is_that_of_characters),
		cmocka_unit_test(control_characters_do_not_get_through),
		cmocka_unit_test(long_cells_are_cut),
		cmocka_unit_test(nothing_is_fine),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
