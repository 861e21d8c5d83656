// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec_test.h"

#include <stdlib.h>
#include <time.h>
#include <valgrind/valgrind.h>

#include "codec/manifest.h"
#include "codec/manifest_missing.h"
#include "codec/rescue_map.h"

#define SIZE 4096u

static struct rescue_map *new_map(uint64_t size)
{
	struct rescue_map *map = NULL;

	assert_int_equal(rescue_map_new(size, &map), 0);
	return map;
}

/* MAP is what MODEL has, a status a byte, in as few blocks as can be. */
static void assert_map(const struct rescue_map *map, const char *model)
{
	uint64_t start, end, len;
	size_t blocks = 0;

	for (uint64_t at = 0; at < SIZE; at++) {
		blocks += at == 0 || model[at] != model[at - 1];
		assert_int_equal(rescue_map_get(map, at, &start, &end), model[at]);
		assert_true(start <= at && at < end && end <= SIZE);
		assert_true(start == 0 || model[start - 1] != model[at]);
		assert_true(end == SIZE || model[end] != model[at]);
	}
	assert_int_equal(rescue_map_count(map), blocks);
	for (uint64_t at = 0; at < SIZE; at += 97) {
		uint64_t next = at, stop;

		while (next < SIZE && model[next] != '-' && model[next] != '?')
			next++;
		for (stop = next; stop < SIZE && (model[stop] == '-' || model[stop] == '?');)
			stop++;
		assert_int_equal(rescue_map_next(map, at, "-?", &len), next);
		assert_int_equal(len, stop - next);
	}
}

static void set_is_what_a_table_of_bytes_is(void **state)
{
	static const char statuses[] = "?*/-+";
	struct rescue_map *map = new_map(SIZE);
	char model[SIZE];

	(void)state;
	srand(1);
	memset(model, '?', SIZE);
	assert_map(map, model);
	for (int i = 0; i < 400; i++) {
		uint64_t from = rand() % SIZE, len = rand() % (SIZE - from + 1);
		char status = statuses[rand() % 5];

		if (i % 3)
			len = len % 64;
		assert_int_equal(rescue_map_set(map, from, len, status), 0);
		memset(model + from, status, len);
		assert_map(map, model);
	}
	rescue_map_free(map);
	rescue_map_free(NULL);
}

static void bytes_are_counted_within_bounds(void **state)
{
	struct rescue_map *map = new_map(SIZE);

	(void)state;
	assert_int_equal(rescue_map_set(map, 0, SIZE, RESCUE_FINISHED), 0);
	assert_int_equal(rescue_map_set(map, 100, 50, RESCUE_BAD), 0);
	assert_int_equal(rescue_map_set(map, 200, 50, RESCUE_UNTRIED), 0);
	assert_int_equal(rescue_map_bytes(map, 0, SIZE, RESCUE_MISSING), 100);
	assert_int_equal(rescue_map_bytes(map, 120, 100, RESCUE_MISSING), 50);
	assert_int_equal(rescue_map_bytes(map, 120, 100, "-"), 30);
	assert_int_equal(rescue_map_bytes(map, 150, 50, RESCUE_MISSING), 0);
	assert_int_equal(rescue_map_bytes(map, SIZE, 0, RESCUE_MISSING), 0);
	rescue_map_free(map);
}

/* More bad sectors than a map keeps: neighbours become one, the closest first. */
static void too_many_blocks_merge(void **state)
{
	const uint64_t size = 1ull << 40;
	struct rescue_map *map = new_map(size);
	uint64_t bytes, at = 0;

	(void)state;
	assert_int_equal(rescue_map_set(map, 0, size, RESCUE_FINISHED), 0);
	for (unsigned int i = 0; i < RESCUE_BLOCKS_MOST; i++) {
		assert_int_equal(rescue_map_set(map, at, 512, RESCUE_BAD), 0);
		assert_true(rescue_map_count(map) <= RESCUE_BLOCKS_MOST);
		at += i % 2 ? 1024 : 8192;
	}
	assert_true(rescue_map_merged(map));
	bytes = rescue_map_bytes(map, 0, size, RESCUE_MISSING);
	assert_in_range(bytes, RESCUE_BLOCKS_MOST * 512ull, at);
	/* Behind the last one all is as it was. */
	assert_int_equal(rescue_map_bytes(map, at, size - at, "+"), size - at);
	rescue_map_merge(map, 11);
	assert_true(rescue_map_count(map) <= 11);
	rescue_map_free(map);
}

static int parse(const char *text, uint32_t align, struct rescue_map **ret, unsigned int *ret_line)
{
	*ret = new_map(SIZE);
	return rescue_map_parse(*ret, text, strlen(text), align, ret_line);
}

static void the_manual_s_example_is_read(void **state)
{
	static const char text[] = "# Mapfile. Created by GNU ddrescue version 1.27\n"
				   "# Command line: ddrescue -d -c18 /dev/fd0 fdimage mapfile\n"
				   "# Start time:   2015-07-21 09:37:44\n"
				   "# Copying non-tried blocks... Pass 1 (forwards)\n"
				   "# current_pos  current_status  current_pass\n"
				   "0x00120000     ?               1\n"
				   "#      pos        size  status\n"
				   "0x00000000  0x00117000  +\n"
				   "0x00117000  0x00000200  -\n"
				   "0x00117200  0x00001000  /\n"
				   "0x00118200  0x00007E00  *\n"
				   "0x00120000  0x00048000  ?\n";
	struct rescue_map *map = new_map(0x168000);
	uint64_t start, end;
	unsigned int line;

	(void)state;
	assert_int_equal(rescue_map_parse(map, text, sizeof(text) - 1, 512, &line), 0);
	assert_int_equal(line, 12);
	assert_int_equal(rescue_map_get(map, 0, &start, &end), '?');
	assert_int_equal(end, 0x117000);
	assert_int_equal(rescue_map_get(map, 0x1171ff, &start, &end), '-');
	assert_int_equal(rescue_map_get(map, 0x117200, &start, &end), '/');
	assert_int_equal(rescue_map_get(map, 0x11ffff, &start, &end), '*');
	assert_int_equal(rescue_map_get(map, 0x120000, &start, &end), '?');
	rescue_map_free(map);
}

static void numbers_and_spaces_are_read_as_c_has_them(void **state)
{
	static const char *const good[] = {
		"0 + 1\n0 4096 -",
		"0\t+\t1\r\n\n  00 010000 - # all of it",
		"0x0 F\n0X0 0X1000 -\n",
		"#\n1 / 01\n0 512 -\n512 3584 -\n4096 0 -\n",
	};
	uint64_t start, end;
	struct rescue_map *map;
	unsigned int line;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(parse(good[i], 512, &map, &line), 0);
		assert_int_equal(rescue_map_get(map, 0, &start, &end), '-');
		assert_int_equal(end, SIZE);
		rescue_map_free(map);
	}
}

static void blocks_are_widened_to_sectors(void **state)
{
	struct rescue_map *map;
	uint64_t start, end;
	unsigned int line;

	(void)state;
	assert_int_equal(parse("0 ? 1\n700 3 -\n703 3392 +\n4095 1 *\n", 512, &map, &line), 0);
	assert_int_equal(rescue_map_get(map, 512, &start, &end), '-');
	assert_int_equal(start, 512);
	assert_int_equal(end, 1024);
	assert_int_equal(rescue_map_get(map, 3584, &start, &end), '*');
	assert_int_equal(start, 3584);
	assert_int_equal(end, SIZE);
	rescue_map_free(map);
}

static void what_is_no_mapfile_is_refused(void **state)
{
	static const struct {
		const char *text;
		int r;
		unsigned int line;
	} bad[] = {
		{"", -EBADMSG, 0},
		{"# nothing\n", -EBADMSG, 1},
		{"0 x 1\n", -EBADMSG, 1},
		{"0 ?? 1\n", -EBADMSG, 1},
		{"-1 ? 1\n", -EBADMSG, 1},
		{"0 ? 1 1\n", -EBADMSG, 1},
		{"0 ? 1\n0 512 x\n", -EBADMSG, 2},
		{"0 ? 1\n0 512\n", -EBADMSG, 2},
		{"0 ? 1\n0 512 - -\n", -EBADMSG, 2},
		{"0 ? 1\n0 08 -\n", -EBADMSG, 2},
		{"0 ? 1\n0 0xg -\n", -EBADMSG, 2},
		{"0 ? 1\n0 512 -\n511 512 -\n", -EBADMSG, 3},
		{"0 ? 1\n0 512 -\n1024 512 -\n", -EBADMSG, 3},
		{"0 ? 1\n0 4097 -\n", -ERANGE, 2},
		{"0 ? 1\n4096 1 +\n", -ERANGE, 2},
		{"0 ? 1\n0xffffffffffffffff 1 -\n", -ERANGE, 2},
		{"0 ? 1\n0 0x10000000000000000 -\n", -EBADMSG, 2},
		{"0 ? 1\n0 18446744073709551616 -\n", -EBADMSG, 2},
	};
	struct rescue_map *map;
	unsigned int line;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i].text, 512, &map, &line), bad[i].r);
		assert_int_equal(line, bad[i].line);
		rescue_map_free(map);
	}
	map = new_map(SIZE);
	assert_int_equal(rescue_map_parse(map, "0 ? 1\n\0junk", 11, 512, &line), -EBADMSG);
	rescue_map_free(map);
}

static void too_many_blocks_are_refused(void **state)
{
	struct rescue_map *map = new_map(1ull << 40);
	size_t room = 64 + 24ul * (RESCUE_BLOCKS_MOST + 4), used = 0;
	char *text = malloc(room);
	unsigned int line;

	(void)state;
	assert_non_null(text);
	used = snprintf(text, room, "0 ? 1\n");
	for (uint64_t i = 0; i < RESCUE_BLOCKS_MOST + 2; i++)
		used += snprintf(text + used, room - used, "%llu 512 %c\n",
				 (unsigned long long)i * 512, i % 2 ? '-' : '+');
	assert_int_equal(rescue_map_parse(map, text, used, 512, &line), -EFBIG);
	free(text);
	rescue_map_free(map);
}

static void manifests_list_what_is_missing(void **state)
{
	static const char text[] = "{\"unreadable\":[[0,10],[5,10],\"x\",[4000,1000],[4097,1],"
				   "[100],[-1,5],[200,0],[300,9223372036854775807]]}";
	json_t *manifest = NULL, *again = json_object();
	struct rescue_map *map = NULL;
	char *out;
	size_t len;

	(void)state;
	assert_int_equal(manifest_parse(text, strlen(text), &manifest), 0);
	assert_int_equal(manifest_missing_bytes(manifest, SIZE), 15 + SIZE - 300);
	assert_int_equal(manifest_missing_get(manifest, SIZE, &map), 0);
	assert_int_equal(manifest_missing_put(again, map), 0);
	assert_int_equal(manifest_format(again, &out, &len), 0);
	assert_string_equal(out, "{\"unreadable\":[[0,15],[300,3796]]}");
	free(out);
	assert_int_equal(rescue_map_set(map, 0, SIZE, RESCUE_FINISHED), 0);
	assert_int_equal(manifest_missing_put(again, map), 0);
	assert_int_equal(json_object_size(again), 0);
	assert_int_equal(manifest_missing_bytes(again, SIZE), 0);
	rescue_map_free(map);
	json_decref(again);
	json_decref(manifest);
}

/* In any order they are the same, and of the same cost: each is put behind those before it. */
static void manifests_are_read_in_any_order(void **state)
{
	enum { RANGES = 50000 };
	json_t *manifest = json_object(), *ranges = json_array(), *again = json_object();
	struct rescue_map *map = NULL;

	(void)state;
	for (json_int_t i = RANGES; i > 0; i--)
		json_array_append_new(ranges, json_pack("[I, I]", i * 1024, (json_int_t)1));
	json_object_set_new(manifest, "unreadable", ranges);
	clock_t before = clock();

	assert_int_equal(manifest_missing_get(manifest, UINT64_C(1) << 40, &map), 0);
	/* Seconds of the processor, whoever else has it: one by one it takes many times that. */
	assert_true(RUNNING_ON_VALGRIND || clock() - before < 2 * CLOCKS_PER_SEC);
	rescue_map_free(map);
	json_array_clear(ranges);
	json_array_append_new(ranges, json_pack("[i, i]", 300, 10));
	json_array_append_new(ranges, json_pack("[i, i]", 100, 10));
	json_array_append_new(ranges, json_pack("[i, i]", 105, 200));
	assert_int_equal(manifest_missing_get(manifest, SIZE, &map), 0);
	assert_int_equal(manifest_missing_put(again, map), 0);
	assert_int_equal(json_array_size(json_object_get(again, "unreadable")), 1);
	assert_int_equal(manifest_missing_bytes(again, SIZE), 210);
	rescue_map_free(map);
	json_decref(again);
	json_decref(manifest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_is_what_a_table_of_bytes_is),
		cmocka_unit_test(bytes_are_counted_within_bounds),
		cmocka_unit_test(too_many_blocks_merge),
		cmocka_unit_test(the_manual_s_example_is_read),
		cmocka_unit_test(numbers_and_spaces_are_read_as_c_has_them),
		cmocka_unit_test(blocks_are_widened_to_sectors),
		cmocka_unit_test(what_is_no_mapfile_is_refused),
		cmocka_unit_test(too_many_blocks_are_refused),
		cmocka_unit_test(manifests_list_what_is_missing),
		cmocka_unit_test(manifests_are_read_in_any_order),
	};

	return cmocka_run_group_tests_name("rescue_map", tests, NULL, NULL);
}
