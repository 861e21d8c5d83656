// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guest.h"

/*
 * Two hosts and one cable, and drivers that set up rings and paths by hand:
 *
 *   a: TX ring 1 -> HopID 8 -> cable -> b: HopID 8 -> RX ring 1
 */
static struct host hosts[2];
static struct cable cable;
static struct fabric fabric;
static struct guest a, b;

#define UPSTREAM 3u
#define LANE	 1u

static void run_until_quiet(void)
{
	guest_time(&fabric, 0);
}

static bool train(void)
{
	guest_time(&fabric, 100);
	return cable.linked;
}

static void set_path(struct host *host, unsigned int adapter, unsigned int hop, unsigned int out,
		     unsigned int next)
{
	path_write(&host->router.adapters[adapter].paths, 2 * hop,
		   UINT32_C(1) << 31 | out << 11 | next);
	fabric_host_ops.configured(&fabric, host);
}

static int setup(void **state)
{
	(void)state;
	cable = (struct cable){.end = {{&hosts[0], 0}, {&hosts[1], 0}}, .plugged = true};
	host_init(&hosts[0], "a", 1, 2, 1, &fabric_host_ops, &fabric);
	host_init(&hosts[1], "b", 1, 2, 2, &fabric_host_ops, &fabric);
	fabric_init(&fabric, hosts, 2, &cable, 1);
	if (guest_start(&a, &hosts[0]) || guest_start(&b, &hosts[1]))
		return -1;
	guest_enumerate(&a);
	guest_enumerate(&b);
	if (!train())
		return -1;
	set_path(&hosts[0], UPSTREAM, 1, LANE, 8);
	set_path(&hosts[1], LANE, 8, UPSTREAM, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guest_stop(&a);
	guest_stop(&b);
	return 0;
}

static void test_frame_crosses(void **state)
{
	uint8_t data[4096];
	struct guest_frame frame;

	(void)state;
	guest_ring(&b, false, 1, RING_OPT_E2E);
	guest_ring(&a, true, 1, RING_OPT_E2E);
	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	guest_send(&a, 1, data, 4096, 1, 2);
	guest_send(&a, 1, data, 1, 1, 3);
	run_until_quiet();
	assert_true(guest_done(&b, false, 1, &frame));
	assert_int_equal(frame.length, 4096);
	assert_int_equal(frame.eof, 2);
	assert_int_equal(frame.flags, RING_FLAG_DONE);
	assert_memory_equal(frame.data, data, 4096);
	assert_true(guest_done(&b, false, 1, &frame));
	assert_int_equal(frame.length, 1);
	assert_int_equal(frame.eof, 3);
	assert_false(guest_done(&b, false, 1, &frame));
	assert_true(guest_done(&a, true, 1, &frame));
	assert_true(guest_done(&a, true, 1, &frame));
	assert_int_equal(cable.count[0].frames, 2);
	assert_int_equal(cable.count[0].bytes, 4097);
	assert_int_equal(hosts[1].irq.status, UINT64_C(1) << IRQ_RX(1));
	assert_int_equal(hosts[0].irq.status, UINT64_C(1) << IRQ_TX(1));
}

/* With end-to-end flow control nothing is lost: what finds no descriptor waits for one. */
static void test_flow_control_waits(void **state)
{
	struct guest_frame frame;
	unsigned int got = 0, sent = 0, owed = 0;

	(void)state;
	guest_ring(&b, false, 1, RING_OPT_E2E);
	guest_ring(&a, true, 1, RING_OPT_E2E);
	for (unsigned int round = 0; got < 300; round++) {
		assert_true(round < 1000);
		while (sent < 300 && (a.next[1][1] + 1u) % GUEST_SLOTS != a.seen[1][1]) {
			uint8_t byte = (uint8_t)sent++;

			guest_send(&a, 1, &byte, 1, 1, 2);
		}
		run_until_quiet();
		while (guest_done(&a, true, 1, &frame))
			;
		for (; guest_done(&b, false, 1, &frame); owed++)
			assert_int_equal(frame.data[0], (uint8_t)got++);
		for (unsigned int i = 0; i < round % 4 && owed; i++, owed--)
			guest_post(&b, false, 1, 0);
	}
	assert_int_equal(cable.count[0].frames, 300);
	assert_int_equal(cable.count[0].dropped, 0);
}

static void test_without_flow_control_drops(void **state)
{
	struct guest_frame frame;
	unsigned int got = 0;

	(void)state;
	guest_ring(&b, false, 1, 0);
	guest_ring(&a, true, 1, 0);
	for (unsigned int i = 0; i < 40; i++) {
		guest_send(&a, 1, "x", 1, 1, 2);
		run_until_quiet();
		assert_true(guest_done(&a, true, 1, &frame));
	}
	while (guest_done(&b, false, 1, &frame))
		got++;
	assert_int_equal(got, GUEST_SLOTS - 1);
	assert_int_equal(cable.count[0].dropped, 40 - got);
	assert_true(hosts[1].irq.status & UINT64_C(1) << IRQ_OVERRUN(1));
}

static void test_waits_for_path(void **state)
{
	struct guest_frame frame;

	(void)state;
	path_write(&hosts[1].router.adapters[LANE].paths, 16, 0);
	guest_ring(&b, false, 1, RING_OPT_E2E);
	guest_ring(&a, true, 1, RING_OPT_E2E);
	guest_send(&a, 1, "x", 1, 1, 2);
	run_until_quiet();
	assert_false(guest_done(&a, true, 1, &frame));
	set_path(&hosts[1], LANE, 8, UPSTREAM, 1);
	run_until_quiet();
	assert_true(guest_done(&a, true, 1, &frame));
	assert_true(guest_done(&b, false, 1, &frame));
}

static void test_pdf_not_wanted(void **state)
{
	struct guest_frame frame;

	(void)state;
	guest_ring(&b, false, 1, RING_OPT_E2E);
	guest_ring(&a, true, 1, RING_OPT_E2E);
	guest_send(&a, 1, "x", 1, 1, 7);
	run_until_quiet();
	assert_true(guest_done(&a, true, 1, &frame));
	assert_false(guest_done(&b, false, 1, &frame));
	assert_int_equal(cable.count[0].dropped, 1);
}

/* Paths that lead elsewhere than to a ring must not be followed. */
static void test_wrong_paths(void **state)
{
	static const struct {
		unsigned int out;
		unsigned int next;
	} wrong[] = {{LANE, 1}, {63, 1}, {UPSTREAM, 0}, {UPSTREAM, 16}, {UPSTREAM, 2047}};
	struct guest_frame frame;

	(void)state;
	guest_ring(&b, false, 1, 0);
	guest_ring(&a, true, 1, 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		set_path(&hosts[1], LANE, 8, wrong[i].out, wrong[i].next);
		guest_send(&a, 1, "x", 1, 1, 2);
		run_until_quiet();
		assert_false(guest_done(&b, false, 1, &frame));
	}
	set_path(&hosts[0], UPSTREAM, 1, UPSTREAM, 8);
	guest_send(&a, 1, "x", 1, 1, 2);
	set_path(&hosts[0], UPSTREAM, 1, LANE, 2047);
	guest_send(&a, 1, "x", 1, 1, 2);
	run_until_quiet();
	assert_false(guest_done(&b, false, 1, &frame));
}

static void test_unplug_and_plug(void **state)
{
	struct guest_frame frame;

	(void)state;
	guest_ring(&b, false, 1, RING_OPT_E2E);
	guest_ring(&a, true, 1, RING_OPT_E2E);
	fabric_plug(&fabric, 0, false);
	assert_false(cable.linked);
	guest_send(&a, 1, "x", 1, 1, 2);
	run_until_quiet();
	assert_false(guest_done(&a, true, 1, &frame));
	fabric_plug(&fabric, 0, true);
	assert_true(train());
	run_until_quiet();
	assert_true(guest_done(&b, false, 1, &frame));
}

static void test_power_off_drops_link(void **state)
{
	(void)state;
	host_power(&hosts[1], false);
	assert_false(cable.linked);
	assert_true(hosts[0].ring0.events[0].unplug);
	assert_int_equal(hosts[1].dma.count, 0);
	host_power(&hosts[1], true);
	assert_false(train()); /* not before its router is enumerated */
	guest_enumerate(&b);
	assert_true(train());
	assert_true(hosts[0].ring0.events[0].unplug && hosts[0].ring0.events[0].plug);
}

/* Frame data outside the sender's memory is nobody's; the ring goes on behind it. */
static void test_hostile_addresses(void **state)
{
	const uint64_t nowhere = htole64(GUEST_BASE + GUEST_SIZE - 1);
	struct guest_frame frame;

	(void)state;
	guest_ring(&b, false, 1, RING_OPT_E2E);
	guest_ring(&a, true, 1, RING_OPT_E2E);
	fabric_plug(&fabric, 0, false);
	guest_send(&a, 1, "xx", 2, 1, 2);
	memcpy(a.memory + guest_slot(true, 1, 0), &nowhere, 8);
	guest_send(&a, 1, "y", 1, 1, 2);
	memcpy(b.memory + guest_slot(false, 1, 0), &nowhere, 8);
	fabric_plug(&fabric, 0, true);
	assert_true(train());
	run_until_quiet();
	assert_true(guest_done(&a, true, 1, &frame));
	assert_true(guest_done(&a, true, 1, &frame));
	assert_true(guest_done(&b, false, 1, &frame)); /* its last byte does exist */
	assert_int_equal(b.memory[GUEST_SIZE - 1], 'y');
	assert_false(guest_done(&b, false, 1, &frame));
}

/* An endless ring gets its turns, not all of them. */
static void test_turn_is_bounded(void **state)
{
	(void)state;
	guest_ring(&a, true, 1, 0);
	hosts[0].nhi.tx[1].size = RING_SIZE_MAX;
	hosts[0].nhi.tx[1].base = GUEST_BASE;
	hosts[0].nhi.tx[1].driver = 8000;
	hosts[0].tx_active = 2;
	assert_int_equal(fabric_turn(&fabric), 0);
	assert_in_range(hosts[0].nhi.tx[1].device, 1, 200);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_frame_crosses),
		test(test_flow_control_waits),
		test(test_without_flow_control_drops),
		test(test_waits_for_path),
		test(test_pdf_not_wanted),
		test(test_wrong_paths),
		test(test_unplug_and_plug),
		test(test_power_off_drops_link),
		test(test_hostile_addresses),
		test(test_turn_is_bounded),
	};

	return cmocka_run_group_tests_name("fabric", tests, NULL, NULL);
}
