// SPDX-License-Identifier: GPL-2.0-or-later
/* What follows from --memory, and from a machine that has little: the kernel's word is ours. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include <cmocka.h>

#include "codec/pack.h"
#include "io/crew.h"
#include "io/link.h"
#include "io/machine.h"
#include "memory.h"
#include "programs.h"
#include "source/keep.h"
#include "source/pace.h"

static uint64_t machine;

int sysinfo(struct sysinfo *info)
{
	*info = (struct sysinfo){.totalram = machine / 4096, .mem_unit = 4096};
	return machine ? 0 : -1;
}

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	(void)pid;
	assert_int_equal(size, sizeof(*set));
	CPU_ZERO(set);
	for (int i = 0; i < 4; i++)
		CPU_SET(i, set);
	return 0;
}

static void test_records_follow_memory(void **state)
{
	static const enum wire_role roles[] = {WIRE_SENDER, WIRE_RECEIVER};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (int level = PACK_LEVEL_LEAST; level <= PACK_LEVEL_MOST; level++) {
			uint64_t least = memory_least(roles[i], level);

			assert_int_equal(memory_records(roles[i], level, 0), 0);
			assert_int_equal(memory_records(roles[i], level, least - 1), 0);
			for (unsigned int n = 1; n <= LINK_QUEUE; n++)
				assert_int_equal(
					memory_records(roles[i], level,
						       least + (n - 1) * WIRE_PAYLOAD_MOST),
					n);
			assert_int_equal(memory_records(roles[i], level, UINT64_MAX), LINK_QUEUE);
		}
	}
	assert_true(memory_least(WIRE_SENDER, PACK_LEVEL_MOST) >
		    memory_least(WIRE_SENDER, 1) + (32 << 20));
	assert_int_equal(memory_least(WIRE_RECEIVER, PACK_LEVEL_MOST),
			 memory_least(WIRE_RECEIVER, 1));
}

static unsigned int planned(uint64_t has, uint64_t given, int level)
{
	struct options options = {.memory = given, .level = level};

	machine = has;
	assert_int_equal(memory_plan(&options, WIRE_SENDER, 0), -1);
	return options.records;
}

static void test_plan(void **state)
{
	struct options options = {.memory = 1 << 20, .level = 1};

	(void)state;
	assert_int_equal(planned(256 << 20, 0, 1), 0);
	assert_int_equal(planned(0, 0, 1), 0);
	assert_int_equal(planned(255 << 20, 0, 1), LINK_QUEUE);
	assert_int_equal(planned(140 << 20, 0, 1), 2);
	assert_int_equal(planned(96 << 20, 0, 1), 1);
	/* Nobody asked for a bound. */
	assert_int_equal(planned(140 << 20, 0, PACK_LEVEL_MOST), 1);
	assert_int_equal(planned(1 << 30, 36 << 20, 1), 2);
	assert_int_equal(planned(140 << 20, 1 << 30, 1), LINK_QUEUE);
	assert_int_equal(memory_plan(&options, WIRE_SENDER, 0), EXIT_USAGE);
}

static unsigned int threads_planned(uint64_t has, uint64_t given)
{
	struct options options = {.memory = given, .level = 1};

	machine = has;
	assert_int_equal(memory_plan(&options, WIRE_RECEIVER, 0), -1);
	return options.threads;
}

static void test_receiver(void **state)
{
	uint64_t least = memory_least(WIRE_RECEIVER, 1);

	(void)state;
	assert_int_equal(threads_planned(1 << 30, 0), 4);
	assert_int_equal(threads_planned((256 << 20) - 4096, 0), 1);
	assert_int_equal(threads_planned(160 << 20, 0), 1);
	assert_int_equal(threads_planned(1 << 30, least), 1);
	assert_int_equal(threads_planned(1 << 30, least + 2 * (20 << 20)), 2);
}

static void test_stream(void **state)
{
	uint64_t least = memory_least(WIRE_SENDER, 1);
	struct options options = {.memory = least + KEEP_LEAST - 1, .level = 1};

	(void)state;
	machine = 1 << 30;
	assert_int_equal(memory_plan(&options, WIRE_SENDER, KEEP_LEAST), EXIT_USAGE);
	options.memory++;
	assert_int_equal(memory_plan(&options, WIRE_SENDER, KEEP_LEAST), -1);
	assert_int_equal(options.records, 1);
	assert_int_equal(options.keep, KEEP_LEAST);
	options.memory += LINK_QUEUE * (uint64_t)WIRE_PAYLOAD_MOST;
	assert_int_equal(memory_plan(&options, WIRE_SENDER, KEEP_LEAST), -1);
	assert_int_equal(options.records, LINK_QUEUE);
	assert_int_equal(options.keep, KEEP_LEAST + WIRE_PAYLOAD_MOST);
	options.memory = 1 << 30;
	assert_int_equal(memory_plan(&options, WIRE_SENDER, KEEP_LEAST), -1);
	assert_int_equal(options.keep, KEEP_MOST);
	/* Without a bound it is for the machine. */
	options = (struct options){.level = 1};
	assert_int_equal(memory_plan(&options, WIRE_SENDER, KEEP_LEAST), -1);
	assert_int_equal(options.keep, 0);
	machine = 160 << 20;
	assert_int_equal(keep_fitting(), 20 << 20);
}

static void test_threads(void **state)
{
	(void)state;
	machine = (256 << 20) - 4096;
	assert_int_equal(machine_threads(0), 1);
	assert_int_equal(machine_threads(3), 3);
	machine = 256 << 20;
	assert_int_equal(machine_threads(0), 4);
	machine = 0;
	assert_int_equal(machine_threads(0), 4);
}

static int level_most(uint64_t has, uint64_t given, unsigned int threads, size_t keep)
{
	struct options options = {.memory = given, .threads = threads, .level = PACK_LEVEL_AUTO};
	uint64_t taken;

	machine = has;
	assert_int_equal(memory_plan(&options, WIRE_SENDER, keep), -1);
	assert_in_range(options.level_most, PACK_LEVEL_LEAST, PACE_MOST);
	assert_int_equal(options.threads, threads);
	/* All that is there at once, by what is known of each part. */
	taken = (options.records ? options.records : LINK_QUEUE) * (uint64_t)WIRE_PAYLOAD_MOST;
	taken += memory_least(WIRE_SENDER, 1) - (given ? 1 : 2) * WIRE_PAYLOAD_MOST;
	if (threads > 1)
		taken += threads * (CREW_JOBS * (uint64_t)(CHUNK_SIZE + PACK_FRAME_MOST));
	taken += (threads > 1 ? threads : 0) * pack_memory(options.level_most);
	if (threads == 1)
		taken += pack_memory(options.level_most) - pack_memory(1);
	if (options.level_most > PACK_LEVEL_LEAST)
		assert_true(taken <= (given ? given : (48 + 16ull * threads) << 20));
	return options.level_most;
}

/* The level that is chosen later keeps within what a sender may take, or what was asked for. */
static void test_level(void **state)
{
	struct options options = {.level = 7};

	(void)state;
	machine = UINT64_C(8) << 30;
	assert_int_equal(memory_plan(&options, WIRE_SENDER, 0), -1);
	assert_int_equal(options.level_most, 7);
	assert_int_equal(level_most(UINT64_C(8) << 30, 0, 1, 0), PACE_MOST);
	assert_int_equal(level_most(UINT64_C(8) << 30, 0, 2, 0), 6);
	assert_true(level_most(UINT64_C(8) << 30, 0, 4, 0) >= 3);
	assert_true(level_most(UINT64_C(8) << 30, 0, 8, 0) >= 2);
	assert_in_range(level_most(160 << 20, 0, 1, 0), 2, 6);
	assert_int_equal(level_most(96 << 20, 0, 1, 0), 1);
	for (uint64_t memory = 29; memory <= 128; memory++)
		level_most(UINT64_C(8) << 30, memory << 20, 1, 0);
	assert_int_equal(level_most(UINT64_C(8) << 30, 48 << 20, 1, 0), PACE_MOST - 1);
	assert_int_equal(level_most(UINT64_C(8) << 30, 64 << 20, 1, 0), PACE_MOST);
	/* Standard input keeps what it can. */
	assert_int_equal(level_most(UINT64_C(8) << 30, 64 << 20, 1, KEEP_LEAST), 1);
	assert_int_equal(level_most(UINT64_C(8) << 30, 0, 1, KEEP_LEAST), PACE_MOST);
}

static void test_size(void **state)
{
	static const struct {
		const char *text;
		uint64_t size;
	} sizes[] = {
		{"1", 1},
		{"4096", 4096},
		{"64K", 64 << 10},
		{"64m", 64 << 20},
		{"160M", 160 << 20},
		{"8589934592G", UINT64_C(1) << 63},
		{"0", 0},
		{"", 0},
		{"M", 0},
		{"-1M", 0},
		{"1.5G", 0},
		{"64MiB", 0},
		{"8589934593G", 0},
		{"123456789012345678", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char memory[] = "--memory", tbsend[] = "tbsend", disk[] = "disk", text[32];
		char *argv[] = {tbsend, memory, text, disk, NULL};
		struct options options;

		strcpy(text, sizes[i].text);
		assert_int_equal(options_parse(OPTIONS_SEND, 4, argv, &options),
				 sizes[i].size ? OPTIONS_OK : OPTIONS_USAGE);
		if (sizes[i].size)
			assert_true(options.memory == sizes[i].size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_follow_memory),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_receiver),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
