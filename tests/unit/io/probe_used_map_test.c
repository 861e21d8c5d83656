// SPDX-License-Identifier: GPL-2.0-or-later
/* How full those are that keep a map of their clusters and no count: exFAT and NTFS. */
#include "probe_used_test.h"

#define CLUSTER 4096u

/*
 * 1000 clusters of 4 KiB from 64 KiB on, root directory in cluster 4, bitmap in cluster 2: 10 bits,
 * the last cluster's among them, and some behind that.
 */
#define EXFAT_HEAP 65536u
#define EXFAT_ROOT (EXFAT_HEAP + 2 * CLUSTER)
#define EXFAT_SIZE (EXFAT_HEAP + 1000 * CLUSTER)
static const struct field exfat[] = {
	{3, 8, 0x2020205441465845}, /* EXFAT */
	{88, 4, EXFAT_HEAP / 512},
	{92, 4, 1000},
	{96, 4, 4},
	{108, 1, 9},
	{109, 1, 3},
	{112, 1, 77}, /* percent in use, which nobody keeps */
	{EXFAT_ROOT, 1, 0x83},
	{EXFAT_ROOT + 32, 1, 0x81},
	{EXFAT_ROOT + 32 + 20, 4, 2},
	{EXFAT_ROOT + 32 + 24, 8, 125},
	{EXFAT_HEAP, 2, 0x01ff},
	{EXFAT_HEAP + 124, 2, 0xff80},
};

static void exfat_is_counted(void **state)
{
	static const struct wrong wrong[] = {
		{"no name", {3, 8, 0}},
		{"a heap that ends beyond it", {92, 4, 1017}},
		{"a heap that begins beyond it", {88, 4, UINT32_MAX}},
		{"no clusters", {92, 4, 0}},
		{"clusters without end", {92, 4, UINT32_MAX}},
		{"no root directory", {96, 4, 0}},
		{"a root directory before the heap", {96, 4, 1}},
		{"a root directory behind the heap", {96, 4, 1002}},
		{"a root directory of zeros", {96, 4, 5}},
		{"sectors of 256 bytes", {108, 1, 8}},
		{"sectors of 8 KiB", {108, 1, 13}},
		{"clusters of 64 MiB", {109, 1, 17}},
		{"clusters of 2^264 bytes", {109, 1, 255}},
		{"no bitmap", {EXFAT_ROOT + 32, 1, 0x01}},
		{"the second bitmap alone", {EXFAT_ROOT + 33, 1, 1}},
		{"a bitmap before the heap", {EXFAT_ROOT + 32 + 20, 4, 1}},
		{"a bitmap behind the heap", {EXFAT_ROOT + 32 + 20, 4, 1002}},
		{"a bitmap that is too short", {EXFAT_ROOT + 32 + 24, 8, 124}},
	};

	(void)state;
	assert_used(fs_make(EXFAT_SIZE, exfat, COUNT(exfat)), EXFAT_SIZE, "exfat", 1000 * CLUSTER,
		    10 * CLUSTER);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		const char *path = fs_make(EXFAT_SIZE, exfat, COUNT(exfat));

		field_poke(path, &wrong[i].field);
		assert_unknown(path, EXFAT_SIZE, "exfat", wrong[i].name);
	}
	assert_unknown(fs_make(EXFAT_SIZE, exfat, COUNT(exfat)), 900 * CLUSTER, "exfat",
		       "a partition that is smaller");
}

/*
 * 40000 clusters of 512 bytes; the MFT's records of 1 KiB from cluster 4 on. The bitmap, 5000 bytes
 * and so 10 clusters, is in two runs: 4 clusters at 100, 6 at 50. 17 bits are set, the last
 * cluster's among them.
 */
#define NTFS_RECORD (4u * 512 + 6 * 1024)
#define NTFS_ATTR   (NTFS_RECORD + 56 + 24)
#define NTFS_RUNS   (NTFS_ATTR + 64)
#define NTFS_SIZE   (40000u * 512)
static const struct field ntfs[] = {
	{3, 8, 0x202020205346544e}, /* NTFS */
	{11, 2, 512},
	{13, 1, 1},
	{40, 8, 40000},
	{48, 8, 4},
	{64, 1, (uint8_t)-10},
	{NTFS_RECORD, 4, 0x454c4946}, /* FILE */
	{NTFS_RECORD + 4, 2, 48},
	{NTFS_RECORD + 6, 2, 3},
	{NTFS_RECORD + 20, 2, 56},
	{NTFS_RECORD + 44, 4, 6},
	{NTFS_RECORD + 48, 6, 0x7777}, /* the fixup's number, and zeros to put back */
	{NTFS_RECORD + 510, 2, 0x7777},
	{NTFS_RECORD + 1022, 2, 0x7777},
	{NTFS_RECORD + 56, 4, 0x10}, /* an attribute before it */
	{NTFS_RECORD + 60, 4, 24},
	{NTFS_ATTR, 4, 0x80},
	{NTFS_ATTR + 4, 4, 80},
	{NTFS_ATTR + 8, 1, 1},
	{NTFS_ATTR + 32, 2, 64},
	{NTFS_RUNS, 3, 0x640411},	/* 4 at 100 */
	{NTFS_RUNS + 3, 4, 0xffce0621}, /* 6 at 100 - 50 */
	{NTFS_ATTR + 80, 4, UINT32_MAX},
	{100 * 512, 2, 0xffff},
	{50 * 512 + 6 * 512 - 121, 8, 0xff80}, /* bit 39999 is that of byte 4999 */
};

static void ntfs_is_counted(void **state)
{
	static const struct wrong wrong[] = {
		{"no name", {3, 8, 0}},
		{"sectors of no bytes", {11, 2, 0}},
		{"sectors of 768 bytes", {11, 2, 768}},
		{"sectors of 8 KiB", {11, 2, 8192}},
		{"clusters of no sectors", {13, 1, 0}},
		{"clusters of 3 sectors", {13, 1, 3}},
		{"clusters of 2^127 sectors", {13, 1, 0x81}},
		{"no sectors", {40, 8, 0}},
		{"a sector too many", {40, 8, 40001}},
		{"sectors without end", {40, 8, UINT64_MAX}},
		{"a bitmap of more than 64 MiB", {40, 8, UINT64_C(1) << 29}},
		{"an MFT beyond it", {48, 8, 40000}},
		{"an MFT far beyond it", {48, 8, UINT64_MAX}},
		{"records of no bytes", {64, 1, 0}},
		{"records of 256 bytes", {64, 1, (uint8_t)-8}},
		{"records of 8 KiB", {64, 1, (uint8_t)-13}},
		{"records of 2^128 bytes", {64, 1, 0x80}},
		{"records of 127 clusters", {64, 1, 127}},
		{"a record that is none", {NTFS_RECORD, 4, 0x44414142}},
		{"another file's record", {NTFS_RECORD + 44, 4, 7}},
		{"fixups beyond the sector", {NTFS_RECORD + 4, 2, 506}},
		{"fixups far away", {NTFS_RECORD + 4, 2, UINT16_MAX}},
		{"a fixup too few", {NTFS_RECORD + 6, 2, 2}},
		{"no fixups", {NTFS_RECORD + 6, 2, 0}},
		{"a sector that was not written", {NTFS_RECORD + 1022, 2, 0x7776}},
		{"attributes beyond the record", {NTFS_RECORD + 20, 2, 1000}},
		{"attributes far away", {NTFS_RECORD + 20, 2, UINT16_MAX}},
		{"an attribute of no bytes", {NTFS_RECORD + 60, 4, 0}},
		{"an attribute that is huge", {NTFS_RECORD + 60, 4, UINT32_MAX}},
		{"no data", {NTFS_ATTR, 4, 0xa0}},
		{"data of a name", {NTFS_ATTR + 9, 1, 1}},
		{"data in the record", {NTFS_ATTR + 8, 1, 0}},
		{"data that is compressed", {NTFS_ATTR + 12, 2, 1}},
		{"data that begins elsewhere", {NTFS_ATTR + 16, 8, 1}},
		{"an attribute too short for runs", {NTFS_ATTR + 4, 4, 63}},
		{"an attribute beyond the record", {NTFS_ATTR + 4, 4, 1024}},
		{"runs beyond the attribute", {NTFS_ATTR + 32, 2, 80}},
		{"no runs", {NTFS_RUNS, 1, 0}},
		{"a hole", {NTFS_RUNS, 1, 0x01}},
		{"a run without a length", {NTFS_RUNS, 1, 0x10}},
		{"a run with a length of nine bytes", {NTFS_RUNS, 1, 0x19}},
		{"a run with an offset of nine bytes", {NTFS_RUNS, 1, 0x91}},
		{"a run of no clusters", {NTFS_RUNS + 1, 1, 0}},
		{"a run before the beginning", {NTFS_RUNS + 2, 1, 0x80}},
		{"a run beyond the end", {NTFS_RUNS + 3, 5, 0xffff0631}},
		{"a run that ends beyond the end", {NTFS_RUNS + 3, 5, 0x9bd70631}},
		{"a run that is huge", {NTFS_RUNS, 1, 0x18}},
		{"runs that end too soon", {NTFS_RUNS + 3, 1, 0}},
		{"a second run that is too short", {NTFS_RUNS + 4, 1, 5}},
	};

	(void)state;
	assert_used(fs_make(NTFS_SIZE, ntfs, COUNT(ntfs)), NTFS_SIZE, "ntfs", NTFS_SIZE, 17 * 512);
	ASSERT_WRONG("ntfs", NTFS_SIZE, ntfs, wrong);
}

/* Runs that end with the attribute, and that with the record. */
static void ntfs_runs_end_with_the_record(void **state)
{
	const char *path = fs_make(NTFS_SIZE, ntfs, COUNT(ntfs));

	(void)state;
	field_poke(path, &(struct field){NTFS_RECORD + 60, 4, 1024 - 64 - 56});
	field_poke(path, &(struct field){NTFS_RECORD + 960, 4, 0x80});
	field_poke(path, &(struct field){NTFS_RECORD + 960 + 4, 4, 64});
	field_poke(path, &(struct field){NTFS_RECORD + 960 + 8, 1, 1});
	field_poke(path, &(struct field){NTFS_RECORD + 960 + 32, 2, 61});
	field_poke(path, &(struct field){NTFS_RECORD + 960 + 61, 1, 0x88});
	assert_unknown(path, NTFS_SIZE, "ntfs", "a run cut by the record's end");
}

static void a_map_that_cannot_be_read_is_not_known(void **state)
{
	const char *path = fs_make(NTFS_SIZE, ntfs, COUNT(ntfs));

	(void)state;
	assert_int_equal(truncate(path, START + 100 * 512), 0);
	assert_unknown(path, NTFS_SIZE, "ntfs", "a bitmap that was cut");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exfat_is_counted),
		cmocka_unit_test(ntfs_is_counted),
		cmocka_unit_test(ntfs_runs_end_with_the_record),
		cmocka_unit_test(a_map_that_cannot_be_read_is_not_known),
	};

	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
