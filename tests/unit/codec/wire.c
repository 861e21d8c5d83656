// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire_test.h"

static const struct {
	const char *name;
	struct wire_header header;
} wire_golden[] = {
	{"hello", {1, WIRE_TYPE_HELLO, 0, 0, 256, 0}},
	{"offer", {1, WIRE_TYPE_OFFER, 0, 1, 0, 0}},
	{"accept", {1, WIRE_TYPE_ACCEPT, 0, 1, 104, 0}},
	{"accept-more", {1, WIRE_TYPE_ACCEPT, 0, 1, 56, 0}},
	{"refusal", {1, WIRE_TYPE_ACCEPT, 0, 1, 0, 0}},
	{"data", {1, WIRE_TYPE_DATA, 0, 2, 0, 0}},
	{"zero", {1, WIRE_TYPE_ZERO, 0, 3, 24, 0}},
	{"ack", {1, WIRE_TYPE_ACK, 0, 2, 8, 0}},
	{"end", {1, WIRE_TYPE_END, 0, 11, 32, 0}},
	{"result", {1, WIRE_TYPE_RESULT, 0, 8, 0, 0}},
	{"bye", {1, WIRE_TYPE_BYE, 0, 12, 0, 0}},
	{"abort", {1, WIRE_TYPE_ABORT, 0, 4, 11, 0}},
	{"keepalive", {1, WIRE_TYPE_KEEPALIVE, 0, 1, 8, 0}},
	{"unreadable", {1, WIRE_TYPE_UNREADABLE, 0, 11, 24, 0}},
	{"shell", {1, WIRE_TYPE_SHELL, 0, 1, 22, 0}},
	{"window", {1, WIRE_TYPE_WINDOW, 0, 2, 4, 0}},
	{"bytes", {1, WIRE_TYPE_BYTES, 0, 3, 11, 0}},
	{"taken", {1, WIRE_TYPE_TAKEN, 0, 4, 8, 0}},
	{"exit", {1, WIRE_TYPE_EXIT, 0, 5, 4, 0}},
	{"time", {1, WIRE_TYPE_TIME, 0, 9, 24, 0}},
};

/* RFC 3720 appendix B.4, and the check value of the CRC catalogues. */
static void crc32c_gives_the_known_answers(void **state)
{
	static const uint8_t read10[48] = {0x01, 0xc0, 0, 0,	0,    0, 0, 0,	  0,	0, 0, 0,
					   0,	 0,    0, 0,	0x14, 0, 0, 0,	  0,	0, 4, 0,
					   0,	 0,    0, 0x14, 0,    0, 0, 0x18, 0x28, 0, 0, 0,
					   0,	 0,    0, 0,	2,    0, 0, 0,	  0,	0, 0, 0};
	uint8_t data[32];

	(void)state;
	assert_int_equal(wire_crc32c("", 0), 0);
	assert_int_equal(wire_crc32c("123456789", 9), 0xe3069283);
	memset(data, 0, sizeof(data));
	assert_int_equal(wire_crc32c(data, sizeof(data)), 0x8a9136aa);
	memset(data, 0xff, sizeof(data));
	assert_int_equal(wire_crc32c(data, sizeof(data)), 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		data[i] = i;
	assert_int_equal(wire_crc32c(data, sizeof(data)), 0x46dd794e);
	for (uint8_t i = 0; i < 32; i++)
		data[i] = 31 - i;
	assert_int_equal(wire_crc32c(data, sizeof(data)), 0x113fdb5c);
	assert_int_equal(wire_crc32c(read10, sizeof(read10)), 0xd9963a56);
}

static void header_is_the_golden_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wire_golden) / sizeof(wire_golden[0]); i++) {
		struct wire_header header = wire_golden[i].header, read;
		uint8_t buf[WIRE_HEADER], *record;
		char path[64];
		size_t len;

		snprintf(path, sizeof(path), "records/%s.bin", wire_golden[i].name);
		record = test_golden(path, &len);
		assert_true(header.length == 0 || header.length == len - WIRE_HEADER);
		header.length = (uint32_t)(len - WIRE_HEADER);
		header.payload_hash = wire_payload_hash(record + WIRE_HEADER, header.length);
		wire_header_put(&header, buf);
		assert_memory_equal(buf, record, WIRE_HEADER);
		assert_int_equal(wire_header_get(record, &read), 0);
		assert_int_equal(read.version, header.version);
		assert_int_equal(read.type, header.type);
		assert_int_equal(read.flags, header.flags);
		assert_int_equal(read.sequence, header.sequence);
		assert_int_equal(read.length, header.length);
		assert_int_equal(read.payload_hash, header.payload_hash);
		free(record);
	}
}

static const struct wire_header wire_full = {
	.version = 0xff,
	.type = 0xfe,
	.flags = 0x0102,
	.sequence = 0x0708090a0b0c0d0e,
	.length = WIRE_PAYLOAD_MOST,
	.payload_hash = 0xf1f2f3f4f5f6f7f8,
};

static void header_keeps_every_field(void **state)
{
	struct wire_header read;
	uint8_t buf[WIRE_HEADER];

	(void)state;
	wire_header_put(&wire_full, buf);
	assert_int_equal(wire_header_get(buf, &read), 0);
	assert_int_equal(read.version, wire_full.version);
	assert_int_equal(read.type, wire_full.type);
	assert_int_equal(read.flags, wire_full.flags);
	assert_int_equal(read.sequence, wire_full.sequence);
	assert_int_equal(read.length, wire_full.length);
	assert_int_equal(read.payload_hash, wire_full.payload_hash);
}

static void header_refuses_every_flipped_bit(void **state)
{
	struct wire_header read;
	uint8_t buf[WIRE_HEADER];

	(void)state;
	wire_header_put(&wire_full, buf);
	for (size_t bit = 0; bit < 8 * WIRE_HEADER; bit++) {
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		test_unset(&read, sizeof(read));
		assert_int_equal(wire_header_get(buf, &read), -EBADMSG);
		test_assert_unset(&read, sizeof(read));
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* Puts the right CRC behind a header that was changed by hand. */
static void wire_seal(uint8_t buf[WIRE_HEADER])
{
	uint32_t crc = wire_crc32c(buf, WIRE_HEADER - 4);

	for (int i = 0; i < 4; i++)
		buf[WIRE_HEADER - 4 + i] = (uint8_t)(crc >> (8 * i));
}

static void header_refuses_another_magic_with_a_right_crc(void **state)
{
	struct wire_header read;
	uint8_t buf[WIRE_HEADER];

	(void)state;
	wire_header_put(&wire_full, buf);
	buf[3] = '2';
	wire_seal(buf);
	assert_int_equal(wire_header_get(buf, &read), -EBADMSG);
}

static void header_refuses_a_length_above_the_most(void **state)
{
	struct wire_header header = wire_full, read;
	uint8_t buf[WIRE_HEADER];

	(void)state;
	header.length = WIRE_PAYLOAD_MOST + 1;
	wire_header_put(&header, buf);
	assert_int_equal(wire_header_get(buf, &read), -EBADMSG);
	header.length = UINT32_MAX;
	wire_header_put(&header, buf);
	assert_int_equal(wire_header_get(buf, &read), -EBADMSG);
}

static void header_leaves_room_for_a_later_version(void **state)
{
	struct wire_header read;
	uint8_t buf[WIRE_HEADER];

	(void)state;
	wire_header_put(&wire_full, buf);
	for (size_t i = 32; i < WIRE_HEADER - 4; i++)
		assert_int_equal(buf[i], 0);
	for (size_t i = 8; i < 12; i++)
		assert_int_equal(buf[i], 0);
	memset(buf + 32, 0xee, 12);
	memset(buf + 8, 0xee, 4);
	wire_seal(buf);
	assert_int_equal(wire_header_get(buf, &read), 0);
	assert_int_equal(read.payload_hash, wire_full.payload_hash);
}

static void find_sees_a_header_at_every_offset(void **state)
{
	(void)state;
	for (size_t at = 0; at < 100; at++) {
		uint8_t *buf = malloc(at + WIRE_HEADER);

		assert_non_null(buf);
		memset(buf, 'T', at);
		wire_header_put(&wire_full, buf + at);
		assert_int_equal(wire_header_find(buf, at + WIRE_HEADER), at);
		free(buf);
	}
}

static void find_sees_a_magic_that_the_end_cuts(void **state)
{
	uint8_t *buf;

	(void)state;
	buf = test_copy("xxxTBS1", 7);
	for (size_t len = 4; len <= 7; len++) {
		uint8_t *part = test_copy(buf, len);

		assert_int_equal(wire_header_find(part, len), 3);
		free(part);
	}
	free(buf);
}

static void find_passes_what_only_begins_alike(void **state)
{
	(void)state;
	assert_int_equal(wire_header_find("", 0), 0);
	assert_int_equal(wire_header_find("no", 2), 2);
	assert_int_equal(wire_header_find("TBS2TBX1TxTB", 12), 10);
	assert_int_equal(wire_header_find("TTBS1", 5), 1);
	assert_int_equal(wire_header_find("TBTBS1", 6), 2);
	assert_int_equal(wire_header_find("TBS2TBSx", 8), 8);
}

static void every_type_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(wire_type_name(0), "unknown");
	for (uint8_t type = WIRE_TYPE_HELLO; type <= WIRE_TYPE_EXIT; type++) {
		bool used = type != 7 && type != 8;

		assert_int_equal(strcmp(wire_type_name(type), "unknown") != 0, used);
	}
	assert_string_equal(wire_type_name(WIRE_TYPE_ACCEPT), "ACCEPT");
	for (int type = WIRE_TYPE_EXIT + 1; type < 256; type++)
		assert_string_equal(wire_type_name((uint8_t)type),
				    type == WIRE_TYPE_TIME ? "TIME" : "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c_gives_the_known_answers),
		cmocka_unit_test(header_is_the_golden_one),
		cmocka_unit_test(header_keeps_every_field),
		cmocka_unit_test(header_refuses_every_flipped_bit),
		cmocka_unit_test(header_refuses_another_magic_with_a_right_crc),
		cmocka_unit_test(header_refuses_a_length_above_the_most),
		cmocka_unit_test(header_leaves_room_for_a_later_version),
		cmocka_unit_test(find_sees_a_header_at_every_offset),
		cmocka_unit_test(find_sees_a_magic_that_the_end_cuts),
		cmocka_unit_test(find_passes_what_only_begins_alike),
		cmocka_unit_test(every_type_has_a_name),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
