// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec_test.h"

#include "codec/chunk.h"

static void map_of_every_legal_chunk_size_is_valid(void **state)
{
	(void)state;
	for (uint32_t size = CHUNK_SIZE_LEAST; size <= CHUNK_SIZE_MOST; size *= 2) {
		struct chunk_map map = {.size = 12345, .chunk_size = size};

		assert_true(chunk_map_valid(&map));
	}
}

static void map_refuses_chunk_sizes_out_of_bounds(void **state)
{
	static const uint32_t sizes[] = {0,
					 1,
					 512,
					 CHUNK_SIZE_LEAST / 2,
					 CHUNK_SIZE_LEAST + 1,
					 12288,
					 CHUNK_SIZE_MOST - 1,
					 CHUNK_SIZE_MOST + 1,
					 CHUNK_SIZE_MOST * 2,
					 UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct chunk_map map = {.size = 1, .chunk_size = sizes[i]};

		assert_false(chunk_map_valid(&map));
	}
}

static void map_refuses_too_many_chunks(void **state)
{
	uint64_t most = (uint64_t)CHUNK_COUNT_MOST * CHUNK_SIZE_LEAST;
	struct chunk_map map = {.size = most, .chunk_size = CHUNK_SIZE_LEAST};

	(void)state;
	assert_true(chunk_map_valid(&map));
	assert_int_equal(chunk_count(&map), CHUNK_COUNT_MOST);
	map.size = most + 1;
	assert_false(chunk_map_valid(&map));
	map.size = UINT64_MAX - 1;
	assert_false(chunk_map_valid(&map));
}

static void open_map_has_bounds_only(void **state)
{
	struct chunk_map map = {.size = CHUNK_OPEN, .chunk_size = CHUNK_SIZE_MOST};

	(void)state;
	assert_true(chunk_map_valid(&map));
	assert_true(chunk_map_open(&map));
	assert_int_equal(chunk_map_known(&map), 0);
	assert_int_equal(chunk_count(&map), CHUNK_COUNT_MOST);
	assert_int_equal(chunk_length(&map, 0), CHUNK_SIZE_MOST);
	assert_int_equal(chunk_length(&map, CHUNK_COUNT_MOST - 1), CHUNK_SIZE_MOST);
	map.chunk_size = CHUNK_SIZE_MOST + 1;
	assert_false(chunk_map_valid(&map));
	map = (struct chunk_map){.size = 9000, .chunk_size = CHUNK_SIZE_LEAST};
	assert_false(chunk_map_open(&map));
	assert_int_equal(chunk_map_known(&map), 9000);
}

static void chunk_follows_whole_ones(void **state)
{
	struct chunk_map open = {.size = CHUNK_OPEN, .chunk_size = 4096};
	struct chunk_map closed = {.size = 4097, .chunk_size = 4096};
	uint64_t most = CHUNK_COUNT_MOST;

	(void)state;
	assert_true(chunk_follows(&open, 0, 0));
	assert_true(chunk_follows(&open, 1, 4096));
	assert_false(chunk_follows(&open, 1, 0));
	assert_false(chunk_follows(&open, 1, 4095));
	assert_false(chunk_follows(&open, 2, 4097));
	assert_true(chunk_follows(&open, most - 1, (most - 1) * 4096));
	assert_false(chunk_follows(&open, most, most * 4096));
	assert_true(chunk_follows(&closed, 1, 4096));
	assert_false(chunk_follows(&closed, 2, 4097));
}

static void empty_device_has_one_empty_chunk(void **state)
{
	struct chunk_map map = {.size = 0, .chunk_size = CHUNK_SIZE};

	(void)state;
	assert_int_equal(chunk_count(&map), 1);
	assert_int_equal(chunk_offset(&map, 0), 0);
	assert_int_equal(chunk_length(&map, 0), 0);
}

static void last_chunk_is_short(void **state)
{
	struct chunk_map map = {.size = 2ull * CHUNK_SIZE + 1, .chunk_size = CHUNK_SIZE};

	(void)state;
	assert_int_equal(chunk_count(&map), 3);
	assert_int_equal(chunk_offset(&map, 2), 2ull * CHUNK_SIZE);
	assert_int_equal(chunk_length(&map, 1), CHUNK_SIZE);
	assert_int_equal(chunk_length(&map, 2), 1);
}

static void last_chunk_is_whole_on_a_boundary(void **state)
{
	struct chunk_map map = {.size = 2ull * CHUNK_SIZE, .chunk_size = CHUNK_SIZE};

	(void)state;
	assert_int_equal(chunk_count(&map), 2);
	assert_int_equal(chunk_length(&map, 1), CHUNK_SIZE);
}

static void offset_does_not_wrap_on_the_largest_device(void **state)
{
	struct chunk_map map = {.size = (uint64_t)CHUNK_COUNT_MOST * CHUNK_SIZE_MOST,
				.chunk_size = CHUNK_SIZE_MOST};

	(void)state;
	assert_true(chunk_map_valid(&map));
	assert_int_equal(chunk_offset(&map, CHUNK_COUNT_MOST - 1), map.size - CHUNK_SIZE_MOST);
	assert_int_equal(chunk_length(&map, CHUNK_COUNT_MOST - 1), CHUNK_SIZE_MOST);
}

static void zero_sees_a_set_bit_at_every_place(void **state)
{
	(void)state;
	for (size_t len = 0; len < 200; len++) {
		uint8_t *data = calloc(1, len + 1);

		assert_non_null(data);
		data[len] = 1; /* behind the data: not looked at */
		assert_true(chunk_is_zero(data, len));
		for (size_t i = 0; i < len; i++) {
			data[i] = 0x80;
			assert_false(chunk_is_zero(data, len));
			data[i] = 0;
		}
		free(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_of_every_legal_chunk_size_is_valid),
		cmocka_unit_test(map_refuses_chunk_sizes_out_of_bounds),
		cmocka_unit_test(map_refuses_too_many_chunks),
		cmocka_unit_test(open_map_has_bounds_only),
		cmocka_unit_test(chunk_follows_whole_ones),
		cmocka_unit_test(empty_device_has_one_empty_chunk),
		cmocka_unit_test(last_chunk_is_short),
		cmocka_unit_test(last_chunk_is_whole_on_a_boundary),
		cmocka_unit_test(offset_does_not_wrap_on_the_largest_device),
		cmocka_unit_test(zero_sees_a_set_bit_at_every_place),
	};

	return cmocka_run_group_tests_name("chunk", tests, NULL, NULL);
}
