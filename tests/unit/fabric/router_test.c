// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "router.h"

#define PORTS	 2u
#define UPSTREAM 5u /* 2 * PORTS + 1 */

static struct router router;
static bool linked;
static unsigned int changed, configured, forwarded, acked;
static struct ctl_packet packet;

static bool on_port_linked(void *ctx, unsigned int port)
{
	(void)ctx;
	return linked && port == 1;
}

static void on_port_changed(void *ctx, unsigned int port)
{
	(void)ctx;
	changed = port + 1;
}

static void on_configured(void *ctx)
{
	(void)ctx;
	configured++;
}

static void on_xdomain(void *ctx, unsigned int port, struct ctl_packet *sent)
{
	(void)ctx;
	assert_ptr_equal(sent, &packet);
	forwarded = port + 1;
}

static void on_plug_acked(void *ctx, unsigned int port, enum ctl_plug plug)
{
	(void)ctx;
	acked = (port + 1) * 10 + plug;
}

static const struct router_ops ops = {
	.port_linked = on_port_linked,
	.port_changed = on_port_changed,
	.configured = on_configured,
	.xdomain = on_xdomain,
	.plug_acked = on_plug_acked,
};

static int setup(void **state)
{
	(void)state;
	linked = false;
	changed = configured = forwarded = acked = 0;
	router_init(&router, PORTS, 1, UINT64_C(0x8877665544332211), &ops, NULL);
	return 0;
}

/* Sends a read or a write of one word; true if the reply is no error. */
static bool request(enum ctl_type type, uint32_t route, unsigned int adapter, enum ctl_space space,
		    unsigned int word, uint32_t value)
{
	packet.type = type;
	packet.count = type == CTL_WRITE ? 4 : 3;
	packet.words[0] = 0;
	packet.words[1] = route;
	packet.words[2] = word | 1 << 13 | adapter << 19 | (uint32_t)space << 25 | 2 << 27;
	packet.words[3] = value;
	assert_true(router_handle(&router, &packet));
	assert_int_equal(packet.words[0], CTL_REPLY_BIT);
	assert_int_equal(packet.words[1], route);
	if (packet.type == CTL_ERROR)
		return false;
	assert_int_equal(packet.type, type);
	assert_int_equal(packet.words[2] >> 27, 2);
	return true;
}

static uint32_t read_word(unsigned int adapter, enum ctl_space space, unsigned int word)
{
	assert_true(request(CTL_READ, 0, adapter, space, word, 0));
	assert_int_equal(packet.count, 4);
	return packet.words[3];
}

static void write_word(unsigned int adapter, enum ctl_space space, unsigned int word,
		       uint32_t value)
{
	assert_true(request(CTL_WRITE, 0, adapter, space, word, value));
	assert_int_equal(packet.count, 3);
}

static unsigned int error_code(void)
{
	assert_int_equal(packet.count, 3);
	return packet.words[2] & 0xff;
}

static void test_router_identity(void **state)
{
	uint32_t word;

	(void)state;
	word = read_word(0, CTL_SPACE_ROUTER, 1);
	assert_int_equal(packet.words[2] >> 19 & 0x3f, UPSTREAM);
	assert_int_equal(word >> 8 & 0x3f, UPSTREAM);
	assert_int_equal(word >> 14 & 0x3f, UPSTREAM);
	assert_int_equal(read_word(0, CTL_SPACE_ROUTER, 4) >> 24, 0x20);
	assert_int_equal(read_word(0, CTL_SPACE_ROUTER, 7), 0x44332211);
	assert_int_equal(read_word(0, CTL_SPACE_ROUTER, 8), 0x88776655);
	assert_false(router_valid(&router));
	write_word(0, CTL_SPACE_ROUTER, 3, UINT32_C(1) << 31);
	assert_true(router_valid(&router));
	assert_int_equal(configured, 1);
	write_word(0, CTL_SPACE_ROUTER, 7, 0);
	assert_int_equal(read_word(0, CTL_SPACE_ROUTER, 7), 0x44332211);
}

/* Capability lists must end, and by reading word 0 as a header find none there. */
static void test_capabilities_end(void **state)
{
	(void)state;
	for (unsigned int adapter = 1; adapter <= UPSTREAM; adapter++) {
		unsigned int steps = 0, at;

		if (!request(CTL_READ, 0, adapter, CTL_SPACE_ADAPTER, 1, 0))
			continue;
		for (at = packet.words[3] & 0xff; at; at = packet.words[3] & 0xff) {
			read_word(adapter, CTL_SPACE_ADAPTER, at);
			assert_in_range(packet.words[3] >> 8 & 0xff, 1, 6);
			assert_true(++steps < 10);
		}
		read_word(adapter, CTL_SPACE_ADAPTER, 0);
		assert_in_range(packet.words[3] >> 8 & 0xff, 7, 255);
	}
	read_word(0, CTL_SPACE_ROUTER, 0);
	assert_in_range(packet.words[3] >> 8 & 0xff, 7, 255);
}

static void test_absent_adapters(void **state)
{
	(void)state;
	assert_false(request(CTL_READ, 0, 2, CTL_SPACE_ADAPTER, 0, 0)); /* lane 1 of port 0 */
	assert_int_equal(error_code(), CTL_ERROR_INVALID_SPACE);
	assert_false(request(CTL_READ, 0, 0, CTL_SPACE_ADAPTER, 0, 0));
	assert_int_equal(error_code(), CTL_ERROR_INVALID_SPACE);
	assert_false(request(CTL_READ, 0, UPSTREAM + 1, CTL_SPACE_ADAPTER, 0, 0));
	assert_int_equal(error_code(), CTL_ERROR_NO_SUCH_ADAPTER);
	assert_false(request(CTL_READ, 0, 63, CTL_SPACE_PATH, 0, 0));
	assert_int_equal(error_code(), CTL_ERROR_NO_SUCH_ADAPTER);
}

static void test_outside_spaces(void **state)
{
	(void)state;
	assert_false(request(CTL_READ, 0, 0, CTL_SPACE_ROUTER, ROUTER_WORDS, 0));
	assert_int_equal(error_code(), CTL_ERROR_INVALID_SPACE);
	assert_false(request(CTL_WRITE, 0, 1, CTL_SPACE_ADAPTER, ADAPTER_WORDS, 0));
	assert_false(request(CTL_WRITE, 0, 1, CTL_SPACE_PATH, 64, 0));
	assert_false(request(CTL_WRITE, 0, UPSTREAM, CTL_SPACE_PATH, 32, 0));
	assert_false(request(CTL_READ, 0, 1, CTL_SPACE_COUNTERS, 0, 0));
	assert_false(request(CTL_READ, 0, 0, CTL_SPACE_ROUTER, 0x1fff, 0));
}

static void test_routed_read(void **state)
{
	(void)state;
	assert_false(request(CTL_READ, 3, 0, CTL_SPACE_ROUTER, 0, 0));
	assert_int_equal(error_code(), CTL_ERROR_NOT_CONNECTED);
	linked = true;
	assert_false(request(CTL_READ, 3, 0, CTL_SPACE_ROUTER, 0, 0));
	assert_int_equal(error_code(), CTL_ERROR_LOOP);
	assert_false(request(CTL_READ, UPSTREAM, 0, CTL_SPACE_ROUTER, 0, 0));
	assert_int_equal(error_code(), CTL_ERROR_NO_SUCH_ADAPTER);
}

static void test_buffer_allocation(void **state)
{
	bool max_hi = false;
	uint32_t count;

	(void)state;
	write_word(0, CTL_SPACE_ROUTER, 0x1a, UINT32_C(1) << 31 | 0x33);
	assert_int_equal(read_word(0, CTL_SPACE_ROUTER, 0x1a), 0x33);
	count = read_word(0, CTL_SPACE_ROUTER, 0x19);
	assert_in_range(count, 1, 16);
	for (unsigned int i = 0; i < count; i++)
		max_hi |= (read_word(0, CTL_SPACE_ROUTER, 9 + i) & 0xffff) == 5;
	assert_true(max_hi);
	write_word(0, CTL_SPACE_ROUTER, 0x1a, UINT32_C(1) << 31 | 0x24);
	assert_int_equal(read_word(0, CTL_SPACE_ROUTER, 0x1a), UINT32_C(1) << 30 | 0x24);
}

static void test_sideband_answers_at_once(void **state)
{
	(void)state;
	write_word(1, CTL_SPACE_ADAPTER, 0x21, UINT32_C(1) << 31 | 4 << 8 | 1);
	assert_int_equal(read_word(1, CTL_SPACE_ADAPTER, 0x21), 1 << 25 | 4 << 8 | 1);
}

static void test_port_reset_is_seen(void **state)
{
	(void)state;
	assert_false(adapter_port_reset(router_lane(&router, 1, 0)));
	write_word(3, CTL_SPACE_ADAPTER, 0x33, 1);
	assert_int_equal(changed, 2);
	assert_true(adapter_port_reset(router_lane(&router, 1, 0)));
	assert_false(adapter_port_reset(router_lane(&router, 0, 0)));
}

static void test_path_write(void **state)
{
	struct path_hop hop;

	(void)state;
	write_word(UPSTREAM, CTL_SPACE_PATH, 2, UINT32_C(1) << 31 | 3 << 11 | 8);
	assert_int_equal(configured, 1);
	assert_true(path_lookup(&router_host_adapter(&router)->paths, 1, &hop));
	assert_int_equal(hop.out_adapter, 3);
	assert_int_equal(hop.next_hop, 8);
}

static void test_xdomain_is_forwarded(void **state)
{
	(void)state;
	packet = (struct ctl_packet){.type = CTL_XDOMAIN_REQUEST, .count = 8};
	packet.words[1] = 3;
	assert_false(router_handle(&router, &packet));
	assert_int_equal(forwarded, 2);
	packet.words[1] = 0x103; /* deeper: nothing is there */
	forwarded = 0;
	assert_false(router_handle(&router, &packet));
	packet.words[1] = 0;
	assert_false(router_handle(&router, &packet));
	packet.words[1] = UPSTREAM;
	assert_false(router_handle(&router, &packet));
	assert_int_equal(forwarded, 0);
}

static void test_plug_ack(void **state)
{
	(void)state;
	packet = (struct ctl_packet){.type = CTL_ERROR, .count = 3};
	packet.words[2] = 7 | 3 << 8 | UINT32_C(3) << 30;
	assert_false(router_handle(&router, &packet));
	assert_int_equal(acked, 2 * 10 + CTL_UNPLUG);
	acked = 0;
	packet.words[2] = 7 | 63 << 8 | UINT32_C(3) << 30;
	assert_false(router_handle(&router, &packet));
	assert_int_equal(acked, 0);
}

static void test_two_lanes(void **state)
{
	(void)state;
	router_init(&router, PORTS, 2, 1, &ops, NULL);
	assert_int_equal(read_word(2, CTL_SPACE_ADAPTER, 2), 1);
	assert_int_equal(read_word(1, CTL_SPACE_ADAPTER, 0x32) >> 8 & 1, 1); /* bonding */
	assert_int_equal(read_word(2, CTL_SPACE_ADAPTER, 9) >> 26 & 0xf, ADAPTER_UNPLUGGED);
}

#define test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_router_identity),
		test(test_capabilities_end),
		test(test_absent_adapters),
		test(test_outside_spaces),
		test(test_routed_read),
		test(test_buffer_allocation),
		test(test_sideband_answers_at_once),
		test(test_port_reset_is_seen),
		test(test_path_write),
		test(test_xdomain_is_forwarded),
		test(test_plug_ack),
		test(test_two_lanes),
	};

	return cmocka_run_group_tests_name("router", tests, NULL, NULL);
}
