// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire_test.h"

WIRE_TEST_GET(hello)
WIRE_TEST_GET(offer)

static const struct wire_hello wire_hello_golden = {
	.role = WIRE_SENDER,
	.version_least = 1,
	.version_most = 1,
	.stream = "backup",
	.host = "K\303\274che",
	.program = "tbstream 0.1",
};

static void hello_is_the_golden_one(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("hello", WIRE_TYPE_HELLO, &len), buf[WIRE_HELLO];
	struct wire_hello hello;

	(void)state;
	assert_int_equal(wire_hello_get(payload, len, &hello), 0);
	assert_memory_equal(&hello, &wire_hello_golden, sizeof(hello));
	wire_test_same(wire_hello_put(&hello, buf, sizeof(buf)), buf, payload, len);
	free(payload);
}

static void hello_keeps_every_field_at_its_longest(void **state)
{
	struct wire_hello hello = {.role = WIRE_RECEIVER,
				   .version_least = 2,
				   .version_most = 255,
				   .capabilities = 0xfedcba98},
			  read;
	uint8_t buf[WIRE_HELLO];

	(void)state;
	memset(hello.transfer_id, 0xab, sizeof(hello.transfer_id));
	memset(hello.stream, 's', sizeof(hello.stream) - 1);
	memset(hello.host, 'h', sizeof(hello.host) - 1);
	memset(hello.program, 'p', sizeof(hello.program) - 1);
	assert_int_equal(wire_hello_put(&hello, buf, sizeof(buf)), WIRE_HELLO);
	assert_int_equal(wire_hello_get(buf, sizeof(buf), &read), 0);
	assert_memory_equal(&read, &hello, sizeof(hello));
}

static void hello_fits_into_one_frame_of_the_driver(void **state)
{
	(void)state;
	assert_true(WIRE_HEADER + WIRE_HELLO <= 4096);
}

static void hello_get_refuses_other_lengths(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("hello", WIRE_TYPE_HELLO, &len);

	(void)state;
	wire_test_truncated(get_hello, payload, len);
	wire_test_longer(get_hello, payload, len);
	free(payload);
}

static void hello_get_refuses_fields_out_of_bounds(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("hello", WIRE_TYPE_HELLO, &len);

	(void)state;
	wire_test_field(get_hello, payload, len, 0, 1, 0); /* role */
	wire_test_field(get_hello, payload, len, 0, 1, 5);
	wire_test_field(get_hello, payload, len, 1, 1, 0); /* least version */
	wire_test_field(get_hello, payload, len, 1, 1, 2); /* ... above the most */
	wire_test_field(get_hello, payload, len, 2, 1, 0);
	wire_test_field(get_hello, payload, len, 24, 1, '/'); /* the stream's name */
	wire_test_field(get_hello, payload, len, 24, 1, ' ');
	wire_test_field(get_hello, payload, len, 24, 1, 0xc3);
	wire_test_field(get_hello, payload, len, 31, 1, 'x'); /* behind its end */
	wire_test_field(get_hello, payload, len, 32, 1, 27);  /* the host's */
	wire_test_field(get_hello, payload, len, 33, 1, 'x');
	wire_test_field(get_hello, payload, len, 95, 1, 'x');
	wire_test_field(get_hello, payload, len, 96, 1, '\n'); /* the program's */
	wire_test_field(get_hello, payload, len, 127, 1, 'x');
	free(payload);
}

static void hello_get_passes_what_a_later_version_adds(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("hello", WIRE_TYPE_HELLO, &len);

	(void)state;
	payload[3] = 1;
	memset(payload + 128, 0xee, 128);
	assert_int_equal(get_hello(payload, len), 0);
	free(payload);
}

static void hello_put_refuses_fields_out_of_bounds(void **state)
{
	struct wire_hello hello = wire_hello_golden;
	uint8_t buf[WIRE_HELLO];

	(void)state;
	assert_int_equal(wire_hello_put(&hello, buf, WIRE_HELLO - 1), -ENOBUFS);
	hello.role = 0;
	assert_int_equal(wire_hello_put(&hello, buf, sizeof(buf)), -EINVAL);
	hello = wire_hello_golden;
	hello.version_least = 2;
	assert_int_equal(wire_hello_put(&hello, buf, sizeof(buf)), -EINVAL);
	hello = wire_hello_golden;
	strcpy(hello.stream, "a b");
	assert_int_equal(wire_hello_put(&hello, buf, sizeof(buf)), -EINVAL);
	memset(hello.stream, 'x', sizeof(hello.stream)); /* no NUL */
	assert_int_equal(wire_hello_put(&hello, buf, sizeof(buf)), -EINVAL);
}

static void hello_put_cleans_what_would_be_refused(void **state)
{
	struct wire_hello hello = wire_hello_golden, read;
	uint8_t buf[WIRE_HELLO];

	(void)state;
	strcpy(hello.host, "a\nb\377");
	memset(hello.program, 'p', 31);
	strcpy(hello.program + 31, "\303");
	assert_int_equal(wire_hello_put(&hello, buf, sizeof(buf)), WIRE_HELLO);
	assert_int_equal(wire_hello_get(buf, sizeof(buf), &read), 0);
	assert_string_equal(read.host, "a?b?");
	assert_int_equal(strlen(read.program), 31);
}

static void offer_is_the_golden_one(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("offer", WIRE_TYPE_OFFER, &len), buf[2048];
	struct wire_offer offer;

	(void)state;
	assert_int_equal(wire_offer_get(payload, len, &offer), 0);
	assert_int_equal(offer.head.map.size, 25084);
	assert_int_equal(offer.head.map.chunk_size, 4096);
	assert_int_equal(offer.manifest[0], '{');
	assert_int_equal(offer.manifest[offer.manifest_len - 1], '}');
	assert_ptr_equal(offer.manifest + offer.manifest_len, payload + len);
	wire_test_same(wire_offer_put(&offer, buf, sizeof(buf)), buf, payload, len);
	assert_int_equal(wire_offer_put(&offer, buf, len), len);
	assert_int_equal(wire_offer_put(&offer, buf, len - 1), -ENOBUFS);
	assert_int_equal(wire_offer_put(&offer, buf, 10), -ENOBUFS);
	free(payload);
}

static void offer_get_refuses_a_cut_head_or_no_manifest(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("offer", WIRE_TYPE_OFFER, &len);
	struct wire_offer offer;

	(void)state;
	assert_int_equal(wire_offer_get(payload, len, &offer), 0);
	wire_test_truncated(get_offer, payload, len - offer.manifest_len + 2);
	free(payload);
}

static void offer_get_refuses_a_damaged_head(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("offer", WIRE_TYPE_OFFER, &len);
	struct wire_offer offer;
	size_t head;

	(void)state;
	assert_int_equal(wire_offer_get(payload, len, &offer), 0);
	head = len - offer.manifest_len;
	for (size_t bit = 0; bit < 8 * head; bit++) {
		payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
		/* Byte 13 is HEAD's version, another one of which is told apart. */
		assert_int_equal(get_offer(payload, len),
				 bit / 8 == 13 ? -EPROTONOSUPPORT : -EBADMSG);
		payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	wire_test_field(get_offer, payload, len, 4, 4, UINT32_MAX); /* HEAD's length */
	free(payload);
}

static void offer_refuses_a_manifest_out_of_bounds(void **state)
{
	size_t len, room = 1024 + WIRE_MANIFEST_MOST + 1;
	uint8_t *payload = wire_test_payload("offer", WIRE_TYPE_OFFER, &len),
		*buf = calloc(1, room);
	char *text = calloc(1, WIRE_MANIFEST_MOST);
	struct wire_offer offer;
	size_t head;

	(void)state;
	assert_non_null(buf);
	assert_non_null(text);
	assert_int_equal(wire_offer_get(payload, len, &offer), 0);
	head = len - offer.manifest_len;
	offer.manifest_len = 2;
	assert_int_equal(wire_offer_put(&offer, buf, room), head + 2);
	assert_int_equal(get_offer(buf, head + 2), 0);
	offer.manifest = text;
	offer.manifest_len = WIRE_MANIFEST_MOST;
	assert_int_equal(wire_offer_put(&offer, buf, room), head + WIRE_MANIFEST_MOST);
	offer.manifest_len = 1;
	assert_int_equal(wire_offer_put(&offer, buf, room), -EINVAL);
	offer.manifest_len = WIRE_MANIFEST_MOST + 1;
	assert_int_equal(wire_offer_put(&offer, buf, room), -EINVAL);
	memcpy(buf, payload, head);
	assert_int_equal(get_offer(buf, head + WIRE_MANIFEST_MOST), 0);
	assert_int_equal(get_offer(buf, head + WIRE_MANIFEST_MOST + 1), -EBADMSG);
	free(text);
	free(buf);
	free(payload);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_is_the_golden_one),
		cmocka_unit_test(hello_keeps_every_field_at_its_longest),
		cmocka_unit_test(hello_fits_into_one_frame_of_the_driver),
		cmocka_unit_test(hello_get_refuses_other_lengths),
		cmocka_unit_test(hello_get_refuses_fields_out_of_bounds),
		cmocka_unit_test(hello_get_passes_what_a_later_version_adds),
		cmocka_unit_test(hello_put_refuses_fields_out_of_bounds),
		cmocka_unit_test(hello_put_cleans_what_would_be_refused),
		cmocka_unit_test(offer_is_the_golden_one),
		cmocka_unit_test(offer_get_refuses_a_cut_head_or_no_manifest),
		cmocka_unit_test(offer_get_refuses_a_damaged_head),
		cmocka_unit_test(offer_refuses_a_manifest_out_of_bounds),
	};

	return cmocka_run_group_tests_name("wire_open", tests, NULL, NULL);
}
