// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control.h"

static struct host hosts[2];
static struct cable cable;
static struct fabric fabric;
static struct fault fault;
static struct control control = {.fabric = &fabric, .fault = &fault};
static char answer[COMMAND_ANSWER_MAX];

static void on_plug(void *ctx, unsigned int index, bool plugged)
{
	fabric_plug(ctx, index, plugged);
}

static void on_wake(void *ctx)
{
	fabric_wake(ctx);
}

static int setup(void **state)
{
	(void)state;
	cable = (struct cable){.end = {{&hosts[0], 0}, {&hosts[1], 0}}, .plugged = true};
	host_init(&hosts[0], "a", 1, 1, 1, &fabric_host_ops, &fabric);
	host_init(&hosts[1], "b", 1, 1, 2, &fabric_host_ops, &fabric);
	fabric_init(&fabric, hosts, 2, &cable, 1);
	fault_init(&fault, fabric_carrier(&fabric), 1, on_plug, on_wake, &fabric);
	return 0;
}

static const char *run(const char *command)
{
	char line[CONTROL_LINE_MAX];

	snprintf(line, sizeof(line), "%s", command);
	control_execute(&control, line, answer);
	return answer;
}

static void assert_error(const char *command, const char *part)
{
	run(command);
	assert_memory_equal(answer, "error ", 6);
	assert_non_null(strstr(answer, part));
}

static void test_status(void **state)
{
	(void)state;
	assert_string_equal(run("status"), "ok host=a,off,01000000-0000-0000-ffff-ffffffffffff "
					   "host=b,off,02000000-0000-0000-ffff-ffffffffffff "
					   "cable=0,a:b,down");
}

static void test_plug(void **state)
{
	(void)state;
	assert_string_equal(run("unplug 0"), "ok");
	assert_false(cable.plugged);
	assert_non_null(strstr(run("status"), "cable=0,a:b,unplugged"));
	assert_string_equal(run("plug 0"), "ok");
	assert_true(cable.plugged);
	assert_error("plug 1", "no cable 1");
	assert_error("plug", "no cable");
	assert_error("plug -1", "no cable -1");
	assert_error("plug 0x", "no cable 0x");
}

static void test_counters(void **state)
{
	(void)state;
	cable.count[1] = (struct cable_count){.frames = 3, .bytes = 12288, .dropped = 1};
	fault.lanes[0][1].seen = 4;
	assert_string_equal(run("counters"), "ok cable=0,ab,seen=0,frames=0,bytes=0,dropped=0 "
					     "cable=0,ba,seen=4,frames=3,bytes=12288,dropped=1");
}

static void test_fault_add(void **state)
{
	(void)state;
	fault.lanes[0][0].seen = 100;
	fault.lanes[0][1].seen_hop[15] = 7;
	assert_string_equal(run("fault add drop cable=0 dir=ab at=5 count=2"), "ok 1");
	assert_string_equal(run("fault add delay hop=15 dir=ba pdf=2 ms=20 at=+3"), "ok 2");
	assert_string_equal(run("fault add stall"), "ok 3");
	assert_string_equal(run("fault list"),
			    "ok 1,drop,cable=0,dir=ab,at=5,count=2,ms=0,taken=0 "
			    "2,delay,cable=0,dir=ba,pdf=2,hop=15,at=10,count=1,ms=20,taken=0 "
			    "3,stall,cable=0,dir=any,at=100,count=1,ms=0,taken=0");
	assert_string_equal(run("fault clear"), "ok");
	assert_string_equal(run("fault list"), "ok");
}

static void test_fault_random(void **state)
{
	(void)state;
	assert_string_equal(run("fault random rate=0.5 kinds=drop,crc ms=7"), "ok");
	assert_int_equal(fault.random.kinds, 1u << FAULT_DROP | 1u << FAULT_CRC);
	assert_int_equal(fault.random.ms, 7);
	assert_in_range(fault.random.threshold, 0x7ffffff0, 0x80000010);
	assert_string_equal(run("fault list"), "ok random,rate=0.500000000,taken=0");
	assert_error("fault random rate=1.5 kinds=drop", "rate");
	assert_error("fault random rate=nan kinds=drop", "rate");
	assert_error("fault random rate=0.1", "both");
	assert_error("fault random rate=0.1 kinds=drop,boom", "kinds");
	assert_in_range(fault.random.threshold, 0x7ffffff0, 0x80000010);
}

static void test_refuses(void **state)
{
	static const char *const wrong[] = {
		"fault add drop cable=1",
		"fault add drop cable",
		"fault add drop dir=up",
		"fault add drop pdf=16",
		"fault add drop hop=32",
		"fault add drop at=x",
		"fault add drop count=-1",
		"fault add drop ms=",
		"fault add drop wrong=1",
		"fault add boom",
		"fault add",
		"fault",
		"fault list2",
		"at",
		"",
		"fault add delay",
		"fault add drop at=99999999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_error(wrong[i], ".");
	assert_int_equal(fault.rule_count, 0);
}

static void test_help(void **state)
{
	(void)state;
	run("help");
	assert_memory_equal(answer, "ok ", 3);
	assert_non_null(strstr(answer, "fault add KIND"));
	assert_null(strchr(answer, '\n'));
}

/* A full list of long rules must neither overflow nor lose its end. */
static void test_long_answers(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < FAULT_RULES_MAX; i++)
		run("fault add corrupt dir=any pdf=15 hop=31 at=18446744073709551615 "
		    "count=18446744073709551615 ms=18446744073709551615");
	assert_error("fault add drop", "clear");
	run("fault list");
	assert_true(strlen(answer) < COMMAND_ANSWER_MAX - 1);
	assert_non_null(strstr(answer, " 64,corrupt"));
}

#define test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_status),    test(test_plug),	       test(test_counters),
		test(test_fault_add), test(test_fault_random), test(test_refuses),
		test(test_help),      test(test_long_answers),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
