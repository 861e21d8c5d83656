// SPDX-License-Identifier: GPL-2.0-or-later
/* Which chunks are read again before a transfer goes on. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/manifest.h"
#include "source/landmarks.h"

#define MIB (1ull << 20)

static const char manifest_text[] =
	"{\"table\":{\"type\":\"dos\",\"partitions\":["
	"{\"number\":1,\"start\":1048576,\"size\":104857600,\"type\":\"83\"},"
	"{\"number\":5,\"start\":209682432,\"size\":104857600,\"type\":\"83\"},"
	"{\"number\":6,\"start\":4611686018427387904,\"size\":4096,\"type\":\"83\"}]}}";

/* None of the file systems' sectors can be read. */
static int unreadable(void *from, uint64_t offset, void *buf, size_t len)
{
	const uint64_t *size = from;

	(void)buf;
	assert_true(offset <= *size && len <= *size - offset);
	return -EIO;
}

static void choose_by(const char *text, const struct chunk_map *map, uint64_t first,
		      struct landmarks *ret)
{
	struct probe_area disk = {
		.read = unreadable, .from = (void *)&map->size, .size = map->size};
	json_t *manifest;

	assert_int_equal(manifest_parse(text, strlen(text), &manifest), 0);
	assert_int_equal(landmarks_choose(manifest, map, first, &disk, ret), 0);
	json_decref(manifest);
	for (size_t i = 0; i < ret->count; i++) {
		assert_true(ret->chunks[i] < first);
		assert_true(i == 0 || ret->chunks[i] > ret->chunks[i - 1]);
	}
}

static void choose(const struct chunk_map *map, uint64_t first, struct landmarks *ret)
{
	choose_by(manifest_text, map, first, ret);
}

static bool has(const struct landmarks *landmarks, uint64_t chunk)
{
	for (size_t i = 0; i < landmarks->count; i++)
		if (landmarks->chunks[i] == chunk)
			return true;
	return false;
}

/* A disk of 100 GiB that was received up to its last chunk and beyond the tables. */
static void test_places(void **state)
{
	struct chunk_map map = {.size = 102400 * MIB, .chunk_size = 4 * MIB};
	struct landmarks landmarks;
	uint64_t count = chunk_count(&map);

	(void)state;
	choose(&map, count, &landmarks);
	assert_true(has(&landmarks, 0));
	assert_true(has(&landmarks, count - 1)); /* the GPT's backup, and the last one */
	assert_true(has(&landmarks, 209682432 / (4 * MIB)));
	/* 209682432 is 32 KiB before a chunk's end: btrfs has its superblock in the next one. */
	assert_true(has(&landmarks, 209682432 / (4 * MIB) + 1));
	/* A logical partition's table. */
	assert_true(has(&landmarks, (209682432 - MIB) / (4 * MIB)));
	assert_true(landmarks.count >= LANDMARKS_RANDOM);
	assert_true(landmarks.count <= LANDMARKS_RANDOM + 13);
	landmarks_clear(&landmarks);
}

/* Where the transfer broke before them, they do not count. */
static void test_below_first(void **state)
{
	struct chunk_map map = {.size = 102400 * MIB, .chunk_size = 4 * MIB};
	struct landmarks landmarks;

	(void)state;
	for (uint64_t first = 1; first <= 200; first++) {
		choose(&map, first, &landmarks);
		assert_true(has(&landmarks, 0));
		assert_true(has(&landmarks, first - 1));
		if (first <= LANDMARKS_RANDOM)
			assert_int_equal(landmarks.count, first);
		else
			assert_true(landmarks.count >= LANDMARKS_RANDOM);
		landmarks_clear(&landmarks);
	}
}

/* The heads of the file systems, of which btrfs' need no look; with partitions and without. */
static void test_heads(void **state)
{
	static const char table[] =
		"{\"table\":{\"partitions\":["
		"{\"number\":1,\"start\":8388608,\"size\":1073741824,\"fs\":{\"type\":\"btrfs\"}},"
		"{\"number\":2,\"start\":99999999999999,\"size\":9,\"fs\":{\"type\":\"btrfs\"}},"
		"{\"number\":3,\"start\":0,\"size\":9223372036854775807,\"fs\":{\"type\":\"xfs\"}},"
		"{\"number\":4,\"start\":8388608,\"size\":9999999,\"fs\":{\"type\":\"ext4\"}}]}}";
	struct chunk_map map = {.size = 1024000 * MIB, .chunk_size = 4 * MIB};
	struct landmarks landmarks;

	(void)state;
	choose_by(table, &map, chunk_count(&map), &landmarks);
	assert_true(has(&landmarks, (8 + 64) / 4));
	assert_true(landmarks.count <= LANDMARKS_RANDOM + 20);
	landmarks_clear(&landmarks);
	choose_by("{\"contents\":{\"type\":\"btrfs\"}}", &map, chunk_count(&map), &landmarks);
	assert_true(has(&landmarks, 64 / 4));
	assert_true(has(&landmarks, 262144 / 4));
	landmarks_clear(&landmarks);
}

/* Whoever changes a chunk cannot know which ones are looked at. */
static void test_random(void **state)
{
	struct chunk_map map = {.size = 102400 * MIB, .chunk_size = 4 * MIB};
	struct landmarks one, other;

	(void)state;
	choose(&map, 20000, &one);
	choose(&map, 20000, &other);
	assert_true(one.count != other.count ||
		    memcmp(one.chunks, other.chunks, one.count * sizeof(*one.chunks)));
	landmarks_clear(&one);
	landmarks_clear(&other);
}

static void test_small(void **state)
{
	static const uint64_t sizes[] = {0, 1, 512, 33 * 512, 4 * MIB, 4 * MIB + 1};
	struct landmarks landmarks;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct chunk_map map = {.size = sizes[i], .chunk_size = 4 * MIB};

		choose(&map, chunk_count(&map), &landmarks);
		assert_int_equal(landmarks.count, chunk_count(&map));
		landmarks_clear(&landmarks);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places), cmocka_unit_test(test_below_first),
		cmocka_unit_test(test_heads),  cmocka_unit_test(test_random),
		cmocka_unit_test(test_small),
	};

	return cmocka_run_group_tests_name("landmarks", tests, NULL, NULL);
}
