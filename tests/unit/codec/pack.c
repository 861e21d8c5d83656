// SPDX-License-Identifier: GPL-2.0-or-later
#include "pack_test.h"

static void pack_round_trip(struct pack *pack, size_t len, enum pack_filling filling)
{
	uint8_t *chunk = malloc(len + 1), *frame = malloc(PACK_FRAME_MOST);
	uint8_t *exact, *restored = malloc(len ? len : 1);
	size_t frame_len;

	assert_non_null(chunk);
	assert_non_null(frame);
	assert_non_null(restored);
	pack_fill(chunk, len, filling);
	assert_int_equal(pack_chunk(pack, chunk, len, frame, PACK_FRAME_MOST, &frame_len), 0);
	assert_in_range(frame_len, PACK_FRAME_LEAST, PACK_FRAME_MOST);
	exact = test_copy(frame, frame_len);
	assert_int_equal(pack_check(exact, frame_len, len), 0);
	assert_int_equal(pack_restore(pack, exact, frame_len, restored, len), 0);
	assert_memory_equal(chunk, restored, len);
	free(exact);
	free(restored);
	free(frame);
	free(chunk);
}

static void new_refuses_levels_out_of_bounds(void **state)
{
	struct pack *pack;

	(void)state;
	test_unset(&pack, sizeof(pack));
	assert_int_equal(pack_new(PACK_LEVEL_AUTO, &pack), -EINVAL);
	assert_int_equal(pack_new(PACK_LEVEL_MOST + 1, &pack), -EINVAL);
	assert_int_equal(pack_new(-5, &pack), -EINVAL);
	test_assert_unset(&pack, sizeof(pack));
	pack_free(NULL);
}

/* The working memory is taken once and has to do for every length: zstd's own steps among them. */
static void every_level_packs_every_length(void **state)
{
	static const size_t lengths[] = {0, 1, 4096, 16384, 16385, 131072, 131073, 262144, 262145};

	(void)state;
	for (int level = PACK_LEVEL_NONE; level <= PACK_LEVEL_MOST; level += 3) {
		struct pack *pack;

		assert_int_equal(pack_new(level, &pack), 0);
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			pack_round_trip(pack, lengths[i], PACK_TEXT);
			pack_round_trip(pack, lengths[i], PACK_NOISE);
		}
		pack_round_trip(pack, CHUNK_SIZE_MOST, PACK_ZEROS);
		pack_free(pack);
	}
}

/* What pack_entry tells, computed of what pack_chunk gives. */
static void entry_check(struct pack *pack, const uint8_t *chunk, size_t len, uint8_t *frame,
			uint8_t *other)
{
	struct image_entry entry = {.flags = 77};
	struct digest digest;
	size_t frame_len;

	assert_int_equal(pack_entry(pack, chunk, len, frame, PACK_FRAME_MOST, &entry), 0);
	assert_int_equal(pack_chunk(pack, chunk, len, other, PACK_FRAME_MOST, &frame_len), 0);
	assert_int_equal(entry.stored_size, frame_len);
	assert_memory_equal(frame, other, frame_len);
	digest_chunk(chunk, len, &digest);
	assert_true(digest_equal(&entry.digest, &digest));
	assert_true(entry.stored_hash == digest_stored(frame, frame_len));
	assert_int_equal(entry.flags, 77);
}

/* Raw blocks with all that our frames have, which zstd's own library unpacks. */
static void none_stores(void **state)
{
	static const size_t lengths[] = {
		0,	1,	255,	256,	65791,	65792,		131071,
		131072, 131073, 262144, 262145, 999999, CHUNK_SIZE_MOST};
	uint8_t *chunk = malloc(CHUNK_SIZE_MOST), *frame = malloc(PACK_FRAME_MOST);
	uint8_t *other = malloc(PACK_FRAME_MOST);
	struct pack *pack;

	(void)state;
	assert_non_null(chunk);
	assert_non_null(frame);
	assert_non_null(other);
	assert_int_equal(pack_new(PACK_LEVEL_NONE, &pack), 0);
	pack_fill(chunk, CHUNK_SIZE_MOST, PACK_TEXT);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t len = lengths[i], blocks = len ? (len + 131071) / 131072 : 1;
		size_t due = 4 + 1 + 4 + 3 * blocks + len + 4, done;
		struct image_entry entry;

		entry_check(pack, chunk, len, frame, other);
		assert_int_equal(pack_check(frame, due, len), 0);
		assert_int_equal(ZSTD_getFrameContentSize(frame, due), len);
		memset(other, 0, len + 1);
		done = ZSTD_decompress(other, PACK_FRAME_MOST, frame, due);
		assert_int_equal(done, len);
		assert_memory_equal(other, chunk, len);
		/* Its checksum is looked at. */
		frame[due - 1] ^= 1;
		assert_int_equal(pack_restore(pack, frame, due, other, len), -EBADMSG);
		assert_int_equal(pack_entry(pack, chunk, len, frame, due, &entry), 0);
		assert_int_equal(pack_entry(pack, chunk, len, frame, due - 1, &entry), -ENOBUFS);
	}
	pack_free(pack);
	free(other);
	free(frame);
	free(chunk);
}

/* By hand: RFC 8878, and xxHash's own sum of these five bytes, 0x26c7827d889f6da3. */
static void none_is_the_golden_frame(void **state)
{
	static const uint8_t golden[] = {0x28, 0xb5, 0x2f, 0xfd, 0xa4, 5,    0,
					 0,    0,    0x29, 0,	 0,    'h',  'e',
					 'l',  'l',  'o',  0xa3, 0x6d, 0x9f, 0x88};
	uint8_t frame[sizeof(golden)];
	struct pack *pack;
	size_t len;

	(void)state;
	assert_int_equal(pack_new(PACK_LEVEL_NONE, &pack), 0);
	assert_int_equal(pack_chunk(pack, "hello", 5, frame, sizeof(frame), &len), 0);
	assert_int_equal(len, sizeof(golden));
	assert_memory_equal(frame, golden, len);
	pack_free(pack);
}

/* Whatever was packed before, in the same memory, and never above what that is for. */
static void level_is_that_of_the_next_chunk(void **state)
{
	static const int levels[] = {9, 1, 5, 0, 3, 9, 1, 0, 6};
	size_t len = CHUNK_SIZE_MOST / 8;
	uint8_t *chunk = malloc(len), *frame = malloc(PACK_FRAME_MOST);
	uint8_t *other = malloc(PACK_FRAME_MOST);
	struct pack *pack, *fresh;
	size_t frame_len, fresh_len;

	(void)state;
	assert_non_null(chunk);
	assert_non_null(frame);
	assert_non_null(other);
	pack_fill(chunk, len, PACK_TEXT);
	assert_int_equal(pack_new(9, &pack), 0);
	assert_int_equal(pack_level(pack, 10), -EINVAL);
	assert_int_equal(pack_level(pack, PACK_LEVEL_AUTO), -EINVAL);
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		assert_int_equal(pack_level(pack, levels[i]), 0);
		assert_int_equal(pack_chunk(pack, chunk, len, frame, PACK_FRAME_MOST, &frame_len),
				 0);
		assert_int_equal(pack_new(levels[i], &fresh), 0);
		assert_int_equal(pack_chunk(fresh, chunk, len, other, PACK_FRAME_MOST, &fresh_len),
				 0);
		assert_int_equal(frame_len, fresh_len);
		assert_memory_equal(frame, other, frame_len);
		pack_free(fresh);
	}
	pack_free(pack);
	free(other);
	free(frame);
	free(chunk);
}

/* A slow level does not search in noise, but does where a sample compresses. */
static void noise_is_packed_at_the_quick_level(void **state)
{
	size_t len = CHUNK_SIZE_MOST, slow_len, quick_len;
	uint8_t *chunk = malloc(len), *slow_frame = malloc(PACK_FRAME_MOST);
	uint8_t *quick_frame = malloc(PACK_FRAME_MOST);
	struct pack *slow, *quick;

	(void)state;
	assert_non_null(chunk);
	assert_non_null(slow_frame);
	assert_non_null(quick_frame);
	pack_fill(chunk, len, PACK_NOISE);
	/* That the long search alone would find, where no sample is taken. */
	memcpy(chunk + (64 << 10), chunk + (2 << 20) + (64 << 10), 256 << 10);
	assert_int_equal(pack_new(9, &slow), 0);
	assert_int_equal(pack_new(PACK_LEVEL_LEAST, &quick), 0);
	entry_check(slow, chunk, len, slow_frame, quick_frame);
	assert_int_equal(pack_chunk(slow, chunk, len, slow_frame, PACK_FRAME_MOST, &slow_len), 0);
	assert_int_equal(pack_chunk(quick, chunk, len, quick_frame, PACK_FRAME_MOST, &quick_len),
			 0);
	assert_int_equal(slow_len, quick_len);
	assert_memory_equal(slow_frame, quick_frame, quick_len);
	pack_fill(chunk + (3 << 20), 32 << 10, PACK_TEXT);
	assert_int_equal(pack_chunk(slow, chunk, len, slow_frame, PACK_FRAME_MOST, &slow_len), 0);
	assert_int_equal(pack_chunk(quick, chunk, len, quick_frame, PACK_FRAME_MOST, &quick_len),
			 0);
	assert_true(slow_len < quick_len);
	pack_free(slow);
	pack_free(quick);
	free(quick_frame);
	free(slow_frame);
	free(chunk);
}

static void whole_chunk_of_noise_fits(void **state)
{
	struct pack *pack;

	(void)state;
	assert_true(PACK_FRAME_MOST >= ZSTD_compressBound(CHUNK_SIZE_MOST));
	assert_int_equal(pack_new(PACK_LEVEL_DEFAULT, &pack), 0);
	pack_round_trip(pack, CHUNK_SIZE_MOST, PACK_NOISE);
	pack_round_trip(pack, CHUNK_SIZE_MOST, PACK_TEXT);
	pack_free(pack);
}

static void frame_does_not_depend_on_what_came_before(void **state)
{
	uint8_t *fresh, *again, *noise = malloc(CHUNK_SIZE_MOST), *frame = malloc(PACK_FRAME_MOST);
	uint8_t chunk[PACK_SMALL];
	size_t fresh_len, len;
	struct pack *pack;

	(void)state;
	assert_non_null(noise);
	assert_non_null(frame);
	fresh = pack_frame(PACK_SMALL, &fresh_len);
	again = malloc(PACK_FRAME_MOST);
	assert_non_null(again);
	pack_fill(chunk, sizeof(chunk), PACK_TEXT);
	pack_fill(noise, CHUNK_SIZE_MOST, PACK_NOISE);
	assert_int_equal(pack_new(PACK_LEVEL_DEFAULT, &pack), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
			pack_chunk(pack, noise, CHUNK_SIZE_MOST, frame, PACK_FRAME_MOST, &len), 0);
		assert_int_equal(pack_chunk(pack, chunk, PACK_SMALL, again, PACK_FRAME_MOST, &len),
				 0);
		assert_int_equal(len, fresh_len);
		assert_memory_equal(again, fresh, len);
	}
	pack_free(pack);
	free(again);
	free(fresh);
	free(frame);
	free(noise);
}

static void chunk_says_when_the_frame_has_no_room(void **state)
{
	uint8_t chunk[PACK_SMALL], frame[PACK_SMALL];
	struct pack *pack;
	size_t len;

	(void)state;
	pack_fill(chunk, sizeof(chunk), PACK_NOISE);
	assert_int_equal(pack_new(PACK_LEVEL_DEFAULT, &pack), 0);
	test_unset(&len, sizeof(len));
	assert_int_equal(pack_chunk(pack, chunk, sizeof(chunk), frame, sizeof(frame), &len),
			 -ENOBUFS);
	test_assert_unset(&len, sizeof(len));
	pack_free(pack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_refuses_levels_out_of_bounds),
		cmocka_unit_test(every_level_packs_every_length),
		cmocka_unit_test(none_stores),
		cmocka_unit_test(none_is_the_golden_frame),
		cmocka_unit_test(level_is_that_of_the_next_chunk),
		cmocka_unit_test(noise_is_packed_at_the_quick_level),
		cmocka_unit_test(whole_chunk_of_noise_fits),
		cmocka_unit_test(frame_does_not_depend_on_what_came_before),
		cmocka_unit_test(chunk_says_when_the_frame_has_no_room),
	};

	return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
