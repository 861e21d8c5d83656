// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl.h"

/* The vectors of RFC 3720, appendix B.4, and of the CRC catalogue. */
static void test_crc_known_answers(void **state)
{
	uint8_t data[32];

	(void)state;
	assert_int_equal(~ctl_crc32c("123456789", 9), 0xe3069283);
	memset(data, 0, sizeof(data));
	assert_int_equal(~ctl_crc32c(data, sizeof(data)), 0x8a9136aa);
	memset(data, 0xff, sizeof(data));
	assert_int_equal(~ctl_crc32c(data, sizeof(data)), 0x62a8ab43);
	for (uint8_t i = 0; i < sizeof(data); i++)
		data[i] = i;
	assert_int_equal(~ctl_crc32c(data, sizeof(data)), 0x46dd794e);
	assert_int_equal(~ctl_crc32c(data, 0), 0);
}

/* Written by hand: read one word of the router space at 0, sequence number 1. */
static const uint8_t read_request[] = {
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* route */
	0x0c, 0x00, 0x20, 0x00, /* sequence 1, space 2, adapter 0, length 1, offset 0 */
	0xd9, 0x8d, 0x04, 0x4a,
};

static void test_parse_read(void **state)
{
	struct ctl_packet packet;
	struct ctl_request request;

	(void)state;
	assert_int_equal(ctl_parse(CTL_READ, read_request, sizeof(read_request), &packet), 0);
	assert_int_equal(packet.count, 3);
	assert_true(ctl_parse_request(&packet, &request));
	assert_int_equal(request.route, 0);
	assert_int_equal(request.space, CTL_SPACE_ROUTER);
	assert_int_equal(request.adapter, 0);
	assert_int_equal(request.offset, 0);
	assert_int_equal(request.length, 1);
	assert_int_equal(request.sequence, 1);
}

static void test_build_plug_event(void **state)
{
	static const uint8_t expected[] = {
		0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x01, 0x10, 0x45, 0xf6, 0xc6,
	};
	struct ctl_packet packet;
	uint8_t frame[CTL_FRAME_MAX];

	(void)state;
	ctl_make_plug_event(&packet, 1, CTL_PLUG);
	assert_int_equal(packet.type, CTL_EVENT);
	assert_int_equal(ctl_build(&packet, frame), sizeof(expected));
	assert_memory_equal(frame, expected, sizeof(expected));
	ctl_make_plug_event(&packet, 3, CTL_UNPLUG);
	assert_int_equal(packet.words[2], 0x80000003);
}

static void test_parse_refuses(void **state)
{
	uint8_t frame[CTL_FRAME_MAX + 4] = {0};
	struct ctl_packet packet;

	(void)state;
	memcpy(frame, read_request, sizeof(read_request));
	for (size_t i = 0; i < sizeof(read_request) * 8; i++) {
		frame[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(ctl_parse(CTL_READ, frame, sizeof(read_request), &packet),
				 -EBADMSG);
		frame[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	assert_int_equal(ctl_parse(CTL_READ, frame, 0, &packet), -EMSGSIZE);
	assert_int_equal(ctl_parse(CTL_READ, frame, 8, &packet), -EMSGSIZE);
	assert_int_equal(ctl_parse(CTL_READ, frame, 15, &packet), -EMSGSIZE);
	assert_int_equal(ctl_parse(CTL_READ, frame, sizeof(frame), &packet), -EMSGSIZE);
	assert_int_equal(ctl_parse(CTL_READ, frame, CTL_FRAME_MAX, &packet), -EBADMSG);
}

static void test_request_refuses(void **state)
{
	struct ctl_packet packet = {.type = CTL_WRITE, .count = 4};
	struct ctl_request request;

	(void)state;
	packet.words[2] = 1 << 13;
	assert_true(ctl_parse_request(&packet, &request));
	assert_ptr_equal(ctl_request_data(&packet), &packet.words[3]);
	packet.words[2] = 2 << 13; /* says two words, brings one */
	assert_false(ctl_parse_request(&packet, &request));
	packet.words[2] = 0;
	assert_false(ctl_parse_request(&packet, &request));
	packet.type = CTL_READ;
	packet.count = 3;
	packet.words[2] = CTL_DATA_MAX << 13;
	assert_true(ctl_parse_request(&packet, &request));
	packet.words[2] = (CTL_DATA_MAX + 1) << 13;
	assert_false(ctl_parse_request(&packet, &request));
	packet.count = 2;
	assert_false(ctl_parse_request(&packet, &request));
}

static void test_replies(void **state)
{
	const struct ctl_request request = {.space = CTL_SPACE_PATH,
					    .adapter = 9,
					    .offset = 0x1fff,
					    .length = 2,
					    .sequence = 3};
	const uint32_t data[] = {0xdeadbeef, 1};
	struct ctl_packet packet;

	(void)state;
	ctl_make_reply(&packet, &request, 5, data);
	assert_int_equal(packet.type, CTL_READ);
	assert_int_equal(packet.count, 5);
	assert_int_equal(packet.words[0], CTL_REPLY_BIT);
	assert_int_equal(packet.words[2], 0x1fffu | 2 << 13 | 5 << 19 | 3 << 27);
	assert_int_equal(packet.words[3], 0xdeadbeef);
	ctl_make_reply(&packet, &request, 5, NULL);
	assert_int_equal(packet.type, CTL_WRITE);
	assert_int_equal(packet.count, 3);
	ctl_make_error(&packet, UINT64_C(0x200000001), 1, CTL_ERROR_LOOP);
	assert_int_equal(packet.words[0], CTL_REPLY_BIT | 2);
	assert_int_equal(packet.words[1], 1);
	assert_int_equal(packet.words[2], 1 << 8 | 8);
	assert_true(ctl_route(&packet) == UINT64_C(0x200000001));
}

static void test_plug_ack(void **state)
{
	struct ctl_packet packet = {.type = CTL_ERROR, .count = 3};
	unsigned int adapter;
	enum ctl_plug plug;

	(void)state;
	packet.words[2] = 7 | 3 << 8 | UINT32_C(3) << 30;
	assert_true(ctl_parse_plug_ack(&packet, &adapter, &plug));
	assert_int_equal(adapter, 3);
	assert_int_equal(plug, CTL_UNPLUG);
	packet.words[2] = 7 | 1 << 8 | UINT32_C(2) << 30;
	assert_true(ctl_parse_plug_ack(&packet, &adapter, &plug));
	assert_int_equal(plug, CTL_PLUG);
	packet.words[2] = 7 | 1 << 8;
	assert_false(ctl_parse_plug_ack(&packet, &adapter, &plug));
	packet.words[2] = 8 | UINT32_C(2) << 30;
	assert_false(ctl_parse_plug_ack(&packet, &adapter, &plug));
}

static void test_forward_xdomain(void **state)
{
	struct ctl_packet packet = {.type = CTL_XDOMAIN_REQUEST, .count = 4};

	(void)state;
	packet.words[0] = 5;
	packet.words[1] = 3;
	packet.words[3] = 0x12345678;
	ctl_forward_xdomain(&packet, 1);
	assert_int_equal(packet.words[0], CTL_REPLY_BIT);
	assert_int_equal(packet.words[1], 1);
	assert_int_equal(packet.words[3], 0x12345678);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc_known_answers), cmocka_unit_test(test_parse_read),
		cmocka_unit_test(test_build_plug_event),  cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_request_refuses),	  cmocka_unit_test(test_replies),
		cmocka_unit_test(test_plug_ack),	  cmocka_unit_test(test_forward_xdomain),
	};

	return cmocka_run_group_tests_name("ctl", tests, NULL, NULL);
}
