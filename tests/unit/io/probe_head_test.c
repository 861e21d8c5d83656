// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the heads of journals are: file systems made by hand, and each of them with one thing
 * wrong. Real ones are in tests/unit/tools/journal_test.sh.
 */
#include "probe_used_test.h"

#include <endian.h>

#include "io/probe_head.h"

static int disk_from(void *from, uint64_t offset, void *buf, size_t len)
{
	return disk_read(from, offset, buf, len);
}

static size_t heads_read(const char *path, uint64_t size, const char *type,
			 uint64_t ret[PROBE_HEADS_MOST])
{
	struct probe_area area = {.read = disk_from, .start = START, .size = size};
	struct disk *disk;
	size_t count;

	assert_int_equal(disk_open_source(path, &disk), 0);
	area.from = disk;
	count = probe_heads(&area, type, ret);
	disk_close(disk);
	for (size_t i = 0; i < count; i++)
		assert_true(ret[i] < size);
	return count;
}

static void assert_head(const char *path, uint64_t size, const char *type, uint64_t head)
{
	uint64_t heads[PROBE_HEADS_MOST];

	assert_true(heads_read(path, size, type, heads) >= 1);
	assert_int_equal(heads[0], head);
}

static void assert_none(const char *path, uint64_t size, const char *type, const char *why)
{
	uint64_t heads[PROBE_HEADS_MOST];

	if (heads_read(path, size, type, heads))
		fail_msg("%s: a head at %ju in spite of %s", type, (uintmax_t)heads[0], why);
}

static void assert_no_heads(const char *type, uint64_t size, const struct field *fields,
			    size_t count, const struct wrong *wrong, size_t wrongs)
{
	for (size_t i = 0; i < wrongs; i++) {
		const char *path = fs_make(size, fields, count);

		field_poke(path, &wrong[i].field);
		assert_none(path, size, type, wrong[i].name);
	}
	assert_none(fs_make(size, fields, count), 100, type, "a partition of 100 bytes");
	assert_none(fs_make(size, NULL, 0), size, type, "zeros");
}

#define ASSERT_NO_HEADS(type, size, fields, wrong) \
	assert_no_heads(type, size, fields, COUNT(fields), wrong, COUNT(wrong))

/*
 * Blocks of 1 KiB, 16 inodes of 256 bytes in a group. Inode 24, the journal's, is the eighth of
 * group 1, whose table is at block 10; its blocks begin at 500.
 */
#define EXT_SIZE  (1u << 20)
#define EXT_GROUP (2048u + 32)
#define EXT_INODE (10u * 1024 + 7 * 256)
#define EXT_ROOT  (EXT_INODE + 0x28)
static const struct field ext[] = {
	{1024 + 0x38, 2, 0xef53}, {1024 + 0x5c, 4, 4}, {1024 + 0xe0, 4, 24},
	{1024 + 0x28, 4, 16},	  {1024 + 0x4c, 4, 1}, {1024 + 0x58, 2, 256},
	{EXT_GROUP + 8, 4, 10},	  {EXT_ROOT, 4, 500}, /* the first of a list of blocks */
};

static void ext_list(void **state)
{
	static const struct wrong wrong[] = {
		{"no magic number", {1024 + 0x38, 2, 0xef54}},
		{"blocks of 128 KiB", {1024 + 0x18, 4, 7}},
		{"a block size that is huge", {1024 + 0x18, 4, UINT32_MAX}},
		{"no journal", {1024 + 0x5c, 4, 0}},
		{"a journal elsewhere", {1024 + 0xe0, 4, 0}},
		{"an inode beyond all groups", {1024 + 0xe0, 4, UINT32_MAX}},
		{"groups of no inodes", {1024 + 0x28, 4, 0}},
		{"inodes of 64 bytes", {1024 + 0x58, 2, 64}},
		{"descriptors elsewhere", {1024 + 0x60, 4, 0x10}},
		{"descriptors of no bytes", {1024 + 0x60, 4, 0x80}},
		{"a table beyond the end", {EXT_GROUP + 8, 4, 1024}},
		{"a table that is huge", {EXT_GROUP + 8, 4, UINT32_MAX}},
		{"no block", {EXT_ROOT, 4, 0}},
		{"a block beyond the end", {EXT_ROOT, 4, 1024}},
		{"a block that is huge", {EXT_ROOT, 4, UINT32_MAX}},
		{"extents that are none", {EXT_INODE + 0x20, 4, 0x80000}},
	};

	(void)state;
	assert_head(fs_make(EXT_SIZE, ext, COUNT(ext)), EXT_SIZE, "ext3", 500 * 1024);
	assert_head(fs_make(EXT_SIZE, ext, COUNT(ext)), EXT_SIZE, "ext4", 500 * 1024);
	assert_none(fs_make(EXT_SIZE, ext, COUNT(ext)), EXT_SIZE, "ext2", "no journal");
	assert_none(fs_make(EXT_SIZE, ext, COUNT(ext)), EXT_SIZE, "jfs", "a name");
	ASSERT_NO_HEADS("ext4", EXT_SIZE, ext, wrong);
}

/* Inodes of 128 bytes without a number for that; descriptors of 64 bytes. */
static void ext_sizes(void **state)
{
	const char *path = fs_make(EXT_SIZE, ext, COUNT(ext));

	(void)state;
	field_poke(path, &(struct field){1024 + 0x4c, 4, 0});
	field_poke(path, &(struct field){10 * 1024 + 7 * 128 + 0x28, 4, 501});
	assert_head(path, EXT_SIZE, "ext4", 501 * 1024);
	field_poke(path, &(struct field){1024 + 0x60, 4, 0x80});
	field_poke(path, &(struct field){1024 + 0xfe, 2, 64});
	field_poke(path, &(struct field){2048 + 64 + 8, 4, 20});
	field_poke(path, &(struct field){20 * 1024 + 7 * 128 + 0x28, 4, 502});
	assert_head(path, EXT_SIZE, "ext4", 502 * 1024);
	field_poke(path, &(struct field){2048 + 64 + 0x28, 4, UINT32_MAX});
	assert_none(path, EXT_SIZE, "ext4", "a table of 2^63 blocks");
}

/* Two nodes of extents above the leaf, in blocks 30 and 31. */
static const struct field extents[] = {
	{EXT_INODE + 0x20, 4, 0x80000},
	{EXT_ROOT, 8, 2ull << 48 | 1ull << 16 | 0xf30a},
	{EXT_ROOT + 12, 4, 0},
	{EXT_ROOT + 16, 6, 30},
	{30 * 1024, 8, 1ull << 48 | 1ull << 16 | 0xf30a},
	{30 * 1024 + 16, 6, 31},
	{31 * 1024, 8, 1ull << 16 | 0xf30a},
	{31 * 1024 + 16, 2, 8},
	{31 * 1024 + 20, 4, 600},
};

static void ext_extents(void **state)
{
	static const struct wrong wrong[] = {
		{"a tree that is too deep", {EXT_ROOT + 6, 2, 6}},
		{"a tree that never ends", {EXT_ROOT + 16, 6, 10}},
		{"a node that is beyond the end", {EXT_ROOT + 16, 6, 0xffffffffffff}},
		{"a node of another depth", {30 * 1024 + 6, 2, 2}},
		{"a node of no entries", {30 * 1024 + 2, 2, 0}},
		{"a node without its magic number", {31 * 1024, 2, 0xf30b}},
		{"a hole in front", {31 * 1024 + 12, 4, 1}},
		{"a block of 48 bits", {31 * 1024 + 18, 2, 0xffff}},
	};

	(void)state;
	for (size_t i = 0; i <= COUNT(wrong); i++) {
		const char *path = fs_make(EXT_SIZE, ext, COUNT(ext));

		for (size_t j = 0; j < COUNT(extents); j++)
			field_poke(path, &extents[j]);
		if (i == COUNT(wrong)) {
			assert_head(path, EXT_SIZE, "ext4", 600 * 1024);
			break;
		}
		field_poke(path, &wrong[i].field);
		assert_none(path, EXT_SIZE, "ext4", wrong[i].name);
	}
}

/* Big-endian: groups of 256 blocks of 4 KiB, a log of 16 blocks from block 5 of group 2 on. */
#define XFS_SIZE (4u << 20)
#define XFS_LOG	 ((2u * 256 + 5) * 4096)
#define XFS_LAST 128u /* of its sectors */
static const struct field xfs[] = {
	{0, 4, 0x42534658},  {4, 4, 0x00100000},  {48, 8, 0x0502000000000000},
	{84, 4, 0x00010000}, {88, 4, 0x04000000}, {96, 4, 0x10000000},
	{124, 1, 8},
};

/* All sectors of the log: ROUND in the first COUNT, the round before in the others. */
static void xfs_fill(const char *path, uint32_t round, uint32_t count)
{
	for (uint32_t i = 0; i < XFS_LAST; i++) {
		uint64_t number = htobe32(i < count ? round : round - 1);

		/* Some begin a record. */
		field_poke(path, i % 5 ? &(struct field){XFS_LOG + i * 512, 4, number}
				       : &(struct field){XFS_LOG + i * 512, 8,
							 number << 32 | 0xbebaedfe});
	}
}

static void xfs_rounds(void **state)
{
	const char *path = fs_make(XFS_SIZE, xfs, COUNT(xfs));

	(void)state;
	for (uint32_t count = 1; count <= XFS_LAST; count++) {
		xfs_fill(path, 1 + count % 2 * 0x1000, count);
		assert_head(path, XFS_SIZE, "xfs", XFS_LOG + (count - 1) * 512);
	}
}

static void xfs_is_refused(void **state)
{
	static const struct wrong wrong[] = {
		{"no magic number", {0, 4, 0x42534659}},
		{"blocks of no bytes", {4, 4, 0}},
		{"blocks of 3 KiB", {4, 4, 0x000c0000}},
		{"blocks of 128 KiB", {4, 4, 0x00000200}},
		{"a log elsewhere", {48, 8, 0}},
		{"a log beyond all groups", {48, 8, 0x0504000000000000}},
		{"a log without end", {48, 8, UINT64_MAX}},
		{"a log behind its group", {84, 4, 0x05000000}},
		{"groups without end", {88, 4, 0}},
		{"a log of no blocks", {96, 4, 0}},
		{"a log of 16 TiB", {96, 4, UINT32_MAX}},
		{"a log beyond the end", {96, 4, 0x00000400}},
		{"a shift of 255", {124, 1, 255}},
	};

	(void)state;
	ASSERT_NO_HEADS("xfs", XFS_SIZE, xfs, wrong);
}

/* The copies of its superblock, as far as there is room for them. */
static void btrfs_copies(void **state)
{
	const char *path = fs_make(UINT64_C(300) << 30, NULL, 0);
	uint64_t heads[PROBE_HEADS_MOST];

	(void)state;
	assert_int_equal(heads_read(path, 64 * MIB, "btrfs", heads), 0);
	assert_int_equal(heads_read(path, 64 * MIB + 1, "btrfs", heads), 1);
	assert_int_equal(heads[0], 64 * MIB);
	assert_int_equal(heads_read(path, UINT64_C(300) << 30, "btrfs", heads), 2);
	assert_int_equal(heads[1], UINT64_C(256) << 30);
}

/* Clusters of 512 bytes, records of 1 KiB from cluster 4 on; $LogFile from cluster 300 on. */
#define NTFS_RECORD (4u * 512 + 2 * 1024)
#define NTFS_SIZE   (40000u * 512)
static const struct field ntfs[] = {
	{3, 8, 0x202020205346544e},
	{11, 2, 512},
	{13, 1, 1},
	{40, 8, 40000},
	{48, 8, 4},
	{64, 1, (uint8_t)-10},
	{NTFS_RECORD, 4, 0x454c4946},
	{NTFS_RECORD + 4, 2, 48},
	{NTFS_RECORD + 6, 2, 3},
	{NTFS_RECORD + 20, 2, 56},
	{NTFS_RECORD + 44, 4, 2},
	{NTFS_RECORD + 56, 4, 0x80},
	{NTFS_RECORD + 60, 4, 80},
	{NTFS_RECORD + 64, 1, 1},
	{NTFS_RECORD + 56 + 32, 2, 64},
	{NTFS_RECORD + 56 + 64, 4, 0x012c2021}, /* 32 clusters at 300 */
};

static void ntfs_log(void **state)
{
	static const struct wrong wrong[] = {
		{"no name", {3, 8, 0}},
		{"a table beyond the end", {48, 8, 40000}},
		{"a table that is huge", {48, 8, UINT64_MAX}},
		{"more clusters than there is room for", {40, 8, 40001}},
		{"no record", {NTFS_RECORD, 4, 0}},
		{"another record", {NTFS_RECORD + 44, 4, 6}},
		{"runs behind the attribute", {NTFS_RECORD + 56 + 32, 2, 80}},
		{"runs far behind it", {NTFS_RECORD + 56 + 32, 2, UINT16_MAX}},
		{"a run of no clusters", {NTFS_RECORD + 56 + 65, 1, 0}},
		{"a run of no bytes", {NTFS_RECORD + 56 + 64, 1, 0}},
		{"a run beyond the end", {NTFS_RECORD + 56 + 66, 2, 39999}},
	};
	const char *path = fs_make(NTFS_SIZE, ntfs, COUNT(ntfs));
	uint64_t heads[PROBE_HEADS_MOST];

	(void)state;
	assert_int_equal(heads_read(path, NTFS_SIZE, "ntfs", heads), 2);
	assert_int_equal(heads[0], 300 * 512);
	assert_int_equal(heads[1], 300 * 512 + 4096);
	ASSERT_NO_HEADS("ntfs", NTFS_SIZE, ntfs, wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ext_list),	  cmocka_unit_test(ext_sizes),
		cmocka_unit_test(ext_extents),	  cmocka_unit_test(xfs_rounds),
		cmocka_unit_test(xfs_is_refused), cmocka_unit_test(btrfs_copies),
		cmocka_unit_test(ntfs_log),
	};

	return cmocka_run_group_tests_name("probe_head", tests, test_setup, test_teardown);
}
