// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire_test.h"

WIRE_TEST_GET(accept)

static void accept_is_the_golden_one(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("accept", WIRE_TYPE_ACCEPT, &len), buf[256];
	struct wire_accept accept;

	(void)state;
	assert_int_equal(wire_accept_get(payload, len, &accept), 0);
	assert_false(accept.refused);
	assert_false(accept.more);
	assert_int_equal(accept.first, 5);
	assert_int_equal(accept.have_first, 0);
	assert_int_equal(accept.have, 5);
	assert_ptr_equal(accept.digests + 5 * DIGEST_SIZE, payload + len);
	assert_string_equal(accept.sentence, "");
	wire_test_same(wire_accept_put(&accept, buf, len), buf, payload, len);
	assert_int_equal(wire_accept_put(&accept, buf, len - 1), -ENOBUFS);
	free(payload);
}

/* The first two of five digests; the others come in another ACCEPT. */
static void accept_of_a_part_is_the_golden_one(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("accept-more", WIRE_TYPE_ACCEPT, &len), buf[256];
	struct wire_accept accept;

	(void)state;
	assert_int_equal(wire_accept_get(payload, len, &accept), 0);
	assert_false(accept.refused);
	assert_true(accept.more);
	assert_int_equal(accept.first, 5);
	assert_int_equal(accept.have_first, 0);
	assert_int_equal(accept.have, 2);
	wire_test_same(wire_accept_put(&accept, buf, len), buf, payload, len);
	accept.have = 0;
	assert_int_equal(wire_accept_put(&accept, buf, len), -EINVAL);
	free(payload);
}

static void accept_says_whether_chunks_may_come_again(void **state)
{
	struct wire_accept accept = {.fills = true};
	uint8_t buf[64];

	(void)state;
	assert_int_equal(wire_accept_put(&accept, buf, sizeof(buf)), 24);
	assert_int_equal(buf[1], 1);
	accept.fills = false;
	assert_int_equal(wire_accept_get(buf, 24, &accept), 0);
	assert_true(accept.fills);
	buf[1] = 4;
	assert_int_equal(wire_accept_get(buf, 24, &accept), -EBADMSG);
	buf[1] = 5;
	assert_int_equal(wire_accept_get(buf, 24, &accept), -EBADMSG);
	/* A refusal is nothing else. */
	accept = (struct wire_accept){.refused = true, .sentence = "no", .fills = true};
	assert_int_equal(wire_accept_put(&accept, buf, sizeof(buf)), 26);
	assert_int_equal(buf[1], 0);
	buf[1] = 1;
	assert_int_equal(wire_accept_get(buf, 26, &accept), -EBADMSG);
}

/* The flags of each chunk stand behind all digests. */
static void accept_tells_of_flags(void **state)
{
	const uint8_t digests[2 * DIGEST_SIZE] = {1}, flags[2] = {0, WIRE_HAVE_FLAGS};
	struct wire_accept accept = {.first = 2, .have = 2, .digests = digests, .flags = flags};
	const size_t len = 24 + sizeof(digests) + sizeof(flags);
	uint8_t buf[64];

	(void)state;
	assert_int_equal(wire_accept_put(&accept, buf, len - 1), -ENOBUFS);
	assert_int_equal(wire_accept_put(&accept, buf, sizeof(buf)), len);
	assert_int_equal(buf[1], 2);
	assert_int_equal(wire_accept_get(buf, len, &accept), 0);
	assert_memory_equal(accept.digests, digests, sizeof(digests));
	assert_memory_equal(accept.flags, flags, sizeof(flags));
	assert_int_equal(wire_accept_get(buf, len - 1, &accept), -EBADMSG);
	assert_int_equal(wire_accept_get(buf, len - 2, &accept), -EBADMSG);
	/* ZERO is none of them, nor what no entry has. */
	for (int bit = 0; bit < 8; bit++) {
		buf[len - 2] = 1u << bit;
		assert_int_equal(wire_accept_get(buf, len, &accept),
				 1u << bit & WIRE_HAVE_FLAGS ? 0 : -EBADMSG);
	}
	buf[len - 2] = 0;
	/* Without the bit they are too much. */
	buf[1] = 0;
	assert_int_equal(wire_accept_get(buf, len, &accept), -EBADMSG);
	assert_int_equal(wire_accept_get(buf, len - 2, &accept), 0);
	assert_null(accept.flags);
	/* Of no chunk there are none. */
	accept = (struct wire_accept){.flags = flags};
	assert_int_equal(wire_accept_put(&accept, buf, sizeof(buf)), 24);
	assert_int_equal(buf[1], 0);
	buf[1] = 2;
	assert_int_equal(wire_accept_get(buf, 24, &accept), -EBADMSG);
}

static void accept_refusal_is_the_golden_one(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("refusal", WIRE_TYPE_ACCEPT, &len), buf[256];
	struct wire_accept accept;

	(void)state;
	assert_int_equal(wire_accept_get(payload, len, &accept), 0);
	assert_true(accept.refused);
	assert_string_equal(accept.sentence, "the target holds 4096 bytes, the source 25084: "
					     "choose a larger one");
	accept.first = accept.have_first = accept.have = 77; /* of no meaning in a refusal */
	accept.digests = NULL;
	wire_test_same(wire_accept_put(&accept, buf, len), buf, payload, len);
	assert_int_equal(wire_accept_put(&accept, buf, len - 1), -ENOBUFS);
	free(payload);
}

static void accept_get_refuses_other_lengths(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("accept", WIRE_TYPE_ACCEPT, &len);

	(void)state;
	wire_test_truncated(get_accept, payload, len);
	wire_test_longer(get_accept, payload, len);
	free(payload);
	payload = wire_test_payload("refusal", WIRE_TYPE_ACCEPT, &len);
	wire_test_truncated(get_accept, payload, 25); /* a refusal says why */
	free(payload);
}

static void accept_get_refuses_fields_out_of_bounds(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("accept", WIRE_TYPE_ACCEPT, &len), none[24];

	(void)state;
	wire_test_field(get_accept, payload, len, 0, 1, 3);
	wire_test_field(get_accept, payload, len, 0, 1, 1); /* a refusal that names digests */
	wire_test_field(get_accept, payload, len, 1, 1, 2);
	wire_test_field(get_accept, payload, len, 2, 1, 1);
	wire_test_field(get_accept, payload, len, 3, 1, 1);
	wire_test_field(get_accept, payload, len, 4, 4, 4); /* have */
	wire_test_field(get_accept, payload, len, 4, 4, 6);
	wire_test_field(get_accept, payload, len, 4, 4, 0x10000005); /* times 16 wraps to 5 * 16 */
	wire_test_field(get_accept, payload, len, 4, 4, UINT32_MAX);
	wire_test_field(get_accept, payload, len, 8, 8, 4); /* first */
	wire_test_field(get_accept, payload, len, 8, 8, CHUNK_COUNT_MOST + 1ull);
	wire_test_field(get_accept, payload, len, 8, 8, UINT64_MAX);
	wire_test_field(get_accept, payload, len, 16, 8, 1); /* have_first */
	wire_test_field(get_accept, payload, len, 16, 8, UINT64_MAX);
	free(payload);
	memset(none, 0, sizeof(none));
	assert_int_equal(get_accept(none, sizeof(none)), 0);
	none[0] = 2; /* more of nothing */
	assert_int_equal(get_accept(none, sizeof(none)), -EBADMSG);
}

static void accept_get_refuses_a_malformed_refusal(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("refusal", WIRE_TYPE_ACCEPT, &len), *longer;

	(void)state;
	wire_test_field(get_accept, payload, len, 0, 1, 0);
	wire_test_field(get_accept, payload, len, 4, 4, 1);
	wire_test_field(get_accept, payload, len, 8, 8, 1);
	wire_test_field(get_accept, payload, len, 16, 8, 1);
	wire_test_field(get_accept, payload, len, 24, 1, 0);
	wire_test_field(get_accept, payload, len, 30, 1, '\n');
	wire_test_field(get_accept, payload, len, len - 1, 1, 0xc3);
	longer = malloc(24 + WIRE_SENTENCE_MOST + 1);
	assert_non_null(longer);
	memcpy(longer, payload, 24);
	memset(longer + 24, 'x', WIRE_SENTENCE_MOST + 1);
	assert_int_equal(get_accept(longer, 24 + WIRE_SENTENCE_MOST), 0);
	assert_int_equal(get_accept(longer, 24 + WIRE_SENTENCE_MOST + 1), -EBADMSG);
	free(longer);
	free(payload);
}

static void accept_put_refuses_fields_out_of_bounds(void **state)
{
	static uint8_t digests[WIRE_HAVE_MOST * DIGEST_SIZE];
	static uint8_t buf[sizeof(digests) + 24];
	struct wire_accept accept = {
		.first = WIRE_HAVE_MOST, .have = WIRE_HAVE_MOST, .digests = digests};

	(void)state;
	assert_int_equal(wire_accept_put(&accept, buf, sizeof(buf)), sizeof(buf));
	assert_int_equal(get_accept(buf, sizeof(buf)), 0);
	accept.first = accept.have = WIRE_HAVE_MOST + 1;
	assert_int_equal(wire_accept_put(&accept, buf, sizeof(buf)), -EINVAL);
	accept.first = CHUNK_COUNT_MOST;
	accept.have = 0;
	assert_int_equal(wire_accept_put(&accept, buf, sizeof(buf)), 24);
	assert_int_equal(get_accept(buf, 24), 0);
	accept.first = CHUNK_COUNT_MOST + 1ull;
	accept.have = 0;
	assert_int_equal(wire_accept_put(&accept, buf, sizeof(buf)), -EINVAL);
	accept.first = 5;
	accept.have = 1;
	accept.have_first = 5;
	assert_int_equal(wire_accept_put(&accept, buf, sizeof(buf)), -EINVAL);
	accept.have_first = 0;
	accept.refused = true; /* without a sentence */
	assert_int_equal(wire_accept_put(&accept, buf, sizeof(buf)), -EINVAL);
	accept.refused = false;
	strcpy(accept.sentence, "and yet");
	assert_int_equal(wire_accept_put(&accept, buf, sizeof(buf)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accept_is_the_golden_one),
		cmocka_unit_test(accept_of_a_part_is_the_golden_one),
		cmocka_unit_test(accept_says_whether_chunks_may_come_again),
		cmocka_unit_test(accept_tells_of_flags),
		cmocka_unit_test(accept_refusal_is_the_golden_one),
		cmocka_unit_test(accept_get_refuses_other_lengths),
		cmocka_unit_test(accept_get_refuses_fields_out_of_bounds),
		cmocka_unit_test(accept_get_refuses_a_malformed_refusal),
		cmocka_unit_test(accept_put_refuses_fields_out_of_bounds),
	};

	return cmocka_run_group_tests_name("wire_accept", tests, NULL, NULL);
}
