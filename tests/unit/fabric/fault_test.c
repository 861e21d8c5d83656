// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "fault.h"

#define LENGTH 64u

/* A cable that writes down what comes out of it. */
struct outcome {
	unsigned int number;  /* the first byte of the frame as it was sent */
	unsigned int flipped; /* bits that differ */
	bool crc_error;
};

static struct outcome outcomes[4096];
static unsigned int count, room, plugs, unplugs, wakes;
static struct fault fault;

static int record(void *ctx, const struct frame *frame)
{
	struct outcome *outcome = &outcomes[count];

	(void)ctx;
	if (!room)
		return -EAGAIN;
	room--;
	*outcome = (struct outcome){.number = frame->sof, .crc_error = frame->crc_error};
	for (unsigned int i = 0; i < LENGTH; i++)
		outcome->flipped += (unsigned int)__builtin_popcount(frame->data[i] ^ i);
	count++;
	return 0;
}

static void on_plug(void *ctx, unsigned int cable, bool plugged)
{
	(void)ctx;
	assert_int_equal(cable, 0);
	plugs += plugged;
	unplugs += !plugged;
}

static void on_wake(void *ctx)
{
	(void)ctx;
	wakes++;
}

static void start(uint64_t seed)
{
	count = plugs = unplugs = wakes = 0;
	room = 4096;
	fault_init(&fault, (struct carrier){.carry = record}, seed, on_plug, on_wake, NULL);
	fault_tick(&fault, 1000);
}

static int setup(void **state)
{
	(void)state;
	start(1);
	return 0;
}

/* sof, which faults do not look at, numbers the frames. */
static int offer(unsigned int number, unsigned int direction, unsigned int pdf, unsigned int hop)
{
	uint8_t data[LENGTH];
	struct frame frame = {.direction = direction,
			      .hop = hop,
			      .data = data,
			      .length = LENGTH,
			      .sof = number,
			      .eof = pdf};
	struct carrier carrier = fault_carrier(&fault);

	for (unsigned int i = 0; i < LENGTH; i++)
		data[i] = (uint8_t)i;
	return carrier.carry(carrier.ctx, &frame);
}

static void add(enum fault_kind kind, uint64_t at, uint64_t times, uint64_t ms)
{
	const struct fault_rule rule = {.kind = kind,
					.direction = 0,
					.pdf = FAULT_ANY,
					.hop = FAULT_ANY,
					.at = {at, at},
					.count = times,
					.ms = ms};

	assert_int_equal(fault_add(&fault, &rule), 0);
}

static void send_all(unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++)
		assert_int_equal(offer(i, 0, 2, 8), 0);
}

static void test_passes_through(void **state)
{
	(void)state;
	send_all(0, 10);
	assert_int_equal(count, 10);
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(outcomes[i].number, i);
		assert_int_equal(outcomes[i].flipped, 0);
	}
	assert_int_equal(fault.lanes[0][0].seen, 10);
	assert_int_equal(fault.lanes[0][1].seen, 0);
}

static void test_drop_at(void **state)
{
	(void)state;
	add(FAULT_DROP, 3, 2, 0);
	send_all(0, 10);
	assert_int_equal(count, 8);
	assert_int_equal(outcomes[2].number, 2);
	assert_int_equal(outcomes[3].number, 5);
	assert_int_equal(fault.rules[0].taken, 2);
	assert_int_equal(fault.lanes[0][0].seen, 10);
}

static void test_corrupt_flips_one_bit(void **state)
{
	(void)state;
	add(FAULT_CORRUPT, 1, 1, 0);
	add(FAULT_CRC, 3, 1, 0);
	send_all(0, 5);
	assert_int_equal(outcomes[1].flipped, 1);
	assert_false(outcomes[1].crc_error);
	assert_int_equal(outcomes[2].flipped, 0);
	assert_int_equal(outcomes[3].flipped, 1);
	assert_true(outcomes[3].crc_error);
}

static void test_duplicate(void **state)
{
	(void)state;
	add(FAULT_DUPLICATE, 1, 1, 0);
	send_all(0, 3);
	assert_int_equal(count, 4);
	assert_int_equal(outcomes[1].number, 1);
	assert_int_equal(outcomes[2].number, 1);
	assert_int_equal(outcomes[3].number, 2);
	assert_int_equal(fault.lanes[0][0].seen, 3);
}

/* A frame that has to wait for a descriptor is offered again, and is one frame all the same. */
static void test_waiting_frame_counts_once(void **state)
{
	(void)state;
	add(FAULT_CORRUPT, 0, 1, 0);
	room = 0;
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(offer(0, 0, 2, 8), -EAGAIN);
	assert_int_equal(fault.rules[0].taken, 0);
	assert_int_equal(fault.lanes[0][0].seen, 0);
	room = 2;
	send_all(0, 2);
	assert_int_equal(outcomes[0].flipped, 1);
	assert_int_equal(outcomes[1].flipped, 0);
	assert_int_equal(fault.rules[0].taken, 1);
}

static void test_delay(void **state)
{
	(void)state;
	add(FAULT_DELAY, 1, 1, 50);
	send_all(0, 1);
	assert_int_equal(offer(1, 0, 2, 8), -EAGAIN);
	assert_int_equal(offer(1, 0, 2, 8), -EAGAIN);
	assert_int_equal(offer(7, 1, 2, 8), 0); /* the other direction flows */
	assert_int_equal(fault_tick(&fault, 1049), 1050);
	assert_int_equal(offer(1, 0, 2, 8), -EAGAIN);
	assert_int_equal(wakes, 0);
	assert_true(fault_tick(&fault, 1050) == CLOCK_NEVER);
	assert_int_equal(wakes, 1);
	send_all(1, 3);
	assert_int_equal(count, 4);
	assert_int_equal(fault.rules[0].taken, 1);
}

static void test_stall_until_cleared(void **state)
{
	(void)state;
	add(FAULT_STALL, 0, 1, 0);
	assert_int_equal(offer(0, 0, 2, 8), -EAGAIN);
	assert_true(fault_tick(&fault, 1000000000) == CLOCK_NEVER);
	assert_int_equal(offer(0, 0, 2, 8), -EAGAIN);
	fault_clear(&fault);
	assert_int_equal(wakes, 1);
	send_all(0, 2);
	assert_int_equal(count, 2);
}

static void test_unplug_at(void **state)
{
	(void)state;
	add(FAULT_UNPLUG, 2, 1, 30);
	send_all(0, 3);
	assert_int_equal(count, 2);
	assert_int_equal(unplugs, 1);
	assert_int_equal(fault_tick(&fault, 1010), 1030);
	assert_int_equal(plugs, 0);
	fault_tick(&fault, 1030);
	assert_int_equal(plugs, 1);
}

static void test_filters(void **state)
{
	struct fault_rule rule = {
		.kind = FAULT_DROP, .direction = 1, .pdf = 3, .hop = 15, .at = {2, 2}, .count = 1};

	(void)state;
	assert_int_equal(fault_add(&fault, &rule), 0);
	for (unsigned int i = 0; i < 4; i++) {
		offer(i, 0, 3, 15); /* the other direction */
		offer(i, 1, 3, 8);  /* another path */
		offer(i, 1, 2, 15); /* another PDF: numbers 0 to 3 of this path */
	}
	assert_int_equal(count, 12);
	offer(9, 1, 3, 15);
	assert_int_equal(count, 12);
	offer(9, 1, 3, 15);
	assert_int_equal(count, 13);
}

/* The outcome of 2000 frames under random faults, as a hash. */
static uint64_t random_run(uint64_t seed)
{
	uint64_t hash = 0;

	start(seed);
	fault.random = (struct fault_random){
		.threshold = UINT32_MAX / 50,
		.kinds = 1u << FAULT_DROP | 1u << FAULT_CORRUPT | 1u << FAULT_DUPLICATE,
	};
	for (unsigned int i = 0; i < 2000; i++) {
		if (i % 7 == 0) { /* waiting in between must not change the dice */
			room = 0;
			offer(i, 0, 2, 8);
			room = 4096;
		}
		while (offer(i, 0, 2, 8))
			;
	}
	for (unsigned int i = 0; i < count; i++)
		hash = hash * 31 + outcomes[i].number * 2 + outcomes[i].flipped;
	return hash;
}

static void test_random_is_deterministic(void **state)
{
	uint64_t first, taken;

	(void)state;
	first = random_run(42);
	taken = fault.random.taken;
	assert_in_range(taken, 10, 100); /* 2 % of 2000 */
	assert_true(random_run(42) == first);
	assert_true(fault.random.taken == taken);
	assert_true(random_run(43) != first);
}

static void test_rule_limit(void **state)
{
	const struct fault_rule rule = {.count = 1};

	(void)state;
	for (unsigned int i = 0; i < FAULT_RULES_MAX; i++)
		assert_int_equal(fault_add(&fault, &rule), 0);
	assert_int_equal(fault_add(&fault, &rule), -ENOSPC);
}

#define test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_passes_through),
		test(test_drop_at),
		test(test_corrupt_flips_one_bit),
		test(test_duplicate),
		test(test_waiting_frame_counts_once),
		test(test_delay),
		test(test_stall_until_cleared),
		test(test_unplug_at),
		test(test_filters),
		test(test_random_is_deterministic),
		test(test_rule_limit),
	};

	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
