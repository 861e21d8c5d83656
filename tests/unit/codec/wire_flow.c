// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire_test.h"

WIRE_TEST_GET(data)
WIRE_TEST_GET(zero)
WIRE_TEST_GET(ack)
WIRE_TEST_GET(time)

static void data_is_the_golden_one(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("data", WIRE_TYPE_DATA, &len), buf[WIRE_DATA];
	struct wire_data data;

	(void)state;
	assert_int_equal(wire_data_get(payload, len, &data), 0);
	assert_int_equal(data.index, 0);
	assert_int_equal(data.entry.flags, 0);
	assert_int_equal(data.entry.stored_size, len - WIRE_DATA);
	assert_ptr_equal(data.frame, payload + WIRE_DATA);
	assert_int_equal(pack_check(data.frame, data.entry.stored_size, 4096), 0);
	wire_test_same(wire_data_put(&data, buf), buf, payload, WIRE_DATA);
	free(payload);
}

static void data_get_refuses_other_lengths(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("data", WIRE_TYPE_DATA, &len);

	(void)state;
	wire_test_truncated(get_data, payload, len);
	wire_test_longer(get_data, payload, len);
	free(payload);
}

static void data_get_refuses_fields_out_of_bounds(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("data", WIRE_TYPE_DATA, &len);

	(void)state;
	wire_test_field(get_data, payload, len, 0, 8, CHUNK_COUNT_MOST);
	wire_test_field(get_data, payload, len, 0, 8, UINT64_MAX);
	wire_test_field(get_data, payload, len, 32, 4, 0); /* the frame's length */
	wire_test_field(get_data, payload, len, 32, 4, len - WIRE_DATA - 1);
	wire_test_field(get_data, payload, len, 32, 4, len - WIRE_DATA + 1);
	wire_test_field(get_data, payload, len, 32, 4, UINT32_MAX);
	wire_test_field(get_data, payload, len, 36, 4, 16); /* flags */
	wire_test_field(get_data, payload, len, 36, 4, 1u << 31);
	free(payload);
}

static void data_get_refuses_every_flipped_bit_of_the_frame(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("data", WIRE_TYPE_DATA, &len);

	(void)state;
	for (size_t bit = 8 * WIRE_DATA; bit < 8 * len; bit++) {
		payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(get_data(payload, len), -EBADMSG);
		payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t bit = 8 * 24; bit < 8 * 32; bit++) { /* its hash */
		payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(get_data(payload, len), -EBADMSG);
		payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	free(payload);
}

static void data_put_refuses_fields_out_of_bounds(void **state)
{
	struct wire_data data = {.index = CHUNK_COUNT_MOST - 1,
				 .entry = {.stored_size = PACK_FRAME_MOST}};
	uint8_t buf[WIRE_DATA];

	(void)state;
	assert_int_equal(wire_data_put(&data, buf), WIRE_DATA);
	test_unset(buf, sizeof(buf));
	data.index = CHUNK_COUNT_MOST;
	assert_int_equal(wire_data_put(&data, buf), -EINVAL);
	data.index = 0;
	data.entry.stored_size = PACK_FRAME_MOST + 1;
	assert_int_equal(wire_data_put(&data, buf), -EINVAL);
	data.entry.stored_size = PACK_FRAME_LEAST - 1;
	assert_int_equal(wire_data_put(&data, buf), -EINVAL);
	data.entry.stored_size = PACK_FRAME_LEAST;
	data.entry.flags = IMAGE_ENTRY_FLAGS + 1;
	assert_int_equal(wire_data_put(&data, buf), -EINVAL);
	test_assert_unset(buf, sizeof(buf));
}

static void zero_is_the_golden_one(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("zero", WIRE_TYPE_ZERO, &len), buf[64];
	struct wire_zero zero;

	(void)state;
	assert_int_equal(wire_zero_get(payload, len, &zero), 0);
	assert_int_equal(zero.first, 1);
	assert_int_equal(zero.count, 1);
	assert_int_equal(zero.flags, IMAGE_ENTRY_ZERO);
	zero.flags = 0; /* put adds it */
	wire_test_same(wire_zero_put(&zero, buf, len), buf, payload, len);
	assert_int_equal(wire_zero_put(&zero, buf, len - 1), -ENOBUFS);
	free(payload);
}

static void zero_get_refuses_malformed_ones(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("zero", WIRE_TYPE_ZERO, &len);

	(void)state;
	wire_test_truncated(get_zero, payload, len);
	wire_test_longer(get_zero, payload, len);
	wire_test_field(get_zero, payload, len, 0, 8, CHUNK_COUNT_MOST); /* first + count */
	wire_test_field(get_zero, payload, len, 0, 8, UINT64_MAX);	 /* ... wrapping to 0 */
	wire_test_field(get_zero, payload, len, 8, 8, 0);		 /* count */
	wire_test_field(get_zero, payload, len, 8, 8, CHUNK_COUNT_MOST);
	wire_test_field(get_zero, payload, len, 8, 8, UINT64_MAX);
	wire_test_field(get_zero, payload, len, 16, 4, 0); /* flags */
	wire_test_field(get_zero, payload, len, 16, 4, IMAGE_ENTRY_ZERO | IMAGE_ENTRY_SLOT);
	wire_test_field(get_zero, payload, len, 16, 4, IMAGE_ENTRY_UNALLOCATED);
	wire_test_field(get_zero, payload, len, 16, 4, 0x11);
	wire_test_field(get_zero, payload, len, 20, 4, 1); /* zeros */
	free(payload);
}

static void zero_put_refuses_fields_out_of_bounds(void **state)
{
	struct wire_zero zero = {.first = CHUNK_COUNT_MOST - 1, .count = 1, .flags = 0x7};
	uint8_t buf[64];

	(void)state;
	assert_int_equal(wire_zero_put(&zero, buf, sizeof(buf)), 24);
	assert_int_equal(get_zero(buf, 24), 0);
	assert_int_equal(wire_zero_put(&(struct wire_zero){.count = CHUNK_COUNT_MOST}, buf, 24),
			 24);
	assert_int_equal(get_zero(buf, 24), 0);
	zero.count = 2;
	assert_int_equal(wire_zero_put(&zero, buf, sizeof(buf)), -EINVAL);
	zero.count = 0;
	assert_int_equal(wire_zero_put(&zero, buf, sizeof(buf)), -EINVAL);
	zero.count = 1;
	zero.flags = 0x10;
	assert_int_equal(wire_zero_put(&zero, buf, sizeof(buf)), -EINVAL);
}

static void ack_is_the_golden_one(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("ack", WIRE_TYPE_ACK, &len), buf[64];
	struct wire_ack ack;

	(void)state;
	assert_int_equal(wire_ack_get(payload, len, &ack), 0);
	assert_int_equal(ack.chunks, 2);
	wire_test_same(wire_ack_put(&ack, buf, len), buf, payload, len);
	assert_int_equal(wire_ack_put(&ack, buf, len - 1), -ENOBUFS);
	free(payload);
}

static void keepalive_of_a_sender_is_the_golden_one(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("keepalive", WIRE_TYPE_KEEPALIVE, &len);
	struct wire_ack ack;

	(void)state;
	assert_int_equal(wire_ack_get(payload, len, &ack), 0);
	assert_int_equal(ack.chunks, 0);
	free(payload);
}

static void ack_refuses_malformed_ones(void **state)
{
	struct wire_ack ack = {.chunks = CHUNK_COUNT_MOST};
	size_t len;
	uint8_t *payload = wire_test_payload("ack", WIRE_TYPE_ACK, &len), buf[64];

	(void)state;
	wire_test_truncated(get_ack, payload, len);
	wire_test_longer(get_ack, payload, len);
	wire_test_field(get_ack, payload, len, 0, 8, CHUNK_COUNT_MOST + 1ull);
	wire_test_field(get_ack, payload, len, 0, 8, UINT64_MAX);
	assert_int_equal(wire_ack_put(&ack, buf, sizeof(buf)), 8);
	assert_int_equal(get_ack(buf, 8), 0);
	ack.chunks++;
	assert_int_equal(wire_ack_put(&ack, buf, sizeof(buf)), -EINVAL);
	free(payload);
}

static void time_is_the_golden_one(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("time", WIRE_TYPE_TIME, &len), buf[64];
	struct wire_time time;

	(void)state;
	assert_int_equal(wire_time_get(payload, len, &time), 0);
	assert_true(time.waited == 7100000000);
	assert_true(time.worked == 2200000000);
	assert_true(time.stored == 700000000);
	wire_test_same(wire_time_put(&time, buf, len), buf, payload, len);
	assert_int_equal(wire_time_put(&time, buf, len - 1), -ENOBUFS);
	free(payload);
}

static void time_refuses_malformed_ones(void **state)
{
	struct wire_time time = {.stored = UINT64_C(1) << 60};
	size_t len;
	uint8_t *payload = wire_test_payload("time", WIRE_TYPE_TIME, &len), buf[64];

	(void)state;
	wire_test_truncated(get_time, payload, len);
	wire_test_longer(get_time, payload, len);
	for (size_t at = 0; at < len; at += 8)
		wire_test_field(get_time, payload, len, at, 8, (UINT64_C(1) << 60) + 1);
	assert_int_equal(wire_time_put(&time, buf, sizeof(buf)), 24);
	time.stored++;
	assert_int_equal(wire_time_put(&time, buf, sizeof(buf)), -EINVAL);
	free(payload);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_is_the_golden_one),
		cmocka_unit_test(data_get_refuses_other_lengths),
		cmocka_unit_test(data_get_refuses_fields_out_of_bounds),
		cmocka_unit_test(data_get_refuses_every_flipped_bit_of_the_frame),
		cmocka_unit_test(data_put_refuses_fields_out_of_bounds),
		cmocka_unit_test(zero_is_the_golden_one),
		cmocka_unit_test(zero_get_refuses_malformed_ones),
		cmocka_unit_test(zero_put_refuses_fields_out_of_bounds),
		cmocka_unit_test(ack_is_the_golden_one),
		cmocka_unit_test(keepalive_of_a_sender_is_the_golden_one),
		cmocka_unit_test(ack_refuses_malformed_ones),
		cmocka_unit_test(time_is_the_golden_one),
		cmocka_unit_test(time_refuses_malformed_ones),
	};

	return cmocka_run_group_tests_name("wire_flow", tests, NULL, NULL);
}
