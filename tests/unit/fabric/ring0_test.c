// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest.h"

/* Two hosts on a cable, with control rings but no paths: what connection managers say and hear. */
static struct host hosts[2];
static struct cable cable;
static struct fabric fabric;
static struct guest a, b;

static int setup(void **state)
{
	(void)state;
	cable = (struct cable){.end = {{&hosts[0], 0}, {&hosts[1], 1}}};
	host_init(&hosts[0], "a", 1, 2, 1, &fabric_host_ops, &fabric);
	host_init(&hosts[1], "b", 2, 2, 2, &fabric_host_ops, &fabric);
	fabric_init(&fabric, hosts, 2, &cable, 1);
	if (guest_start(&a, &hosts[0]) || guest_start(&b, &hosts[1]))
		return -1;
	guest_ring(&a, true, 0, RING_OPT_RAW);
	guest_ring(&a, false, 0, RING_OPT_RAW);
	guest_ring(&b, true, 0, RING_OPT_RAW);
	guest_ring(&b, false, 0, RING_OPT_RAW);
	guest_enumerate(&a);
	guest_enumerate(&b);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guest_stop(&a);
	guest_stop(&b);
	return 0;
}

static void say(struct guest *guest, const struct ctl_packet *packet)
{
	uint8_t frame[CTL_FRAME_MAX];
	size_t len = ctl_build(packet, frame);

	guest_send(guest, 0, frame, (unsigned int)len, 0, packet->type);
	guest_time(&fabric, 0);
}

/* The next packet that the guest received; false if there is none. */
static bool hear(struct guest *guest, struct ctl_packet *packet)
{
	struct guest_frame frame;

	if (!guest_done(guest, false, 0, &frame))
		return false;
	assert_int_equal(frame.flags, RING_FLAG_DONE);
	assert_int_equal(ctl_parse(frame.eof, frame.data, frame.length, packet), 0);
	guest_post(guest, false, 0, 0);
	return true;
}

static void access_word(struct guest *guest, enum ctl_type type, unsigned int adapter,
			enum ctl_space space, unsigned int word, uint32_t value)
{
	struct ctl_packet packet = {.type = type, .count = type == CTL_WRITE ? 4 : 3};

	packet.words[2] = word | 1 << 13 | adapter << 19 | (uint32_t)space << 25;
	packet.words[3] = value;
	say(guest, &packet);
	assert_true(hear(guest, &packet));
	assert_int_equal(packet.type, type);
}

static void let_time_pass(unsigned int ms)
{
	guest_time(&fabric, ms);
}

static void enable_hotplug(struct guest *guest, unsigned int lane)
{
	access_word(guest, CTL_WRITE, lane, CTL_SPACE_ADAPTER, 5, 0);
}

static void ack(struct guest *guest, unsigned int lane, enum ctl_plug plug)
{
	struct ctl_packet packet = {.type = CTL_ERROR, .count = 3};

	packet.words[2] = 7 | lane << 8 | (uint32_t)plug << 30;
	say(guest, &packet);
}

static void expect_event(struct guest *guest, unsigned int lane, enum ctl_plug plug)
{
	struct ctl_packet packet;

	assert_true(hear(guest, &packet));
	assert_int_equal(packet.type, CTL_EVENT);
	assert_int_equal(packet.words[2], lane | (plug == CTL_UNPLUG ? UINT32_C(1) << 31 : 0));
}

static void test_plug_events(void **state)
{
	struct ctl_packet packet;

	(void)state;
	fabric_plug(&fabric, 0, true);
	let_time_pass(100);
	assert_true(cable.linked);
	assert_false(hear(&a, &packet)); /* nobody has asked yet */
	enable_hotplug(&b, 3);
	let_time_pass(20);
	expect_event(&b, 3, CTL_PLUG);
	let_time_pass(300);
	expect_event(&b, 3, CTL_PLUG); /* it was not acknowledged */
	ack(&b, 3, CTL_PLUG);
	let_time_pass(300);
	assert_false(hear(&b, &packet));
	assert_false(hear(&a, &packet));
}

/* Unplug must be told before plug, however fast the cable was. */
static void test_unplug_comes_first(void **state)
{
	(void)state;
	enable_hotplug(&a, 1);
	fabric_plug(&fabric, 0, true);
	let_time_pass(100);
	expect_event(&a, 1, CTL_PLUG);
	ack(&a, 1, CTL_PLUG);
	fabric_plug(&fabric, 0, false);
	fabric_plug(&fabric, 0, true);
	let_time_pass(100);
	expect_event(&a, 1, CTL_UNPLUG);
	ack(&a, 1, CTL_UNPLUG);
	let_time_pass(20);
	expect_event(&a, 1, CTL_PLUG);
}

/* A port reset at one end drops the link and reaches both ends, which look for each other again. */
static void test_port_reset_reaches_both(void **state)
{
	(void)state;
	enable_hotplug(&a, 1);
	enable_hotplug(&b, 3);
	fabric_plug(&fabric, 0, true);
	let_time_pass(100);
	expect_event(&a, 1, CTL_PLUG);
	expect_event(&b, 3, CTL_PLUG);
	ack(&a, 1, CTL_PLUG);
	ack(&b, 3, CTL_PLUG);
	access_word(&b, CTL_WRITE, 3, CTL_SPACE_ADAPTER, 0x33, 1);
	assert_false(cable.linked);
	let_time_pass(100);
	assert_false(cable.linked); /* as long as it is asserted */
	expect_event(&a, 1, CTL_UNPLUG);
	expect_event(&b, 3, CTL_UNPLUG);
}

static void test_port_reset_retrains(void **state)
{
	(void)state;
	enable_hotplug(&a, 1);
	fabric_plug(&fabric, 0, true);
	let_time_pass(100);
	expect_event(&a, 1, CTL_PLUG);
	ack(&a, 1, CTL_PLUG);
	access_word(&b, CTL_WRITE, 3, CTL_SPACE_ADAPTER, 0x33, 1);
	access_word(&b, CTL_WRITE, 3, CTL_SPACE_ADAPTER, 0x33, 0);
	let_time_pass(100);
	assert_true(cable.linked);
	expect_event(&a, 1, CTL_UNPLUG);
	ack(&a, 1, CTL_UNPLUG);
	let_time_pass(20);
	expect_event(&a, 1, CTL_PLUG);
}

static void test_xdomain_packet(void **state)
{
	struct ctl_packet packet = {.type = CTL_XDOMAIN_REQUEST, .count = 10};

	(void)state;
	packet.words[1] = 1;
	packet.words[9] = 0xcafe;
	say(&a, &packet);
	assert_false(hear(&b, &packet)); /* no link */
	fabric_plug(&fabric, 0, true);
	let_time_pass(100);
	say(&a, &packet);
	assert_true(hear(&b, &packet));
	assert_int_equal(packet.type, CTL_XDOMAIN_REQUEST);
	assert_int_equal(packet.count, 10);
	assert_int_equal(packet.words[0], CTL_REPLY_BIT);
	assert_int_equal(packet.words[1], 3); /* the receiver's own adapter */
	assert_int_equal(packet.words[9], 0xcafe);
}

/* More packets than anybody reads: the queue is bounded, and replies come in the end. */
static void test_flood(void **state)
{
	struct ctl_packet packet;
	unsigned int heard = 0;

	(void)state;
	for (unsigned int i = 0; i < 4 * RING0_QUEUE; i++)
		ring0_send(&hosts[0].ring0, &(struct ctl_packet){.type = CTL_EVENT, .count = 3});
	while (fabric_turn(&fabric) == 0 || hear(&a, &packet))
		heard++;
	assert_true(heard >= RING0_QUEUE);
	access_word(&a, CTL_READ, 0, CTL_SPACE_ROUTER, 0, 0);
}

/* Two lanes bond when both sides want it and one asks. */
static void test_bonding(void **state)
{
	static const struct {
		struct guest *guest;
		unsigned int lane0;
	} ends[] = {{&a, 1}, {&b, 3}};
	const struct adapter *lane = router_lane(&hosts[0].router, 0, 0);

	(void)state;
	fabric_plug(&fabric, 0, true);
	let_time_pass(100);
	assert_int_equal(lane->words[9] >> 20 & 0x3f, 1);
	for (unsigned int end = 0; end < 2; end++) {
		access_word(ends[end].guest, CTL_WRITE, ends[end].lane0, CTL_SPACE_ADAPTER, 9,
			    0xc | 3 << 4);
		access_word(ends[end].guest, CTL_WRITE, ends[end].lane0 + 1, CTL_SPACE_ADAPTER, 9,
			    0xc | 3 << 4);
	}
	assert_int_equal(lane->words[9] >> 20 & 0x3f, 1);
	access_word(&a, CTL_WRITE, 1, CTL_SPACE_ADAPTER, 9, 0xc | 3 << 4 | 1 << 15);
	assert_int_equal(lane->words[9] >> 20 & 0x3f, 2);
	assert_int_equal(lane->words[9] >> 26 & 0xf, ADAPTER_UP);
	access_word(&b, CTL_WRITE, 4, CTL_SPACE_ADAPTER, 9, 0xc | 1 << 4 | 1 << 14);
	assert_int_equal(lane->words[9] >> 20 & 0x3f, 1);
	lane = router_lane(&hosts[1].router, 1, 1);
	assert_int_equal(lane->words[9] >> 26 & 0xf, ADAPTER_DISABLED);
}

/* A suspended driver has stopped ring 0 and waits for PME. */
static void test_wakes_suspended_driver(void **state)
{
	const uint16_t enable = 1 << 8 | 3;
	uint16_t pm;

	(void)state;
	enable_hotplug(&a, 1);
	guest_ring_stop(&a, false, 0);
	assert_true(pci_write(&hosts[0].pci, 0x44, &enable, 2));
	let_time_pass(20);
	assert_true(pci_read(&hosts[0].pci, 0x44, &pm, 2));
	assert_int_equal(pm & 1 << 15, 0);
	fabric_plug(&fabric, 0, true);
	let_time_pass(100);
	assert_true(pci_read(&hosts[0].pci, 0x44, &pm, 2));
	assert_int_equal(pm, 1 << 15 | 1 << 8 | 1 << 3 | 3);
	pm = 1 << 15;
	assert_true(pci_write(&hosts[0].pci, 0x44, &pm, 2));
	assert_true(pci_read(&hosts[0].pci, 0x44, &pm, 2));
	assert_int_equal(pm, 1 << 3);
	guest_ring(&a, false, 0, RING_OPT_RAW);
	let_time_pass(20);
	expect_event(&a, 1, CTL_PLUG);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_plug_events),
		test(test_unplug_comes_first),
		test(test_port_reset_reaches_both),
		test(test_port_reset_retrains),
		test(test_xdomain_packet),
		test(test_flood),
		test(test_bonding),
		test(test_wakes_suspended_driver),
	};

	return cmocka_run_group_tests_name("ring0", tests, NULL, NULL);
}
