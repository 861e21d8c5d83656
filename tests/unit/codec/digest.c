// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec_test.h"

#include "codec/digest.h"
#include "codec/wire.h"

/* What xxhsum 0.8.1 prints (-H2, -H3, -H1) for the first bytes of digest_pattern. */
static const struct {
	size_t len;
	const char *chunk;
	uint64_t stored;
	uint64_t payload;
} digest_known[] = {
	{0, "99aa06d3014798d86001c324468d497f", 0x2d06800538d394c2, 0xef46db3751d8e999},
	{1, "a6cd5e9392000f6ac44bdff4074eecdb", 0xc44bdff4074eecdb, 0xe934a84adb052768},
	{3, "656e81c56e41fe02c3489259e968ad9e", 0xc3489259e968ad9e, 0x9ff70a635a6209ab},
	{16, "ddf6c1254d70f76794eaa17b20756f46", 0x9da23836adf2be1e, 0xed1dd2fac0a31fbc},
	{17, "263f67af63088041735fe434ded90c3c", 0xf34c3c9cf5a112d1, 0x758409c57cd5d0a2},
	{128, "dd9e5aa9bd51cc9cc6bd21ecc865f29f", 0x65f3c2c00fa93185, 0x6bd66a757cf20d64},
	{129, "00433635cf8d872e7f4accb76587485b", 0x28065c6ec25f5b25, 0x3fbc5a0162d80206},
	{240, "89e3a0a2ee355d25d10beb4e0599e4b3", 0x4917a75c0ef8eed7, 0x9f17f1fcbcbfb88e},
	{241, "75f4da43f23cce5a541b19226f0052e8", 0x541b19226f0052e8, 0x06f9e01b26bb1786},
	{1000, "bae798f9321bda6cd1db6a0afea2cc82", 0xd1db6a0afea2cc82, 0x698399d62f9c1695},
};
#define DIGEST_KNOWN (sizeof(digest_known) / sizeof(digest_known[0]))

static void digest_pattern(uint8_t buf[1000])
{
	for (unsigned int i = 0; i < 1000; i++)
		buf[i] = (uint8_t)(i * 7 + (i >> 8));
}

static void hashes_are_those_of_xxhsum(void **state)
{
	uint8_t pattern[1000];
	char text[DIGEST_TEXT];
	struct digest digest;

	(void)state;
	digest_pattern(pattern);
	for (size_t i = 0; i < DIGEST_KNOWN; i++) {
		uint8_t *data = test_copy(pattern, digest_known[i].len);

		digest_chunk(data, digest_known[i].len, &digest);
		digest_format(&digest, text);
		assert_string_equal(text, digest_known[i].chunk);
		assert_int_equal(digest_stored(data, digest_known[i].len), digest_known[i].stored);
		assert_int_equal(wire_payload_hash(data, digest_known[i].len),
				 digest_known[i].payload);
		free(data);
	}
}

static void running_digest_equals_the_whole(void **state)
{
	struct digest whole, running;
	struct digest_state parts;
	uint8_t pattern[1000];

	(void)state;
	digest_pattern(pattern);
	digest_chunk(pattern, sizeof(pattern), &whole);
	for (size_t step = 1; step <= sizeof(pattern); step = step * 2 + 1) {
		digest_start(&parts);
		for (size_t at = 0; at < sizeof(pattern); at += step) {
			size_t rest = sizeof(pattern) - at;

			digest_update(&parts, pattern + at, rest < step ? rest : step);
			digest_update(&parts, NULL, 0);
			digest_read(&parts, &running);
		}
		assert_true(digest_equal(&whole, &running));
	}
}

/* The processor's vectors are for one and not for the other. */
static void long_inputs_are_digested_alike(void **state)
{
	static uint8_t bytes[40000];
	struct digest whole, running;
	struct digest_state parts;
	XXH3_state_t stored = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * i >> 7);
	for (size_t len = 1; len < sizeof(bytes) - 3; len += len / 3 + 1) {
		digest_chunk(bytes + 3, len - 1, &whole);
		digest_start(&parts);
		digest_update(&parts, bytes + 3, len - 1);
		digest_read(&parts, &running);
		assert_true(digest_equal(&whole, &running));
		XXH3_64bits_reset(&stored);
		XXH3_64bits_update(&stored, bytes + 1, len);
		assert_int_equal(digest_stored(bytes + 1, len), XXH3_64bits_digest(&stored));
	}
}

static void state_lives_at_any_address(void **state)
{
	static const char text[] = "aligned to nothing";
	uint8_t *room = malloc(sizeof(struct digest_state) + 1);
	struct digest_state *parts;
	struct digest whole, running;

	(void)state;
	assert_non_null(room);
	parts = (struct digest_state *)(room + 1);
	digest_start(parts);
	digest_update(parts, text, sizeof(text));
	digest_read(parts, &running);
	digest_chunk(text, sizeof(text), &whole);
	assert_true(digest_equal(&whole, &running));
	free(room);
}

static void root_adds_size_and_chunk_size(void **state)
{
	uint8_t all[2 * DIGEST_SIZE + 12] = {0};
	static const uint8_t tail[12] = {8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0x40, 0};
	struct digest_state parts;
	struct digest whole, root, again;

	(void)state;
	memset(all, 0xd1, DIGEST_SIZE);
	memset(all + DIGEST_SIZE, 0xd2, DIGEST_SIZE);
	memcpy(all + 2 * DIGEST_SIZE, tail, sizeof(tail));
	digest_chunk(all, sizeof(all), &whole);
	digest_start(&parts);
	digest_update(&parts, all, 2 * DIGEST_SIZE);
	digest_root(&parts, 0x0102030405060708, 4u << 20, &root);
	assert_true(digest_equal(&whole, &root));
	digest_root(&parts, 0x0102030405060708, 4u << 20, &again);
	assert_true(digest_equal(&root, &again));
}

static void equal_sees_every_byte(void **state)
{
	struct digest a = {{0}}, b = {{0}};

	(void)state;
	assert_true(digest_equal(&a, &b));
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		b.bytes[i] = 1;
		assert_false(digest_equal(&a, &b));
		b.bytes[i] = 0;
	}
}

static void parse_reads_what_format_wrote(void **state)
{
	struct digest written, read;
	char text[DIGEST_TEXT];

	(void)state;
	for (size_t i = 0; i < DIGEST_SIZE; i++)
		written.bytes[i] = (uint8_t)(0x0f + 17 * i);
	digest_format(&written, text);
	assert_int_equal(digest_parse(text, &read), 0);
	assert_true(digest_equal(&written, &read));
	assert_int_equal(digest_parse("0F203142536475869708192A3B4C5D6E", &read), 0);
	assert_int_equal(read.bytes[15], 0x6e);
}

static void parse_refuses_all_else(void **state)
{
	static const char *const wrong[] = {
		"",
		"0",
		"0123456789abcdef0123456789abcde",
		"0123456789abcdef0123456789abcdef0",
		"0123456789abcdef0123456789abcdef ",
		"0123456789abcdeg0123456789abcdef",
		"g123456789abcdef0123456789abcdef",
		" 123456789abcdef0123456789abcdef",
		"0x23456789abcdef0123456789abcdef",
		"+123456789abcdef0123456789abcdef",
	};
	struct digest digest;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		test_unset(&digest, sizeof(digest));
		assert_int_equal(digest_parse(wrong[i], &digest), -EINVAL);
		test_assert_unset(&digest, sizeof(digest));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_are_those_of_xxhsum),
		cmocka_unit_test(running_digest_equals_the_whole),
		cmocka_unit_test(long_inputs_are_digested_alike),
		cmocka_unit_test(state_lives_at_any_address),
		cmocka_unit_test(root_adds_size_and_chunk_size),
		cmocka_unit_test(equal_sees_every_byte),
		cmocka_unit_test(parse_reads_what_format_wrote),
		cmocka_unit_test(parse_refuses_all_else),
	};

	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
