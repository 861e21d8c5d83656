// SPDX-License-Identifier: GPL-2.0-or-later
#include "pack_test.h"

/* A frame as zstd makes it with one parameter set otherwise, from text of PACK_SMALL bytes. */
static uint8_t *pack_foreign(ZSTD_cParameter parameter, int value, size_t *ret_len)
{
	uint8_t chunk[PACK_SMALL], frame[2 * PACK_SMALL];
	ZSTD_CCtx *context = ZSTD_createCCtx();

	assert_non_null(context);
	pack_fill(chunk, sizeof(chunk), PACK_TEXT);
	assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)));
	assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(context, parameter, value)));
	*ret_len = ZSTD_compress2(context, frame, sizeof(frame), chunk, sizeof(chunk));
	assert_false(ZSTD_isError(*ret_len));
	ZSTD_freeCCtx(context);
	return test_copy(frame, *ret_len);
}

static void pack_assert_refused(const uint8_t *frame, size_t frame_len, size_t len)
{
	struct pack *pack;
	uint8_t *chunk = malloc(len + 1);

	assert_non_null(chunk);
	assert_int_equal(pack_check(frame, frame_len, len), -EBADMSG);
	assert_int_equal(pack_new(PACK_LEVEL_DEFAULT, &pack), 0);
	assert_int_equal(pack_restore(pack, frame, frame_len, chunk, len), -EBADMSG);
	pack_free(pack);
	free(chunk);
}

static void check_refuses_every_truncation(void **state)
{
	size_t len;
	uint8_t *frame = pack_frame(PACK_SMALL, &len);

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = test_copy(frame, cut);

		pack_assert_refused(part, cut, PACK_SMALL);
		free(part);
	}
	free(frame);
}

/* zstd's format has a few bits without meaning: then the content has to be the same. */
static void restore_refuses_every_flipped_bit_that_matters(void **state)
{
	uint8_t chunk[PACK_SMALL], restored[PACK_SMALL];
	unsigned int without_meaning = 0;
	struct pack *pack;
	size_t len;
	uint8_t *frame = pack_frame(PACK_SMALL, &len);

	(void)state;
	pack_fill(chunk, sizeof(chunk), PACK_TEXT);
	assert_int_equal(pack_new(PACK_LEVEL_DEFAULT, &pack), 0);
	for (size_t bit = 0; bit < len * 8; bit++) {
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
		test_unset(restored, sizeof(restored));
		if (pack_restore(pack, frame, len, restored, PACK_SMALL) == 0) {
			assert_memory_equal(restored, chunk, sizeof(chunk));
			without_meaning++;
		}
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_in_range(without_meaning, 0, 8);
	pack_free(pack);
	free(frame);
}

static void restore_refuses_a_wrong_checksum(void **state)
{
	uint8_t restored[PACK_SMALL];
	struct pack *pack;
	size_t len;
	uint8_t *frame = pack_frame(PACK_SMALL, &len);

	(void)state;
	frame[len - 1] ^= 1;
	assert_int_equal(pack_check(frame, len, PACK_SMALL), 0);
	assert_int_equal(pack_new(PACK_LEVEL_DEFAULT, &pack), 0);
	assert_int_equal(pack_restore(pack, frame, len, restored, PACK_SMALL), -EBADMSG);
	pack_free(pack);
	free(frame);
}

static void check_refuses_trailing_bytes(void **state)
{
	size_t len;
	uint8_t *frame = pack_frame(PACK_SMALL, &len);
	uint8_t *longer = malloc(2 * len);

	(void)state;
	assert_non_null(longer);
	memcpy(longer, frame, len);
	memcpy(longer + len, frame, len);
	pack_assert_refused(longer, len + 1, PACK_SMALL);
	pack_assert_refused(longer, 2 * len, PACK_SMALL);
	pack_assert_refused(longer, 2 * len, 2 * PACK_SMALL);
	free(longer);
	free(frame);
}

static void check_refuses_a_skippable_frame(void **state)
{
	static const uint8_t skippable[32] = {0x50, 0x2a, 0x4d, 0x18, 24};
	uint8_t *frame = test_copy(skippable, sizeof(skippable));

	(void)state;
	pack_assert_refused(frame, sizeof(skippable), 0);
	pack_assert_refused(frame, sizeof(skippable), 24);
	free(frame);
}

static void check_refuses_a_skippable_frame_before_or_behind(void **state)
{
	static const uint8_t skippable[8] = {0x50, 0x2a, 0x4d, 0x18};
	size_t len;
	uint8_t *frame = pack_frame(PACK_SMALL, &len);
	uint8_t *longer = malloc(len + sizeof(skippable));

	(void)state;
	assert_non_null(longer);
	memcpy(longer, frame, len);
	memcpy(longer + len, skippable, sizeof(skippable));
	pack_assert_refused(longer, len + sizeof(skippable), PACK_SMALL);
	memcpy(longer, skippable, sizeof(skippable));
	memcpy(longer + sizeof(skippable), frame, len);
	pack_assert_refused(longer, len + sizeof(skippable), PACK_SMALL);
	free(longer);
	free(frame);
}

static void check_refuses_another_content_size(void **state)
{
	size_t len;
	uint8_t *frame = pack_frame(PACK_SMALL, &len);

	(void)state;
	pack_assert_refused(frame, len, PACK_SMALL - 1);
	pack_assert_refused(frame, len, PACK_SMALL + 1);
	pack_assert_refused(frame, len, 0);
	free(frame);
}

static void check_refuses_an_unknown_content_size(void **state)
{
	size_t len;
	uint8_t *frame = pack_foreign(ZSTD_c_contentSizeFlag, 0, &len);

	(void)state;
	pack_assert_refused(frame, len, PACK_SMALL);
	assert_int_equal(pack_check(frame, len, (size_t)-1), -EBADMSG);
	assert_int_equal(pack_check(frame, len, 0), -EBADMSG);
	free(frame);
}

static void check_refuses_a_frame_without_checksum(void **state)
{
	size_t len;
	uint8_t *frame = pack_foreign(ZSTD_c_checksumFlag, 0, &len);

	(void)state;
	pack_assert_refused(frame, len, PACK_SMALL);
	free(frame);
}

/* FRAME of ours with WIDTH bytes of dictionary id put behind the descriptor. */
static void pack_assert_id_refused(const uint8_t *frame, size_t len, unsigned int flag,
				   size_t width, uint8_t id)
{
	uint8_t *longer = malloc(len + width);

	assert_non_null(longer);
	memcpy(longer, frame, 5);
	longer[4] |= (uint8_t)flag;
	memset(longer + 5, 0, width);
	longer[5] = id;
	memcpy(longer + 5 + width, frame + 5, len - 5);
	pack_assert_refused(longer, len + width, PACK_SMALL);
	free(longer);
}

static void check_refuses_a_dictionary_id(void **state)
{
	size_t len;
	uint8_t *frame = pack_frame(PACK_SMALL, &len);

	(void)state;
	assert_int_equal(frame[4] & 0x23, 0x20); /* single segment: no window descriptor */
	for (unsigned int flag = 1; flag <= 3; flag++) {
		pack_assert_id_refused(frame, len, flag, 1u << (flag - 1), 7);
		pack_assert_id_refused(frame, len, flag, 1u << (flag - 1), 0);
	}
	free(frame);
}

/* FRAME of ours, single segment with two bytes of content size, given a window of 2^LOG instead. */
static uint8_t *pack_windowed(const uint8_t *frame, size_t len, unsigned int log)
{
	uint8_t *longer = malloc(len + 1);

	assert_non_null(longer);
	memcpy(longer, frame, 5);
	longer[4] &= (uint8_t)~0x20;
	longer[5] = (uint8_t)((log - 10) << 3);
	memcpy(longer + 6, frame + 5, len - 5);
	return longer;
}

static void check_refuses_a_window_above_8_mib(void **state)
{
	size_t len;
	uint8_t *frame = pack_frame(PACK_SMALL, &len), *windowed;

	(void)state;
	assert_int_equal(frame[4] & 0xe0, 0x60);
	windowed = pack_windowed(frame, len, 23);
	assert_int_equal(pack_check(windowed, len + 1, PACK_SMALL), 0);
	windowed[5] += 1; /* an eighth more */
	pack_assert_refused(windowed, len + 1, PACK_SMALL);
	free(windowed);
	for (unsigned int log = 24; log <= 41; log++) {
		windowed = pack_windowed(frame, len, log);
		pack_assert_refused(windowed, len + 1, PACK_SMALL);
		free(windowed);
	}
	free(frame);
}

static void check_refuses_a_reserved_bit(void **state)
{
	size_t len;
	uint8_t *frame = pack_frame(PACK_SMALL, &len);

	(void)state;
	frame[4] |= 0x08;
	pack_assert_refused(frame, len, PACK_SMALL);
	free(frame);
}

/* A frame of two bytes' content in two blocks, with empty blocks before them up to FRAME_LEN. */
static uint8_t *pack_padded(size_t frame_len)
{
	static const uint8_t head[] = {0x28, 0xb5, 0x2f, 0xfd, 0x24, 2};
	static const uint8_t tail[] = {8, 0, 0, 'a', 8, 0, 0, 'b', 1, 0, 0, 0, 0, 0, 0};
	uint8_t *frame = calloc(1, frame_len);

	assert_non_null(frame);
	memcpy(frame, head, sizeof(head));
	memcpy(frame + frame_len - sizeof(tail), tail, sizeof(tail));
	return frame;
}

static void check_refuses_a_frame_above_the_most(void **state)
{
	uint8_t *frame = pack_padded(PACK_FRAME_MOST);

	(void)state;
	assert_int_equal(pack_check(frame, PACK_FRAME_MOST, 2), 0);
	free(frame);
	frame = pack_padded(PACK_FRAME_MOST + 3);
	assert_int_equal(pack_check(frame, PACK_FRAME_MOST + 3, 2), -EBADMSG);
	free(frame);
}

static void check_refuses_another_magic(void **state)
{
	size_t len;
	uint8_t *frame = pack_frame(PACK_SMALL, &len);

	(void)state;
	frame[0] = 0x27; /* zstd 0.7's */
	pack_assert_refused(frame, len, PACK_SMALL);
	frame[0] = 0x1e; /* zstd 0.1's */
	pack_assert_refused(frame, len, PACK_SMALL);
	free(frame);
}

static void check_refuses_a_chunk_above_the_most(void **state)
{
	size_t capacity = ZSTD_compressBound(CHUNK_SIZE_MOST + 1), len;
	uint8_t *chunk = calloc(1, CHUNK_SIZE_MOST + 1), *frame = malloc(capacity);
	ZSTD_CCtx *context = ZSTD_createCCtx();

	(void)state;
	assert_non_null(chunk);
	assert_non_null(frame);
	assert_non_null(context);
	assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)));
	len = ZSTD_compress2(context, frame, capacity, chunk, CHUNK_SIZE_MOST + 1);
	assert_false(ZSTD_isError(len));
	assert_int_equal(pack_check(frame, len, CHUNK_SIZE_MOST + 1), -EBADMSG);
	ZSTD_freeCCtx(context);
	free(frame);
	free(chunk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_refuses_every_truncation),
		cmocka_unit_test(restore_refuses_every_flipped_bit_that_matters),
		cmocka_unit_test(restore_refuses_a_wrong_checksum),
		cmocka_unit_test(check_refuses_trailing_bytes),
		cmocka_unit_test(check_refuses_a_skippable_frame),
		cmocka_unit_test(check_refuses_a_skippable_frame_before_or_behind),
		cmocka_unit_test(check_refuses_another_content_size),
		cmocka_unit_test(check_refuses_an_unknown_content_size),
		cmocka_unit_test(check_refuses_a_frame_without_checksum),
		cmocka_unit_test(check_refuses_a_dictionary_id),
		cmocka_unit_test(check_refuses_a_window_above_8_mib),
		cmocka_unit_test(check_refuses_a_reserved_bit),
		cmocka_unit_test(check_refuses_a_frame_above_the_most),
		cmocka_unit_test(check_refuses_another_magic),
		cmocka_unit_test(check_refuses_a_chunk_above_the_most),
	};

	return cmocka_run_group_tests_name("pack_check", tests, NULL, NULL);
}
