// SPDX-License-Identifier: GPL-2.0-or-later
/* A dying disk that is gone back on, and an output that has chunks of it already. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/rescue.h"

#define SECTOR 512u
#define CHUNK  (1u << 20)
#define CHUNKS 4u
#define SIZE   (CHUNKS * (uint64_t)CHUNK)
#define BAD    (CHUNK + 3 * SECTOR) /* in chunk 1 */

static struct {
	uint64_t bad;	   /* the offset of a sector that fails */
	unsigned int from; /* reads from that chunk on, */
	unsigned int bads; /* and of that sector */
} disk;
static uint8_t buf[CHUNK];

static int seek_test_read(void *arg, uint64_t offset, void *data, size_t len)
{
	(void)arg;
	disk.from += offset >= 2 * CHUNK;
	if (disk.bad >= offset && disk.bad < offset + len) {
		disk.bads++;
		return -EIO;
	}
	memset(data, 1 + (int)(offset / CHUNK), len);
	return 0;
}

static struct rescue *begin(void)
{
	static uint32_t sector = SECTOR;
	const struct rescue_reader reader = {
		.read = seek_test_read, .sector = &sector, .size = SIZE};
	struct rescue *rescue;
	struct rescue_map *map;

	memset(&disk, 0, sizeof(disk));
	disk.bad = BAD;
	assert_int_equal(rescue_map_new(SIZE, &map), 0);
	assert_int_equal(rescue_new(&reader, 1, map, &rescue), 0);
	rescue_later(rescue, true);
	return rescue;
}

/* Chunks FROM to the end, of which chunk 1 alone lacks something. */
static void read_chunks(struct rescue *rescue, uint64_t from)
{
	for (uint64_t i = from; i < CHUNKS; i++) {
		assert_int_equal(rescue_chunk(rescue, i * CHUNK, buf, CHUNK), i == 1);
		assert_int_equal(buf[CHUNK - 1], 1 + i);
	}
}

static unsigned int passes(struct rescue *rescue)
{
	unsigned int filled = 0;
	uint64_t offset;
	uint32_t len;
	int r;

	while ((r = rescue_again(rescue, CHUNK, buf, &offset, &len)) != 0)
		filled += r == 1;
	return filled;
}

static uint64_t bytes(const struct rescue *rescue, const char *statuses)
{
	return rescue_map_bytes(rescue_map(rescue), 0, SIZE, statuses);
}

/* From chunk 1 on all is read again, also where the first look had skipped ahead. */
static void gone_back(void **state)
{
	struct rescue *rescue = begin();

	(void)state;
	read_chunks(rescue, 0);
	assert_int_equal(passes(rescue), 2);
	assert_int_equal(bytes(rescue, "-"), SECTOR);
	assert_int_equal(passes(rescue), 0);
	unsigned int from = disk.from, bads = disk.bads;
	assert_int_equal(rescue_seek(rescue, CHUNK), 0);
	read_chunks(rescue, 1);
	assert_true(disk.from > from);
	/* What is known to be bad is left for the passes, which begin anew. */
	assert_int_equal(disk.bads, bads);
	disk.bad = SIZE;
	assert_int_equal(passes(rescue), 1);
	assert_int_equal(bytes(rescue, RESCUE_MISSING), 0);
	rescue_free(rescue);
}

/* At the end nothing is read again, and the passes are done. */
static void gone_to_the_end(void **state)
{
	struct rescue *rescue = begin();

	(void)state;
	read_chunks(rescue, 0);
	passes(rescue);
	unsigned int from = disk.from, bads = disk.bads;
	assert_int_equal(rescue_seek(rescue, SIZE), 0);
	assert_int_equal(passes(rescue), 0);
	assert_int_equal(disk.from, from);
	assert_int_equal(disk.bads, bads);
	rescue_free(rescue);
}

/* What an output has of another run is not read; what it lacks and cannot take stays missing. */
static void had_already(void **state)
{
	struct rescue *rescue = begin();

	(void)state;
	assert_int_equal(rescue_have(rescue, 0, CHUNK, true, false), 0);
	assert_int_equal(rescue_have(rescue, CHUNK, CHUNK, true, true), 0);
	assert_int_equal(rescue_have(rescue, 2 * CHUNK, CHUNK, false, false), 0);
	assert_int_equal(rescue_have(rescue, 3 * CHUNK, CHUNK, false, true), 0);
	assert_int_equal(bytes(rescue, "l"), CHUNK);
	assert_int_equal(bytes(rescue, "?"), CHUNK);
	assert_int_equal(rescue_seek(rescue, SIZE), 0);
	passes(rescue);
	assert_int_equal(disk.from, 0);
	assert_int_equal(bytes(rescue, "l"), CHUNK);
	/* Unless it is not there after all. */
	assert_int_equal(rescue_seek(rescue, 0), 0);
	assert_int_equal(bytes(rescue, "l+"), 0);
	rescue_free(rescue);
}

/* Of what this run has read only that, of another's all has to be there. */
static void once_more(void **state)
{
	struct rescue *rescue = begin();

	(void)state;
	read_chunks(rescue, 0);
	passes(rescue);
	assert_int_equal(rescue_reread(rescue, CHUNK, buf, CHUNK, true), 1);
	assert_int_equal(buf[0], 2);
	assert_int_equal(buf[BAD - CHUNK], 0);
	assert_int_equal(buf[BAD - CHUNK + SECTOR], 2);
	assert_int_equal(bytes(rescue, RESCUE_MISSING), SECTOR);
	assert_int_equal(rescue_reread(rescue, CHUNK, buf, CHUNK, false), 0);
	assert_int_equal(bytes(rescue, "l"), CHUNK);
	rescue_free(rescue);
	rescue = begin();
	assert_int_equal(rescue_reread(rescue, 2 * CHUNK, buf, CHUNK, false), 1);
	assert_int_equal(buf[CHUNK - 1], 3);
	/* What could be read and cannot any more: the output's is better. */
	disk.bad = 2 * CHUNK + SECTOR;
	assert_int_equal(rescue_reread(rescue, 2 * CHUNK, buf, CHUNK, true), 0);
	assert_int_equal(bytes(rescue, "l"), CHUNK);
	rescue_free(rescue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gone_back),
		cmocka_unit_test(gone_to_the_end),
		cmocka_unit_test(had_already),
		cmocka_unit_test(once_more),
	};

	return cmocka_run_group_tests_name("rescue_seek", tests, NULL, NULL);
}
