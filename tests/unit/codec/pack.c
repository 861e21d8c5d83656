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
	assert_int_equal(pack_new(PACK_LEVEL_LEAST - 1, &pack), -EINVAL);
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
	for (int level = PACK_LEVEL_LEAST; level <= PACK_LEVEL_MOST; level += 3) {
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
		cmocka_unit_test(whole_chunk_of_noise_fits),
		cmocka_unit_test(frame_does_not_depend_on_what_came_before),
		cmocka_unit_test(chunk_says_when_the_frame_has_no_room),
	};

	return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
