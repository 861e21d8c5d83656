// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "io/stream.h"

static void test_good(void **state)
{
	static const struct {
		const char *text;
		enum stream_kind kind;
		const char *first, *second; /* name or path; host and port */
	} rows[] = {
		{"backup", STREAM_PAIRED, "backup", NULL},
		{"a", STREAM_PAIRED, "a", NULL},
		{"A.b_c-9x", STREAM_PAIRED, "A.b_c-9x", NULL},
		{"...", STREAM_PAIRED, "...", NULL},
		{"-", STREAM_STDIO, NULL, NULL},
		{"--", STREAM_PAIRED, "--", NULL},
		{"/dev/tbstream0", STREAM_DEVICE, "/dev/tbstream0", NULL},
		{"unix:/run/x", STREAM_UNIX, "/run/x", NULL},
		{"unix:x y", STREAM_UNIX, "x y", NULL},
		{"tcp:192.0.2.7:9000", STREAM_TCP, "192.0.2.7", "9000"},
		{"tcp:localhost:1", STREAM_TCP, "localhost", "1"},
		{"tcp:[::1]:65535", STREAM_TCP, "::1", "65535"},
		{"tcp:[fe80::1%eth0]:80", STREAM_TCP, "fe80::1%eth0", "80"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stream_address address;
		char why[300];

		assert_int_equal(stream_parse(rows[i].text, &address, why, sizeof(why)), 0);
		assert_int_equal(address.kind, rows[i].kind);
		if (rows[i].second) {
			assert_string_equal(address.host, rows[i].first);
			assert_string_equal(address.port, rows[i].second);
		} else if (rows[i].first) {
			assert_string_equal(address.kind == STREAM_PAIRED ? address.name
									  : address.path,
					    rows[i].first);
		}
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *part; /* of the sentence */
	} rows[] = {
		{"", "cannot be a stream's name"},
		{".", "cannot be a stream's name"},
		{"..", "cannot be a stream's name"},
		{"ninechars", "9 characters: 8 are the most"},
		{"a b", "no stream"},
		{"a/b", "a path begins with /"},
		{"b\xc3\xa4r", "no stream"},
		{"udp:1:2", "no stream"},
		{"unix:", "needs the path"},
		{"tcp:", "is not tcp:"},
		{"tcp:host", "is not tcp:"},
		{"tcp::80", "is not tcp:"},
		{"tcp:[]:80", "is not tcp:"},
		{"tcp:[::1:80", "is not tcp:"},
		{"tcp:[::1]80", "is not tcp:"},
		{"tcp:::1:80", "in brackets"},
		{"tcp:h:", "no port"},
		{"tcp:h:0", "no port"},
		{"tcp:h:65536", "no port"},
		{"tcp:h:http", "no port"},
		{"tcp:h:80x", "no port"},
		{"tcp:h:-1", "no port"},
		{"tcp:h:000080", "no port"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stream_address address = {.kind = STREAM_STDIO};
		char why[300] = "";

		assert_int_equal(stream_parse(rows[i].text, &address, why, sizeof(why)), -EINVAL);
		if (!strstr(why, rows[i].part))
			print_error("'%s': '%s'\n", rows[i].text, why);
		assert_non_null(strstr(why, rows[i].part));
		/* Untouched on failure. */
		assert_int_equal(address.kind, STREAM_STDIO);
	}
}

static void test_long(void **state)
{
	struct stream_address address;
	char text[600], why[700];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	text[0] = '/';
	assert_int_equal(stream_parse(text, &address, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "too long"));
	text[108] = '\0';
	assert_int_equal(stream_parse(text, &address, why, sizeof(why)), -EINVAL);
	text[107] = '\0';
	assert_int_equal(stream_parse(text, &address, why, sizeof(why)), 0);
	assert_int_equal(strlen(address.path), 107);

	memset(text, '1', sizeof(text));
	memcpy(text, "tcp:", 4);
	strcpy(text + 4 + 256, ":80");
	assert_int_equal(stream_parse(text, &address, why, sizeof(why)), -EINVAL);
	strcpy(text + 4 + 255, ":80");
	assert_int_equal(stream_parse(text, &address, why, sizeof(why)), 0);
	/* A sentence that does not fit is cut. */
	assert_int_equal(stream_parse("a b", &address, why, 5), -EINVAL);
	assert_string_equal(why, "'a b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests_name("stream_parse", tests, NULL, NULL);
}
