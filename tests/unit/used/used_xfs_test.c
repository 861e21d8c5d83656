// SPDX-License-Identifier: GPL-2.0-or-later
/* What mkfs.xfs makes, with one thing wrong in it at a time. */
#include "used_test.h"

#include "used/used_xfs.h"

#define MKFS "mkfs.xfs --unsupported -q -f \"$f\" "

/* Where the log begins, and what is in its first record. */
static uint8_t *log_at(void)
{
	uint64_t log = xfs_get64(disk + 48);
	unsigned int bits = disk[124];
	uint64_t block = (log >> bits) * xfs_get32(disk + 84) + (log & ((1u << bits) - 1));

	return disk + block * xfs_get32(disk + 4);
}

static void whatever_it_was_made_with(void **state)
{
	static const char *const options[] = {
		MKFS "",
		MKFS "-m crc=0,finobt=0,rmapbt=0,reflink=0",
		MKFS "-b size=1024",
		MKFS "-d agcount=1",
		MKFS "-d agcount=3 -i sparse=0",
		MKFS "-l version=1 -m crc=0,finobt=0,rmapbt=0,reflink=0",
		MKFS "-l su=64k",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct spare *spare;

		make(options[i]);
		if (find(&spare) < 0)
			fail_msg("%s: %s", options[i], doubt);
		uint64_t free = xfs_get64(disk + 144) * xfs_get32(disk + 4);

		/* But for what waits in the free lists, and a reservation of the tools'. */
		assert_in_range(spare_bytes(spare), free - (1u << 20), free);
		spare_free(spare);
	}
}

/* Every bit of the superblock and of the groups' headers and trees. */
static void a_bit_is_seen_or_does_not_matter(void **state)
{
	struct spare *right, *spare;
	unsigned int doubts = 0;

	(void)state;
	make(MKFS "-d agcount=2");
	uint32_t block = xfs_get32(disk + 4), root = xfs_get32(disk + 512 + 16);

	assert_int_equal(find(&right), 0);
	const struct {
		uint32_t at, len;
	} places[] = {{0, 264}, {512, 224}, {root * block, 128}};

	for (size_t p = 0; p < 3; p++) {
		for (uint32_t bit = 0; bit < places[p].len * 8; bit++) {
			disk[places[p].at + bit / 8] ^= 1u << bit % 8;
			if (find(&spare) < 0)
				doubts++;
			else
				assert_true(same(right, spare));
			spare_free(spare);
			disk[places[p].at + bit / 8] ^= 1u << bit % 8;
		}
	}
	/* Everything has a checksum here. */
	assert_int_equal(doubts, (264 + 224 + 128) * 8);
	spare_free(right);
}

static void what_was_not_unmounted_is_all_used(void **state)
{
	(void)state;
	make(MKFS "");
	/* Its one record, behind the header: the unmount. */
	log_at()[512 + 9] = 0;
	assert_doubt("it was not unmounted");
	log_at()[43] = 2;
	assert_doubt("it was not unmounted");
	/* A mount began the next record, of this round. */
	uint32_t record = 1 + (xfs_get32(log_at() + 12) + 511) / 512;
	uint8_t *next = log_at() + record * 512;

	memcpy(next, log_at(), 1024);
	next[512 + 9] = 0;
	assert_doubt("it was not unmounted");
	memset(log_at(), 0, 2048);
	assert_doubt("its log is empty");
}

static void what_it_does_not_know_is_all_used(void **state)
{
	(void)state;
	/* No checksums, so that these can be changed. */
	make(MKFS "-m crc=0,finobt=0,rmapbt=0,reflink=0");
	disk[126] = 1;
	assert_doubt("it is being made or grown");
	disk[101] = (disk[101] & 0xf0) | 6;
	assert_doubt("its version is not known");
	disk[23] = 1;
	assert_doubt("it has a realtime part");
	memset(disk + 48, 0, 8);
	assert_doubt("its log is on another device");
	disk[8 + 5] = 1;
	assert_doubt("its superblock is damaged, or its end is missing");
	disk[512 + 55] ^= 1;
	assert_doubt("a group has another number of free blocks than it says");
	disk[512 + 19] ^= 1;
	assert_doubt("a tree of what is free is damaged");
}

/* A leaf that follows itself. */
static void a_list_in_a_ring_ends(void **state)
{
	(void)state;
	make(MKFS "-m crc=0,finobt=0,rmapbt=0,reflink=0");
	uint32_t root = xfs_get32(disk + 512 + 16);

	memcpy(disk + (uint64_t)root * xfs_get32(disk + 4) + 12, disk + 512 + 16, 4);
	assert_doubt("a tree of what is free is damaged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_it_was_made_with),
		cmocka_unit_test(a_bit_is_seen_or_does_not_matter),
		cmocka_unit_test(what_was_not_unmounted_is_all_used),
		cmocka_unit_test(what_it_does_not_know_is_all_used),
		cmocka_unit_test(a_list_in_a_ring_ends),
	};

	reader = used_xfs;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
