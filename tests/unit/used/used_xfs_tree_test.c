// SPDX-License-Identifier: GPL-2.0-or-later
/* XFS whose trees of what is free have two levels, and headers that contradict them. */
#include "used_test.h"

#include "used/used_xfs.h"

#define MKFS "mkfs.xfs --unsupported -q -f \"$f\" "

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

/* A block of the tree by block, or BY_LENGTH, without records. Returns where they begin. */
static uint8_t *node_begin(uint32_t number, bool by_length, unsigned int level, uint32_t left,
			   uint32_t right)
{
	uint8_t *node = block_at(number);

	memset(node, 0, xfs_get32(disk + 4));
	memcpy(node, has_sums() ? "AB3B" : "ABTB", 4);
	node[3] = by_length ? 'C' : 'B';
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

/* That of leaf INDEX, of PER extents: it is used, behind an extent. */
static uint32_t leaf_at(uint32_t index, uint32_t per, bool by_length)
{
	return extent_at(index * per + by_length) + EXTENT;
}

static uint32_t leaf_there(int64_t index, uint32_t per, bool by_length)
{
	return index >= 0 && index * per < EXTENTS ? leaf_at((uint32_t)index, per, by_length)
						   : UINT32_MAX;
}

/* All extents are as long as another, so that both trees have them in the same order. */
static void plant_one(bool by_length, uint32_t per, uint32_t most)
{
	uint32_t root = tree_start + by_length, leaves = (EXTENTS + per - 1) / per;
	uint8_t *keys = node_begin(root, by_length, 1, UINT32_MAX, UINT32_MAX);

	for (uint32_t i = 0; i < leaves; i++) {
		uint32_t leaf = leaf_at(i, per, by_length);
		uint32_t count = i + 1 < leaves ? per : EXTENTS - i * per;
		uint8_t *record =
			node_begin(leaf, by_length, 0, leaf_there((int64_t)i - 1, per, by_length),
				   leaf_there((int64_t)i + 1, per, by_length));

		for (uint32_t j = 0; j < count; j++) {
			put32(record + 8 * j, extent_at(i * per + j));
			put32(record + 8 * j + 4, EXTENT);
		}
		node_end(leaf, (uint16_t)count);
		memcpy(keys + 8 * i, record, 8);
		put32(keys + 8 * most + 4 * i, leaf);
	}
	node_end(root, (uint16_t)leaves);
	put32(disk + 512 + 16 + 4 * by_length, root);
	put32(disk + 512 + 28 + 4 * by_length, 2);
}

/* Trees of two levels, as many fragments have. Returns how many extents are in a leaf. */
static uint32_t plant_tree(const char *options)
{
	make(options);
	uint32_t header = has_sums() ? 56 : 16, size = xfs_get32(disk + 4);
	uint32_t per = (size - header) / 8, most = (size - header) / 12;
	const uint8_t *last = block_at(xfs_get32(disk + 512 + 16));

	last += header + (xfs_get16(last + 6) - 1u) * 8;
	tree_start = xfs_get32(last);
	assert_true(xfs_get32(last + 4) > EXTENTS * (EXTENT + 1) + 2);
	plant_one(false, per, most);
	plant_one(true, per, most);
	put32(disk + 512 + 52, EXTENTS * EXTENT);
	put32(disk + 512 + 56, EXTENT);
	seal(disk + 512, 512, 216);
	keep();
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

/* That is where the headers end. What has it here is seen when the trees have been read. */
static void a_tree_can_have_the_block_behind_the_headers(void **state)
{
	(void)state;
	for (size_t t = 0; t < sizeof(trees) / sizeof(trees[0]); t++) {
		uint32_t per = plant_tree(trees[t]), header = has_sums() ? 56 : 16;

		for (int by_length = 0; by_length < 2; by_length++) {
			uint32_t leaf = leaf_at(0, per, by_length);

			put32(block_at(leaf) + header, 2);
			seal(block_at(leaf), 1024, 52);
		}
		assert_doubt("its maps contradict its superblock");
	}
}

static void a_leaf_that_is_not_in_its_place_is_a_doubt(void **state)
{
	(void)state;
	for (size_t t = 0; t < sizeof(trees) / sizeof(trees[0]); t++) {
		uint32_t per = plant_tree(trees[t]), header = has_sums() ? 56 : 16;
		uint32_t first = leaf_at(0, per, false), second = leaf_at(1, per, false);

		node_doubts(first, 12, UINT32_MAX,
			    "a group has another number of free blocks than it says");
		node_doubts(first, 12, leaf_at(2, per, false), "a tree of what is free is damaged");
		node_doubts(first, 12, xfs_get32(disk + 84),
			    "a tree of what is free leads out of its group");
		node_doubts(leaf_at(2, per, false), 12, first, "a tree of what is free is damaged");
		node_doubts(second, 4, 1u << 16 | 1, "a tree of what is free is damaged");
		node_doubts(second, 4, per + 1, "a tree of what is free is damaged");
		node_doubts(second, header, extent_at(0), "what is free of it overlaps");
		/* Neighbours would be one, and what is behind the group belongs to nobody. */
		node_doubts(second, header, extent_at(per - 1) + 1, "what is free of it overlaps");
		node_doubts(second, header, extent_at(per - 1) + EXTENT,
			    "what is free of it overlaps");
		node_doubts(leaf_at(2, per, false), header + 8, xfs_get32(disk + 84) + 1,
			    "what is free of it overlaps");
		/* The second block is the group's headers, too. */
		node_doubts(first, header, 1, "what is free of it overlaps");
		node_doubts(first, 4, 0, "a tree of what is free is damaged");
		node_doubts(second, header + 4, 0, "what is free of it overlaps");
		node_doubts(second, header + 4, UINT32_MAX, "what is free of it overlaps");
		node_doubts(second, header + 4, EXTENT - 1,
			    "a group has another number of free blocks than it says");
		node_doubts(tree_start, 4, 1u << 16, "a tree of what is free is damaged");
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

/* Without checksums a start that is another is seen by the other tree alone. */
static void a_tree_that_differs_from_the_other_is_a_doubt(void **state)
{
	static const char contradict[] = "two trees of what is free contradict each other";

	(void)state;
	for (size_t t = 0; t < sizeof(trees) / sizeof(trees[0]); t++) {
		uint32_t per = plant_tree(trees[t]), header = has_sums() ? 56 : 16;
		size_t last = header + 8 * (EXTENTS - 2 * per - 1);

		node_doubts(leaf_at(2, per, false), last, extent_at(EXTENTS), contradict);
		node_doubts(leaf_at(2, per, true), last, extent_at(EXTENTS), contradict);
		node_doubts(leaf_at(2, per, true), last + 4, EXTENT - 1,
			    "what is free of it overlaps");
		node_doubts(leaf_at(2, per, true), last + 4, EXTENT + 1,
			    "a group has another number of free blocks than it says");
		node_doubts(leaf_at(2, per, true), last, extent_at(0),
			    "what is free of it overlaps");
		node_doubts(leaf_at(2, per, true), 12, leaf_at(0, per, true),
			    "a tree of what is free is damaged");
		memcpy(block_at(tree_start), block_at(tree_start + 1), 1024);
		assert_doubt("a tree of what is free is damaged");
	}
}

/* Every bit of the last leaf, behind whose extents there is room. */
static void a_bit_without_a_checksum_is_seen(void **state)
{
	struct spare *right, *spare;

	(void)state;
	uint32_t per = plant_tree(trees[0]);
	uint8_t *leaf = block_at(leaf_at(2, per, false));

	assert_int_equal(find(&right), 0);
	for (uint32_t bit = 0; bit < (16 + (EXTENTS - 2 * per) * 8) * 8; bit++) {
		leaf[bit / 8] ^= 1u << bit % 8;
		if (find(&spare) == 0)
			assert_true(same(right, spare));
		spare_free(spare);
		leaf[bit / 8] ^= 1u << bit % 8;
	}
	spare_free(right);
}

/* A leaf that was written for another place, or another file system. */
static void a_leaf_of_elsewhere_is_a_doubt(void **state)
{
	(void)state;
	uint32_t leaf = leaf_at(0, plant_tree(trees[1]), false);

	node_doubts(leaf, 20, 8, "the checksum of a tree of what is free is wrong");
	node_doubts(leaf, 32, 0, "the checksum of a tree of what is free is wrong");
	node_doubts(leaf, 48, 1, "the checksum of a tree of what is free is wrong");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_has_all_leaves),
		cmocka_unit_test(a_tree_can_have_the_block_behind_the_headers),
		cmocka_unit_test(a_leaf_that_is_not_in_its_place_is_a_doubt),
		cmocka_unit_test(a_tree_that_differs_from_the_other_is_a_doubt),
		cmocka_unit_test(a_bit_without_a_checksum_is_seen),
		cmocka_unit_test(a_leaf_of_elsewhere_is_a_doubt),
		cmocka_unit_test(a_header_that_contradicts_is_a_doubt),
		cmocka_unit_test(a_feature_of_tomorrow_is_all_used),
	};

	reader = used_xfs;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
