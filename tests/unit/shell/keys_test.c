// SPDX-License-Identifier: GPL-2.0-or-later
/* The detach key, however what is typed is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shell/keys.h"

/* What of TYPED comes through, in pieces of PIECE bytes, and whether it leaves. */
static void keys_expect(const char *typed, size_t piece, const char *wanted, bool leaves)
{
	size_t len = strlen(typed), got = 0;
	struct keys keys = {0};
	bool detach = false;
	char out[64] = "";

	for (size_t at = 0; at < len && !detach; at += piece) {
		size_t n = len - at < piece ? len - at : piece;
		uint8_t *in = malloc(n), *passed = malloc(n + 1);
		size_t count;

		assert_non_null(in);
		assert_non_null(passed);
		memcpy(in, typed + at, n);
		count = keys_pass(&keys, in, n, passed, &detach);
		assert_true(count <= n + 1);
		memcpy(out + got, passed, count);
		got += count;
		free(in);
		free(passed);
	}
	out[got] = '\0';
	if (strcmp(out, wanted) != 0 || detach != leaves)
		print_error("'%s' in pieces of %zu\n", typed, piece);
	assert_string_equal(out, wanted);
	assert_int_equal(detach, leaves);
}

static void keys_are_passed_or_leave(void **state)
{
	static const struct {
		const char *typed, *passed;
		bool leaves;
	} cases[] = {
		{"ls -l\r", "ls -l\r", false},
		{"\003\004\032\021\023", "\003\004\032\021\023", false},
		{"\035.", "", true},
		{"ls\035.rm", "ls", true},
		{"a.b~.\r~.", "a.b~.\r~.", false},
		{"\035\035", "\035", false},
		{"\035\035.", "\035.", false},
		{"\035\035\035.", "\035", true},
		{"\035x", "\035x", false},
		{"\035x\035.", "\035x", true},
		{"x\035", "x", false},
		{"\035\r.", "\035\r.", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t piece = 1; piece <= 4; piece++)
			keys_expect(cases[i].typed, piece, cases[i].passed, cases[i].leaves);
}

static void every_other_byte_passes(void **state)
{
	struct keys keys = {0};
	uint8_t in[256], out[257];
	bool detach;
	size_t n = 0;

	(void)state;
	for (int byte = 0; byte < 256; byte++)
		if (byte != 0x1d)
			in[n++] = (uint8_t)byte;
	assert_int_equal(keys_pass(&keys, in, n, out, &detach), n);
	assert_memory_equal(in, out, n);
	assert_false(detach);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_passed_or_leave),
		cmocka_unit_test(every_other_byte_passes),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
