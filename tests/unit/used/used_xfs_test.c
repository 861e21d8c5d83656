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

#define EXTENTS 300u /* three leaves of 1 KiB */
#define EXTENT	32u  /* blocks, and one that is used before the next */

static void put16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, (uint16_t)(value >> 16));
	put16(p + 2, (uint16_t)value);
}

static uint8_t *block_at(uint32_t number)
{
	return disk + (uint64_t)number * xfs_get32(disk + 4);
}

static bool has_sums(void)
{
	return (disk[101] & 0xf) == 5;
}

static void seal(uint8_t *buf, size_t len, size_t at)
{
	if (!has_sums())
		return;
	memset(buf + at, 0, 4);
	uint32_t sum = used_crc32c(buf, len);

	for (unsigned int i = 0; i < 4; i++)
		buf[at + i] = (uint8_t)(sum >> 8 * i);
}

/* A block of the tree without records. Returns where they begin. */
static uint8_t *node_begin(uint32_t number, unsigned int level, uint32_t left, uint32_t right)
{
	uint8_t *node = block_at(number);

	memset(node, 0, xfs_get32(disk + 4));
	memcpy(node, has_sums() ? "AB3B" : "ABTB", 4);
	put16(node + 4, (uint16_t)level);
	put32(node + 8, left);
	put32(node + 12, right);
	if (!has_sums())
		return node + 16;
	put32(node + 20, (uint32_t)((uint64_t)(node - disk) / 512));
	memcpy(node + 32, disk + 32, 16);
	return node + 56;
}

static void node_end(uint32_t number, uint16_t count)
{
	put16(block_at(number) + 6, count);
	seal(block_at(number), xfs_get32(disk + 4), 52);
}

/* The first block of what is free of the only group, which is in one piece after mkfs. */
static uint32_t tree_start;

static uint32_t extent_at(uint32_t index)
{
	return tree_start + 2 + index * (EXTENT + 1);
}

/* That of leaf INDEX, of PER extents: it is used, behind its first extent. */
static uint32_t leaf_at(uint32_t index, uint32_t per)
{
	return extent_at(index * per) + EXTENT;
}

/* A tree of two levels, as many fragments have, of a file system with one extent. */
static uint32_t plant_tree(const char *options)
{
	make(options);
	uint32_t header = has_sums() ? 56 : 16, size = xfs_get32(disk + 4);
	uint32_t per = (size - header) / 8, most = (size - header) / 12;
	uint32_t leaves = (EXTENTS + per - 1) / per;
	const uint8_t *last = block_at(xfs_get32(disk + 512 + 16));

	tree_start = xfs_get32(last + header + (xfs_get16(last + 6) - 1u) * 8);
	assert_true(xfs_get32(last + header + (xfs_get16(last + 6) - 1u) * 8 + 4) >
		    EXTENTS * (EXTENT + 1) + 2);
	uint8_t *keys = node_begin(tree_start + 1, 1, UINT32_MAX, UINT32_MAX);

	for (uint32_t i = 0; i < leaves; i++) {
		uint32_t count = i + 1 < leaves ? per : EXTENTS - i * per;
		uint8_t *record =
			node_begin(leaf_at(i, per), 0, i ? leaf_at(i - 1, per) : UINT32_MAX,
				   i + 1 < leaves ? leaf_at(i + 1, per) : UINT32_MAX);

		for (uint32_t j = 0; j < count; j++) {
			put32(record + 8 * j, extent_at(i * per + j));
			put32(record + 8 * j + 4, EXTENT);
		}
		node_end(leaf_at(i, per), (uint16_t)count);
		memcpy(keys + 8 * i, record, 8);
		put32(keys + 8 * most + 4 * i, leaf_at(i, per));
	}
	node_end(tree_start + 1, (uint16_t)leaves);
	put32(disk + 512 + 16, tree_start + 1);
	put32(disk + 512 + 28, 2);
	put32(disk + 512 + 52, EXTENTS * EXTENT);
	put32(disk + 512 + 56, EXTENT);
	seal(disk + 512, 512, 216);
	memcpy(made, disk, SIZE);
	return per;
}

static const char *const trees[] = {
	MKFS "-b size=1024 -d agcount=1 -m crc=0,finobt=0,rmapbt=0,reflink=0",
	MKFS "-b size=1024 -d agcount=1",
};

static void a_tree_has_all_leaves(void **state)
{
	(void)state;
	for (size_t t = 0; t < sizeof(trees) / sizeof(trees[0]); t++) {
		struct spare_range range = {0};
		struct spare *spare;

		plant_tree(trees[t]);
		if (find(&spare) < 0)
			fail_msg("%s: %s", trees[t], doubt);
		for (uint32_t i = 0; i < EXTENTS; i++) {
			assert_true(spare_next(spare, range.end, &range));
			assert_int_equal(range.start, (uint64_t)extent_at(i) * 1024);
			assert_int_equal(range.end - range.start, EXTENT * 1024);
		}
		assert_false(spare_next(spare, range.end, &range));
		spare_free(spare);
	}
}

/* VALUE at OFFSET of block NUMBER, whose checksum is right all the same. */
static void node_doubts(uint32_t number, size_t offset, uint32_t value, const char *why)
{
	put32(block_at(number) + offset, value);
	seal(block_at(number), 1024, 52);
	assert_doubt(why);
}

static void a_leaf_that_is_not_in_its_place_is_a_doubt(void **state)
{
	(void)state;
	for (size_t t = 0; t < sizeof(trees) / sizeof(trees[0]); t++) {
		uint32_t per = plant_tree(trees[t]), header = has_sums() ? 56 : 16;
		uint32_t first = leaf_at(0, per), second = leaf_at(1, per);

		node_doubts(first, 12, UINT32_MAX,
			    "a group has another number of free blocks than it says");
		node_doubts(first, 12, leaf_at(2, per), "a tree of what is free is damaged");
		node_doubts(first, 12, xfs_get32(disk + 84),
			    "a tree of what is free leads out of its group");
		node_doubts(leaf_at(2, per), 12, first, "a tree of what is free is damaged");
		node_doubts(second, 4, 1u << 16 | 1, "a tree of what is free is damaged");
		node_doubts(second, 4, per + 1, "a tree of what is free is damaged");
		node_doubts(second, header, extent_at(0), "what is free of it overlaps");
		/* Neighbours would be one, and what is behind the group belongs to nobody. */
		node_doubts(second, header, extent_at(per - 1) + 1, "what is free of it overlaps");
		node_doubts(second, header, extent_at(per - 1) + EXTENT,
			    "what is free of it overlaps");
		node_doubts(leaf_at(2, per), header + 8, xfs_get32(disk + 84) + 1,
			    "what is free of it overlaps");
		/* The second block is the group's headers, too. */
		node_doubts(first, header, 1, "what is free of it overlaps");
		node_doubts(first, 4, 0, "a tree of what is free is damaged");
		node_doubts(second, header + 4, 0, "what is free of it overlaps");
		node_doubts(second, header + 4, UINT32_MAX, "what is free of it overlaps");
		node_doubts(second, header + 4, EXTENT - 1,
			    "a group has another number of free blocks than it says");
		node_doubts(tree_start + 1, 4, 1u << 16, "a tree of what is free is damaged");
	}
}

/* VALUE at OFFSET of a sector, the superblock or the group's header, with the right checksum. */
static void sector_doubts(unsigned int sector, size_t offset, uint32_t value, const char *why)
{
	put32(disk + (size_t)sector * 512 + offset, value);
	seal(disk + (size_t)sector * 512, 512, sector ? 216 : 224);
	assert_doubt(why);
}

static void a_header_that_contradicts_is_a_doubt(void **state)
{
	(void)state;
	for (size_t t = 0; t < sizeof(trees) / sizeof(trees[0]); t++) {
		plant_tree(trees[t]);
		uint32_t blocks = xfs_get32(disk + 84), inodes = disk[123];

		sector_doubts(1, 28, 1, "a tree of what is free is damaged");
		sector_doubts(1, 28, 0, "a group's header is damaged");
		sector_doubts(1, 28, 10, "a group's header is damaged");
		sector_doubts(1, 4, 2, "a group's header is damaged");
		sector_doubts(1, 8, 1, "a group's header is damaged");
		sector_doubts(1, 12, blocks - 1, "a group's header is damaged");
		sector_doubts(1, 56, EXTENT + 1,
			      "a group has another number of free blocks than it says");
		/* The root folder's inode, in what is free, and nowhere. */
		sector_doubts(0, 60, extent_at(0) << inodes, "its maps contradict its superblock");
		sector_doubts(0, 60, (extent_at(1) - 1) << inodes | 1u << 31,
			      "its maps contradict its superblock");
	}
	/* The header of another file system; of version 4 it does not say of which it is. */
	sector_doubts(1, 64, 0, "the checksum of a group's header is wrong");
}

/* Bits that are not there yet, each by itself, with the right checksum. */
static void a_feature_of_tomorrow_is_all_used(void **state)
{
	static const struct {
		size_t at;
		uint32_t known;
	} words[] = {{212, 0x0f}, {216, 0xff}, {220, 0x01}};
	static const char why[] = "it has a feature that this program does not know";

	(void)state;
	make(MKFS);
	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
		for (uint32_t bit = 1; bit; bit <<= 1) {
			if (!(words[w].known & bit))
				sector_doubts(0, words[w].at, xfs_get32(disk + words[w].at) | bit,
					      why);
		}
	}
	sector_doubts(0, 216, xfs_get32(disk + 216) | 0x10, "it needs to be repaired");
}

/* A leaf that was written for another place, or another file system. */
static void a_leaf_of_elsewhere_is_a_doubt(void **state)
{
	(void)state;
	uint32_t leaf = leaf_at(0, plant_tree(trees[1]));

	node_doubts(leaf, 20, 8, "the checksum of a tree of what is free is wrong");
	node_doubts(leaf, 32, 0, "the checksum of a tree of what is free is wrong");
	node_doubts(leaf, 48, 1, "the checksum of a tree of what is free is wrong");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_it_was_made_with),
		cmocka_unit_test(a_bit_is_seen_or_does_not_matter),
		cmocka_unit_test(what_was_not_unmounted_is_all_used),
		cmocka_unit_test(what_it_does_not_know_is_all_used),
		cmocka_unit_test(a_list_in_a_ring_ends),
		cmocka_unit_test(a_tree_has_all_leaves),
		cmocka_unit_test(a_leaf_that_is_not_in_its_place_is_a_doubt),
		cmocka_unit_test(a_leaf_of_elsewhere_is_a_doubt),
		cmocka_unit_test(a_header_that_contradicts_is_a_doubt),
		cmocka_unit_test(a_feature_of_tomorrow_is_all_used),
	};

	reader = used_xfs;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
