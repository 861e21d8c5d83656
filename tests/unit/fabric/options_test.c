// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

static struct options options;
static char error[OPTIONS_ERROR_MAX];

/* Parses words that are separated by spaces. */
static int parse(const char *line)
{
	static char words[1024];
	char *argv[64] = {"fabric"}, *rest = words;
	int argc = 1;

	snprintf(words, sizeof(words), "%s", line);
	while (rest && *rest)
		argv[argc++] = strsep(&rest, " ");
	error[0] = '\0';
	return options_parse(&options, argc, argv, error);
}

static void test_hosts_and_cables(void **state)
{
	(void)state;
	assert_int_equal(parse("--seed 7 --control c --host a=x/a.sock --host b=b.sock,lanes=2 "
			       "--host c=c.sock --cable a:b --cable b:c,unplugged"),
			 0);
	assert_int_equal(options.seed, 7);
	assert_string_equal(options.control, "c");
	assert_int_equal(options.host_count, 3);
	assert_string_equal(options.hosts[0].path, "x/a.sock");
	assert_int_equal(options.hosts[0].lanes, 1);
	assert_int_equal(options.hosts[1].lanes, 2);
	assert_int_equal(options.hosts[1].ports, 2);
	assert_int_equal(options.hosts[2].ports, 1);
	assert_int_equal(options.cable_count, 2);
	assert_true(options.cables[0].plugged);
	assert_false(options.cables[1].plugged);
	assert_int_equal(options.cables[1].host[0], 1);
	assert_int_equal(options.cables[1].port[0], 1);
	assert_int_equal(options.cables[1].host[1], 2);
}

/* The UUID's first byte is the lowest of the unique id: that is its order in the router's words. */
static void test_uuid(void **state)
{
	uint64_t id;

	(void)state;
	assert_int_equal(parse("--control c --host a=s,uuid=01234567-89ab-CDEF-ffff-ffffffffffff"),
			 0);
	assert_true(options.hosts[0].unique_id == UINT64_C(0xefcdab8967452301));
	assert_int_equal(parse("--control c --host a=s --host b=s"), 0);
	id = options.hosts[0].unique_id;
	assert_true(id != options.hosts[1].unique_id);
	assert_int_equal(parse("--control c --host a=s"), 0);
	assert_true(options.hosts[0].unique_id == id);
}

static void test_one_port_at_least(void **state)
{
	(void)state;
	assert_int_equal(parse("--control c --host a=s"), 0);
	assert_int_equal(options.hosts[0].ports, 1);
	assert_int_equal(parse("--control c --host a=s --cable a:a"), 0);
	assert_int_equal(options.hosts[0].ports, 2);
}

static void test_help(void **state)
{
	(void)state;
	assert_int_equal(parse("--help"), 0);
	assert_true(options.help);
	assert_non_null(strstr(options_help(), "--cable"));
}

static void test_refuses(void **state)
{
	static const struct {
		const char *line;
		const char *sentence;
	} wrong[] = {
		{"--host a=s", "--control"},
		{"--control c", "--host"},
		{"--control c --host a", "NAME=SOCKET"},
		{"--control c --host =s", "NAME=SOCKET"},
		{"--control c --host a=", "no socket"},
		{"--control c --host a=s --host a=t", "two hosts a"},
		{"--control c --host a=s,lanes=3", "lanes=3"},
		{"--control c --host a=s,uuid=1", "uuid=1"},
		{"--control c --host a=s,uuid=01234567-89ab-cdef-0000-ffffffffffff", "uuid=0123"},
		{"--control c --host a=s,uuid=0123456789ab--cdef-ffff-ffffffffffff", "uuid=0123"},
		{"--control c --host a=s --cable a:b", "no host b"},
		{"--control c --host a=s --cable a", "second end"},
		{"--control c --host a=s --host b=t --cable a:b,cut", "cut"},
		{"--control c --host a=s --seed x", "--seed x"},
		{"--control c --host a=s more", "more"},
		{"--control c --host a=s --wrong", "--wrong"},
		{"--control c --host abcdefghijklmnopqrstuvwxyzabcdefg=s", "characters"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(parse(wrong[i].line), -EINVAL);
		assert_non_null(strstr(error, wrong[i].sentence));
	}
}

static void test_too_many_cables_at_a_host(void **state)
{
	char line[512] = "--control c --host a=s --host b=t";

	(void)state;
	for (unsigned int i = 0; i < ROUTER_PORTS_MAX; i++)
		strcat(line, " --cable a:b");
	assert_int_equal(parse(line), 0);
	assert_int_equal(options.hosts[0].ports, ROUTER_PORTS_MAX);
	strcat(line, " --cable a:b");
	assert_int_equal(parse(line), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts_and_cables),
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_one_port_at_least),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_too_many_cables_at_a_host),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
