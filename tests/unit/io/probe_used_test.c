// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How full a file system is: superblocks made by hand, and each of them with one thing wrong.
 * Real ones are in tests/unit/tools/used_test.sh.
 */
#include "probe_used_test.h"

/* 1024 blocks of 4 KiB in two groups, 200 and 56 of them free; the superblock says 1000. */
static const struct field ext[] = {
	{1024 + 0x38, 2, 0xef53}, {1024 + 0x18, 4, 2},	     {1024 + 0x04, 4, 1024},
	{1024 + 0x0c, 4, 1000},	  {1024 + 0x150, 4, 0xffff}, {1024 + 0x158, 4, 0xffff},
	{1024 + 0x20, 4, 512},	  {4096 + 0x0c, 2, 200},     {4096 + 0x2c, 2, 56},
	{4096 + 0x4c, 2, 7},
};

static void ext_is_counted(void **state)
{
	static const struct wrong wrong[] = {
		{"no magic number", {1024 + 0x38, 2, 0xef54}},
		{"blocks of 128 KiB", {1024 + 0x18, 4, 7}},
		{"blocks of 2^74 bytes", {1024 + 0x18, 4, 64}},
		{"a block size that is huge", {1024 + 0x18, 4, UINT32_MAX}},
		{"no blocks", {1024 + 0x04, 4, 0}},
		{"a block too many", {1024 + 0x04, 4, 1025}},
		{"blocks without end", {1024 + 0x04, 4, UINT32_MAX}},
		{"a first block behind the last", {1024 + 0x14, 4, 1024}},
		{"groups of no blocks", {1024 + 0x20, 4, 0}},
		{"more free than there are", {4096 + 0x0c, 2, 969}},
		{"upper halves beyond the partition", {1024 + 0x60, 4, 0x80}},
		{"units of less than a block", {1024 + 0x64, 4, 0x200}},
		{"descriptors elsewhere, and not unmounted", {1024 + 0x60, 4, 0x10}},
	};

	(void)state;
	for (char type[] = "ext2"; type[3] <= '4'; type[3]++)
		assert_used(fs_make(4 * MIB, ext, COUNT(ext)), 4 * MIB, type, 4 * MIB, 3 * MIB);
	ASSERT_WRONG("ext4", 4 * MIB, ext, wrong);
}

static void ext_of_clusters_is_counted(void **state)
{
	const char *path = fs_make(4 * MIB, ext, COUNT(ext));

	(void)state;
	field_poke(path, &(struct field){1024 + 0x64, 4, 0x200});
	field_poke(path, &(struct field){1024 + 0x1c, 4, 3});
	assert_used(path, 4 * MIB, "ext4", 4 * MIB, 2 * MIB);
	field_poke(path, &(struct field){1024 + 0x1c, 4, 5});
	assert_unknown(path, 4 * MIB, "ext4", "more free than there are");
	field_poke(path, &(struct field){1024 + 0x1c, 4, 23});
	assert_unknown(path, 4 * MIB, "ext4", "units of 2^21 blocks");
}

/* Where the groups cannot be asked the superblock is, once it has been unmounted. */
static void ext_superblock_is_believed_after_an_unmount(void **state)
{
	const char *path = fs_make(4 * MIB, ext, COUNT(ext));

	(void)state;
	field_poke(path, &(struct field){1024 + 0x60, 4, 0x10});
	field_poke(path, &(struct field){1024 + 0x3a, 2, 1});
	assert_used(path, 4 * MIB, "ext4", 4 * MIB, 24 * 4096);
	field_poke(path, &(struct field){1024 + 0x0c, 4, 1025});
	assert_unknown(path, 4 * MIB, "ext4", "more free than there are");
	field_poke(path, &(struct field){1024 + 0x0c, 4, 1000});
	field_poke(path, &(struct field){1024 + 0x60, 4, 0x14});
	assert_unknown(path, 4 * MIB, "ext4", "a journal to replay");
}

/* 2^32 blocks of 1 KiB and 1024 more in 65 groups, on a disk of holes. */
static void ext_of_64_bits_is_counted(void **state)
{
	static const struct field wide[] = {
		{1024 + 0x60, 4, 0x80}, {1024 + 0x18, 4, 0},	    {1024 + 0x04, 4, 1024},
		{1024 + 0x150, 4, 1},	{1024 + 0x20, 4, 1u << 26}, {1024 + 0xfe, 2, 64},
		{4096 + 0x2c, 2, 0},	{4096 + 0x0c, 2, 0},	    {4096 + 0x4c, 2, 0},
	};
	static const struct wrong wrong[] = {
		{"groups without end", {1024 + 0x20, 4, 1}},
		{"descriptors of 32 bytes", {1024 + 0xfe, 2, 32}},
		{"descriptors of 96 bytes", {1024 + 0xfe, 2, 96}},
		{"descriptors of 2 KiB", {1024 + 0xfe, 2, 2048}},
		{"descriptors of no bytes", {1024 + 0xfe, 2, 0}},
	};
	uint64_t size = (UINT64_C(1) << 42) + MIB;
	const char *path = fs_make(size, ext, COUNT(ext));

	(void)state;
	for (size_t i = 0; i < COUNT(wide); i++)
		field_poke(path, &wide[i]);
	for (size_t i = 0; i < 64; i++)
		field_poke(path, &(struct field){2048 + 64 * i + 0x2c, 2, 0x400});
	field_poke(path, &(struct field){2048 + 64 * 64 + 0x0c, 2, 24});
	assert_used(path, size, "ext4", size, 1000 * 1024);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		field_poke(path, &wide[4]);
		field_poke(path, &wrong[i].field);
		assert_unknown(path, size, "ext4", wrong[i].name);
	}
}

/* Numbers of XFS are big-endian. */
static void xfs_is_read(void **state)
{
	static const struct field xfs[] = {
		{0, 4, 0x42534658},
		{4, 4, 0x00100000},	      /* 4096 */
		{8, 8, 0x0004000000000000},   /* 1024 */
		{144, 8, 0x0001000000000000}, /* 256 */
	};
	static const struct wrong wrong[] = {
		{"no magic number", {0, 4, 0x42534659}},
		{"blocks of no bytes", {4, 4, 0}},
		{"blocks of 256 bytes", {4, 4, 0x00010000}},
		{"blocks of 128 KiB", {4, 4, 0x00000200}},
		{"blocks of 3 KiB", {4, 4, 0x000c0000}},
		{"no blocks", {8, 8, 0}},
		{"a block too many", {8, 8, 0x0104000000000000}},
		{"blocks without end", {8, 8, UINT64_MAX}},
		{"more free than there are", {144, 8, 0x0104000000000000}},
		{"a negative number of free blocks", {144, 8, UINT64_MAX}},
	};

	(void)state;
	assert_used(fs_make(4 * MIB, xfs, COUNT(xfs)), 4 * MIB, "xfs", 4 * MIB, 3 * MIB);
	ASSERT_WRONG("xfs", 4 * MIB, xfs, wrong);
}

static void btrfs_is_read(void **state)
{
	static const struct field btrfs[] = {
		{65536 + 0x40, 8, 0x4d5f53665248425f}, /* _BHRfS_M */
		{65536 + 0x70, 8, 4 * MIB},
		{65536 + 0x78, 8, 3 * MIB},
		{65536 + 0x88, 8, 1},
	};
	static const struct wrong wrong[] = {
		{"no magic number", {65536 + 0x40, 8, 0}},
		{"no bytes", {65536 + 0x70, 8, 0}},
		{"a byte too many", {65536 + 0x70, 8, 4 * MIB + 1}},
		{"bytes without end", {65536 + 0x70, 8, UINT64_MAX}},
		{"more used than there are", {65536 + 0x78, 8, 4 * MIB + 1}},
		{"use without end", {65536 + 0x78, 8, UINT64_MAX}},
		{"no device", {65536 + 0x88, 8, 0}},
		{"a second device", {65536 + 0x88, 8, 2}},
	};

	(void)state;
	assert_used(fs_make(4 * MIB, btrfs, COUNT(btrfs)), 4 * MIB, "btrfs", 4 * MIB, 3 * MIB);
	ASSERT_WRONG("btrfs", 4 * MIB, btrfs, wrong);
}

/*
 * FAT12 of one sector of reserved ones, one FAT of one, a root directory of one, and 100 clusters
 * of one, of which the FAT says that 3 (entries 2, 3 and 101, the last) are used.
 */
static const struct field fat12[] = {
	{11, 2, 512},
	{13, 1, 1},
	{14, 2, 1},
	{16, 1, 1},
	{17, 2, 16},
	{19, 2, 103},
	{22, 2, 1},
	{512 + 0, 3, 0xfffff8},
	{512 + 3, 3, 0xfff003},
	{512 + 151, 2, 0xfff0},
};

static void fat12_is_counted(void **state)
{
	static const struct wrong wrong[] = {
		{"sectors of no bytes", {11, 2, 0}},
		{"sectors of 256 bytes", {11, 2, 256}},
		{"sectors of 8 KiB", {11, 2, 8192}},
		{"sectors of 513 bytes", {11, 2, 513}},
		{"clusters of no sectors", {13, 1, 0}},
		{"clusters of 3 sectors", {13, 1, 3}},
		{"no reserved sector", {14, 2, 0}},
		{"a FAT behind its end", {14, 2, 103}},
		{"no FAT", {16, 1, 0}},
		{"FATs that fill it", {16, 1, 102}},
		{"a root directory that fills it", {17, 2, 1632}},
		{"no sectors", {19, 2, 0}},
		{"sectors that are its FAT's", {19, 2, 3}},
		{"sectors without end", {19, 2, UINT16_MAX}},
		{"a FAT of no sectors", {22, 2, 0}},
	};
	const char *path = fs_make(103 * 512, fat12, COUNT(fat12));

	(void)state;
	assert_used(path, 103 * 512, "vfat", 100 * 512, 3 * 512);
	/* What is behind the last cluster's entry does not count, nor do the first two. */
	field_poke(path, &(struct field){512 + 153, 8, UINT64_MAX});
	field_poke(path, &(struct field){512, 3, 0});
	assert_used(path, 103 * 512, "vfat", 100 * 512, 3 * 512);
	/* An entry that says nothing sensible is not free. */
	field_poke(path, &(struct field){512 + 3, 3, 0x001001});
	assert_used(path, 103 * 512, "vfat", 100 * 512, 3 * 512);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		path = fs_make(103 * 512, fat12, COUNT(fat12));
		field_poke(path, &wrong[i].field);
		assert_unknown(path, 103 * 512, "vfat", wrong[i].name);
	}
	path = fs_make(103 * 512, fat12, COUNT(fat12));
	assert_unknown(path, 99 * 512, "vfat", "a partition that is smaller");
	assert_unknown(path, 1024, "vfat", "a partition without its FAT");
	assert_unknown(path, 511, "vfat", "a partition of no sector");
}

/* As fs/fat/inode.c: clusters that the FAT has no entries for are none. */
static void fat_that_is_too_short_counts(void **state)
{
	const char *path = fs_make(1003 * 512, fat12, COUNT(fat12));

	(void)state;
	field_poke(path, &(struct field){19, 2, 1003});
	/* 341 entries are whole. */
	assert_used(path, 1003 * 512, "vfat", 339 * 512, 3 * 512);
}

/* 5000 clusters of one sector, the last of them used. */
static void fat16_is_counted(void **state)
{
	static const struct field fat16[] = {
		{11, 2, 512},	    {13, 1, 1},		  {14, 2, 1},
		{16, 1, 2},	    {17, 2, 512},	  {22, 2, 20},
		{32, 4, 5000 + 73}, {512, 4, 0xfffffff8}, {512 + 10002, 2, 0xffff},
	};
	uint64_t size = 5073 * 512;

	(void)state;
	assert_used(fs_make(size, fat16, COUNT(fat16)), size, "vfat", 5000 * 512, 512);
}

/* 4 sectors of reserved ones, 10 of FAT, 1000 clusters; FSINFO, in sector 2, has 250 free. */
static const struct field fat32[] = {
	{11, 2, 512},
	{13, 1, 1},
	{14, 2, 4},
	{16, 1, 1},
	{32, 4, 1014},
	{36, 4, 10},
	{48, 2, 2},
	{1024, 4, 0x41615252},
	{1024 + 484, 4, 0x61417272},
	{1024 + 488, 4, 250},
	{2048 + 8, 4, 0x0fffffff},
	{2048 + 12, 4, 0xf0000000}, /* the upper four bits are others' */
};

static void fat32_says_itself(void **state)
{
	/* Of each of them the FAT is counted, which has one. */
	static const struct field no_hint[] = {
		{1024, 4, 0},	       {1024 + 484, 4, 0}, {1024 + 488, 4, UINT32_MAX},
		{1024 + 488, 4, 1001}, {48, 2, 0},	   {48, 2, UINT16_MAX},
	};
	uint64_t size = 1014 * 512;
	const char *path = fs_make(size, fat32, COUNT(fat32));

	(void)state;
	assert_used(path, size, "vfat", 1000 * 512, 750 * 512);
	for (size_t i = 0; i < COUNT(no_hint); i++) {
		path = fs_make(size, fat32, COUNT(fat32));
		field_poke(path, &no_hint[i]);
		assert_used(path, size, "vfat", 1000 * 512, 512);
	}
}

/* 2^21 clusters: the FAT is not read for them; FSINFO is believed. */
static void large_fat32_is_not_counted(void **state)
{
	uint64_t sectors = (2u << 20) + 4 + 16400, size = sectors * 512;
	const char *path = fs_make(size, fat32, COUNT(fat32));

	(void)state;
	field_poke(path, &(struct field){32, 4, sectors});
	field_poke(path, &(struct field){36, 4, 16400});
	assert_used(path, size, "vfat", MIB * UINT64_C(1024), MIB * UINT64_C(1024) - 250 * 512);
	field_poke(path, &(struct field){1024 + 488, 4, UINT32_MAX});
	assert_unknown(path, size, "vfat", "a FAT of 8 MiB");
}

static void other_types_are_not_known(void **state)
{
	const char *path = fs_make(4 * MIB, ext, COUNT(ext));

	(void)state;
	assert_unknown(path, 4 * MIB, "", "no type");
	assert_unknown(path, 4 * MIB, "ext", "a type that does not exist");
	assert_unknown(path, 4 * MIB, "swap", "a type that is no file system");
}

/* The disk ends where the partition should go on: it was cut, or does not read. */
static void what_cannot_be_read_is_not_known(void **state)
{
	static const char *const types[] = {"ext4", "xfs", "btrfs", "vfat", "exfat", "ntfs"};
	const char *path = test_file("fs", START + 10, -1);

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++)
		assert_unknown(path, 4 * MIB, types[i], "a disk that was cut");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ext_is_counted),
		cmocka_unit_test(ext_of_clusters_is_counted),
		cmocka_unit_test(ext_superblock_is_believed_after_an_unmount),
		cmocka_unit_test(ext_of_64_bits_is_counted),
		cmocka_unit_test(xfs_is_read),
		cmocka_unit_test(btrfs_is_read),
		cmocka_unit_test(fat12_is_counted),
		cmocka_unit_test(fat_that_is_too_short_counts),
		cmocka_unit_test(fat16_is_counted),
		cmocka_unit_test(fat32_says_itself),
		cmocka_unit_test(large_fat32_is_not_counted),
		cmocka_unit_test(other_types_are_not_known),
		cmocka_unit_test(what_cannot_be_read_is_not_known),
	};

	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
