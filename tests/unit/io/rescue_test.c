// SPDX-License-Identifier: GPL-2.0-or-later
/* Disks that fail in chosen sectors, for good or for a while, and what is read of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include <cmocka.h>

#include "io/rescue.h"

#define SECTOR	512u
#define CHUNK	(1u << 20)
#define SIZE	(6u * CHUNK + 100)
#define SECTORS ((SIZE + SECTOR - 1) / SECTOR)
#define NEVER	UINT16_MAX

struct dying {
	struct rescue *rescue;
	bool later;
	uint32_t sector;
	uint64_t size;
	uint16_t bad[SECTORS];		      /* so many more reads of the sector fail */
	uint16_t alone[SECTORS];	      /* how often it was read alone */
	uint16_t reads[SECTORS];	      /* how often at all */
	unsigned int calls[SIZE / CHUNK + 1]; /* of each chunk */
	uint64_t last_alone;		      /* the offset of the last such read */
	unsigned int count, gone;	      /* gone: from this read on the disk is */
	uint8_t got[SIZE];
};

static uint8_t device[SIZE];
static const uint8_t zeros[SECTOR];

static int fill_device(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < SIZE; i++)
		device[i] = 1 + (i * 7 + i / SECTOR) % 251;
	return 0;
}

static int dying_read(void *arg, uint64_t offset, void *buf, size_t len)
{
	struct dying *dying = arg;
	bool bad = false;

	assert_true(len > 0);
	assert_true(offset + len <= dying->size);
	assert_int_equal(offset % dying->sector, 0);
	assert_true(len % dying->sector == 0 || offset + len == dying->size);
	if (dying->gone && ++dying->count >= dying->gone)
		return -ENODEV;
	dying->calls[offset / CHUNK]++;
	if (len <= dying->sector)
		dying->last_alone = offset;
	for (uint64_t i = offset / SECTOR; i <= (offset + len - 1) / SECTOR; i++) {
		dying->reads[i]++;
		dying->alone[i] += len <= dying->sector;
		bad |= dying->bad[i] != 0;
		if (dying->bad[i] && dying->bad[i] != NEVER)
			dying->bad[i]--;
	}
	if (bad)
		memset(buf, 0xee, len);
	else
		memcpy(buf, device + offset, len);
	return bad ? -EIO : 0;
}

static struct dying *dying_new(unsigned int retries, bool later)
{
	struct dying *dying = calloc(1, sizeof(*dying));
	struct rescue_reader reader = {.read = dying_read, .arg = dying};
	struct rescue_map *map;

	assert_non_null(dying);
	dying->later = later;
	dying->sector = SECTOR;
	dying->size = SIZE;
	reader.sector = &dying->sector;
	reader.size = SIZE;
	assert_int_equal(rescue_map_new(SIZE, &map), 0);
	assert_int_equal(rescue_new(&reader, retries, map, &dying->rescue), 0);
	if (later)
		rescue_later(dying->rescue, true);
	return dying;
}

static void dying_free(struct dying *dying)
{
	rescue_free(dying->rescue);
	free(dying);
}

static void dying_break(struct dying *dying, uint32_t first, uint32_t count, uint16_t reads)
{
	for (uint32_t i = first; i < first + count; i++)
		dying->bad[i] = reads;
}

/* All chunks, in order. Returns 0 or what rescue_chunk did. */
static int dying_chunks(struct dying *dying)
{
	for (uint64_t at = 0; at < SIZE; at += CHUNK) {
		uint32_t len = MIN(CHUNK, SIZE - at);
		int r = rescue_chunk(dying->rescue, at, dying->got + at, len);
		uint64_t missing =
			rescue_map_bytes(rescue_map(dying->rescue), at, len, RESCUE_MISSING);

		if (r < 0)
			return r;
		assert_int_equal(r, missing > 0);
	}
	return 0;
}

/* The passes after it. Returns how many chunks were filled. */
static unsigned int dying_again(struct dying *dying)
{
	static uint8_t buf[CHUNK];
	unsigned int filled = 0;
	uint64_t offset;
	uint32_t len;
	int r;

	if (!dying->later)
		return 0;
	while (memset(buf, 0xaa, CHUNK),
	       (r = rescue_again(dying->rescue, CHUNK, buf, &offset, &len)) != 0) {
		if (r == -EAGAIN)
			continue;
		assert_int_equal(r, 1);
		assert_int_equal(offset % CHUNK, 0);
		assert_true(offset > 0);
		assert_int_equal(len, MIN(CHUNK, SIZE - offset));
		memcpy(dying->got + offset, buf, len);
		filled++;
	}
	assert_int_equal(r, 0);
	return filled;
}

/* What is on the map as read is right, and all else zeros. Returns how many sectors are missing. */
static uint32_t dying_missing(const struct dying *dying)
{
	uint32_t missing = 0;
	uint64_t start, end;

	for (uint32_t i = 0; i < SECTORS; i++) {
		uint64_t at = (uint64_t)i * SECTOR, stop = MIN(at + SECTOR, SIZE);
		bool good = rescue_map_get(rescue_map(dying->rescue), at, &start, &end) ==
			    RESCUE_FINISHED;

		missing += !good;
		if (memcmp(dying->got + at, good ? device + at : zeros, stop - at))
			fail_msg("sector %u is wrong", i);
	}
	return missing;
}

/* No sector that cannot be read was read alone more than MOST times, nor a few times more at all.
 */
static void dying_bounded(const struct dying *dying, uint16_t most)
{
	for (uint32_t i = 0; i < SECTORS; i++) {
		if (dying->bad[i] != NEVER)
			continue;
		assert_true(dying->alone[i] <= most);
		assert_true(dying->reads[i] <= most + 2);
	}
}

static void a_good_disk_is_read_in_whole_chunks(void **state)
{
	struct dying *dying = dying_new(1, true);

	(void)state;
	assert_int_equal(dying_chunks(dying), 0);
	assert_int_equal(dying_again(dying), 0);
	assert_int_equal(dying_missing(dying), 0);
	for (uint32_t i = 0; i < SECTORS; i++)
		assert_int_equal(dying->reads[i], 1);
	dying_free(dying);
}

/* Alone, at an edge of everything, and in the disk's last, short sector. */
static void only_what_is_bad_is_lost(void **state)
{
	static const uint32_t bad[] = {0,    127,  128,		300,	    2047,
				       2048, 5000, SECTORS - 2, SECTORS - 1};
	size_t count = sizeof(bad) / sizeof(bad[0]);

	(void)state;
	for (int later = 0; later < 2; later++) {
		struct dying *dying = dying_new(2, later);

		for (size_t i = 0; i < count; i++)
			dying_break(dying, bad[i], 1, NEVER);
		assert_int_equal(dying_chunks(dying), 0);
		dying_again(dying);
		assert_int_equal(dying_missing(dying), count);
		dying_bounded(dying, 3);
		dying_free(dying);
	}
}

static void retries_read_what_heals(void **state)
{
	(void)state;
	for (int later = 0; later < 2; later++)
		for (unsigned int retries = 0; retries < 4; retries++) {
			struct dying *dying = dying_new(retries, later);

			/* Failed with its chunk, with its piece, alone, and once more. */
			dying_break(dying, 3000, 1, 4);
			dying_break(dying, 9000, 1, 4);
			assert_int_equal(dying_chunks(dying), 0);
			dying_again(dying);
			assert_int_equal(dying_missing(dying), retries < 2 ? 2 : 0);
			dying_free(dying);
		}
}

static void bad_regions_are_skipped_and_come_last(void **state)
{
	struct dying *dying = dying_new(1, true);
	uint32_t first = CHUNK / SECTOR, count = 4 * CHUNK / SECTOR, tried = 0;

	(void)state;
	dying_break(dying, first, count, NEVER);
	assert_int_equal(dying_chunks(dying), 0);
	for (uint32_t i = first; i < first + count; i++)
		tried += dying->reads[i] > 0;
	/* A chunk, and then the more is left alone the longer it goes on. */
	assert_true(tried < count / 2);
	assert_true(rescue_map_bytes(rescue_map(dying->rescue), 0, SIZE, "?") > 2 * CHUNK);
	dying_again(dying);
	assert_int_equal(dying_missing(dying), count);
	dying_bounded(dying, 2);
	dying_free(dying);
}

/* What was skipped, but is good, comes with the later passes. */
static void nothing_good_is_lost_by_skipping(void **state)
{
	struct dying *dying = dying_new(0, true);

	(void)state;
	for (uint32_t i = 1000; i < 9000; i += 130)
		dying_break(dying, i, 60, NEVER);
	assert_int_equal(dying_chunks(dying), 0);
	assert_true(dying_again(dying) > 0);
	assert_int_equal(dying_missing(dying), 62 * 60);
	dying_free(dying);
}

/* A dead region is not read sector by sector, but all of its pieces are. */
static void a_dead_region_is_left_at_once(void **state)
{
	uint32_t first = CHUNK / SECTOR, count = 3 * CHUNK / SECTOR;

	(void)state;
	for (int later = 0; later < 2; later++) {
		struct dying *dying = dying_new(1, later);

		dying_break(dying, first, count, NEVER);
		assert_int_equal(dying_chunks(dying), 0);
		dying_again(dying);
		assert_int_equal(dying_missing(dying), count);
		for (uint32_t i = first; i < first + count; i++) {
			assert_true(dying->reads[i] > 0);
			assert_int_equal(dying->alone[i], i < 2 * first ? 2 : 0);
		}
		dying_free(dying);
	}
}

/* A sector that was good when it was read first fails later: its chunk stays what it was. */
static void a_chunk_that_got_worse_is_not_filled(void **state)
{
	struct dying *dying = dying_new(1, true);

	(void)state;
	dying_break(dying, 2100, 1, 3);
	assert_int_equal(dying_chunks(dying), 0);
	dying_break(dying, 3500, 1, NEVER);
	assert_int_equal(dying_again(dying), 0);
	dying->bad[3500] = 0;
	assert_true(dying_missing(dying) >= 1);
	dying_free(dying);
}

static void what_the_map_calls_bad_is_read_last(void **state)
{
	struct dying *dying = dying_new(1, false);

	(void)state;
	assert_int_equal(rescue_map_set((struct rescue_map *)rescue_map(dying->rescue), 20 * SECTOR,
					4 * SECTOR, RESCUE_BAD),
			 0);
	dying_break(dying, 21, 1, NEVER);
	assert_int_equal(dying_chunks(dying), 0);
	assert_int_equal(dying_missing(dying), 1);
	for (uint32_t i = 20; i < 24; i++) {
		assert_int_equal(dying->reads[i], 1);
		assert_int_equal(dying->alone[i], 1);
	}
	dying_free(dying);
}

static void a_disk_that_disappears_ends_it(void **state)
{
	(void)state;
	for (unsigned int gone = 1; gone < 30; gone++) {
		struct dying *dying = dying_new(1, false);

		dying_break(dying, 2500, 1, NEVER);
		dying->gone = gone;
		assert_int_equal(dying_chunks(dying), -ENODEV);
		dying_free(dying);
	}
}

/* Neither in pieces nor past some of it. */
static void a_good_chunk_behind_a_bad_one_is_read_at_once(void **state)
{
	(void)state;
	for (int later = 0; later < 2; later++) {
		struct dying *dying = dying_new(0, later);

		dying_break(dying, 2 * CHUNK / SECTOR - 1, 1, NEVER);
		assert_int_equal(dying_chunks(dying), 0);
		assert_true(dying->calls[1] > 2);
		assert_int_equal(dying->calls[0], 1);
		assert_int_equal(dying->calls[3], 1);
		if (!later)
			assert_int_equal(dying->calls[2], 1);
		dying_free(dying);
	}
}

static void retries_turn_round(void **state)
{
	(void)state;
	for (unsigned int retries = 1; retries < 4; retries++) {
		struct dying *dying = dying_new(retries, true);

		dying_break(dying, 3000, 1, NEVER);
		dying_break(dying, 9000, 1, NEVER);
		assert_int_equal(dying_chunks(dying), 0);
		dying_again(dying);
		assert_int_equal(dying->last_alone, (retries % 2 ? 3000u : 9000u) * SECTOR);
		dying_free(dying);
	}
}

/* Pieces that are bad all through, between such that were skipped and are good. */
static void what_is_missing_in_a_filled_chunk_is_zeros(void **state)
{
	struct dying *dying = dying_new(1, true);
	uint32_t piece = RESCUE_PIECE / SECTOR, first = CHUNK / SECTOR;

	(void)state;
	dying_break(dying, first, piece, NEVER);
	dying_break(dying, first + 2 * piece, piece, NEVER);
	assert_int_equal(dying_chunks(dying), 0);
	assert_true(dying_again(dying) > 0);
	assert_int_equal(dying_missing(dying), 2 * piece);
	dying_free(dying);
}

/* By chance, with sectors that heal and such that do not, of two sizes. */
static void whatever_fails_the_rest_is_right(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 20; seed++) {
		unsigned int retries = seed % 3;
		struct dying *dying = dying_new(retries, seed % 2);
		uint32_t never = 0, missing;

		srand(seed);
		dying->sector = seed % 5 ? SECTOR : 8 * SECTOR;
		for (unsigned int i = 0; i < seed; i++)
			dying_break(dying, rand() % (SECTORS - 64), rand() % 64,
				    rand() % 3 ? NEVER : rand() % 6);
		assert_int_equal(dying_chunks(dying), 0);
		dying_again(dying);
		for (uint32_t i = 0; i < SECTORS; i++)
			never += dying->bad[i] == NEVER;
		missing = dying_missing(dying);
		assert_true(missing >= never);
		dying_bounded(dying, retries + 1);
		dying_free(dying);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_disk_is_read_in_whole_chunks),
		cmocka_unit_test(only_what_is_bad_is_lost),
		cmocka_unit_test(retries_read_what_heals),
		cmocka_unit_test(bad_regions_are_skipped_and_come_last),
		cmocka_unit_test(nothing_good_is_lost_by_skipping),
		cmocka_unit_test(a_dead_region_is_left_at_once),
		cmocka_unit_test(a_chunk_that_got_worse_is_not_filled),
		cmocka_unit_test(what_the_map_calls_bad_is_read_last),
		cmocka_unit_test(a_disk_that_disappears_ends_it),
		cmocka_unit_test(a_good_chunk_behind_a_bad_one_is_read_at_once),
		cmocka_unit_test(retries_turn_round),
		cmocka_unit_test(what_is_missing_in_a_filled_chunk_is_zeros),
		cmocka_unit_test(whatever_fails_the_rest_is_right),
	};

	return cmocka_run_group_tests_name("rescue", tests, fill_device, NULL);
}
