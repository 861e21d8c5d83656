// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * File systems by mkfs.btrfs, with one thing wrong in them at a time. That what is found in them is
 * right is shown by tests/unit/tools/unused_btrfs_test.sh.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include <cmocka.h>

#include "codec/bytes.h"
#include "codec/digest.h"
#include "codec/wire.h"
#include "used/used_kinds.h"

#define SIZE  (128u << 20)
#define SUPER 65536u
#define NODE  16384u
#define SUM   32u

static uint8_t *disk;
static uint32_t seen[SIZE / 4096]; /* bytes that were read there at once */
static size_t reads;
static const char *doubt;

static int read_disk(void *from, uint64_t offset, void *buf, size_t len)
{
	(void)from;
	assert_true(offset <= SIZE && len <= SIZE - offset);
	seen[offset / 4096] = (uint32_t)len;
	memcpy(buf, disk + offset, len);
	reads++;
	return 0;
}

/* What used_btrfs returns, and with 0 a hash of what is free. */
static int look_at(uint64_t size, uint64_t *ret_hash)
{
	const struct probe_area area = {.read = read_disk, .size = size};
	struct spare *spare = spare_new(size);
	struct spare_range range = {0};

	assert_non_null(spare);
	doubt = "";
	*ret_hash = 0;
	reads = 0;
	int r = used_btrfs(&area, spare, &doubt);

	if (r == 0)
		r = spare_finish(spare);
	while (r == 0 && spare_next(spare, range.end, &range))
		*ret_hash = XXH64(&range, sizeof(range), *ret_hash);
	spare_free(spare);
	return r;
}

static void doubts(const char *why)
{
	uint64_t hash;

	assert_int_equal(look_at(SIZE, &hash), -EUCLEAN);
	if (!strstr(doubt, why))
		fail_msg("\"%s\", not \"%s\"", doubt, why);
}

static void seal(uint8_t *block, size_t len)
{
	memset(block, 0, SUM);
	if (bytes_get16(disk + SUPER + 0xc4) == 1)
		bytes_put64(block, XXH64(block + SUM, len - SUM, 0));
	else
		bytes_put32(block, wire_crc32c(block + SUM, len - SUM));
}

/* A file system of LEN bytes at DISK, made with OPTIONS. */
static void make(const char *options)
{
	char path[] = "/tmp/used_btrfs_XXXXXX", command[256];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	snprintf(command, sizeof(command),
		 "PATH=$PATH:/usr/sbin:/sbin mkfs.btrfs -q %s %s >/dev/null 2>&1", options, path);
	assert_int_equal(system(command), 0);
	assert_int_equal(pread(fd, disk, SIZE, 0), SIZE);
	close(fd);
	unlink(path);
}

/* The first block of the tree OWNER that was read, in which what is free is found. */
static uint8_t *block_of(uint64_t owner)
{
	for (size_t i = SUPER / 4096 + 1; i < SIZE / 4096; i++) {
		if (seen[i] && bytes_get64(disk + i * 4096 + 0x58) == owner)
			return disk + i * 4096;
	}
	fail_msg("no block of tree %d was read", (int)owner);
	return NULL;
}

static uint8_t *item_at(uint8_t *block, uint32_t slot)
{
	return block + 101 + (size_t)slot * 25;
}

/* The key of the first item of TYPE in BLOCK. */
static uint8_t *key_of(uint8_t *block, uint8_t type)
{
	for (uint32_t i = 0; i < bytes_get32(block + 0x60); i++) {
		if (item_at(block, i)[8] == type)
			return item_at(block, i);
	}
	fail_msg("no item of type %d", type);
	return NULL;
}

static uint8_t *data_of(uint8_t *block, uint8_t type)
{
	return block + 101 + bytes_get32(key_of(block, type) + 17);
}

static int setup(void **state)
{
	(void)state;
	disk = malloc(SIZE);
	return disk ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(disk);
	return 0;
}

/* Begins again: the blocks that are read are known. */
static uint64_t begin(const char *options)
{
	uint64_t hash;

	memset(seen, 0, sizeof(seen));
	make(options);
	assert_int_equal(look_at(SIZE, &hash), 0);
	assert_int_not_equal(hash, 0);
	return hash;
}

static const char *const kinds[] = {"", "-m single --csum xxhash", "-M -n 4096"};

/* A bit anywhere in what is read: a doubt, or the same. */
static void btrfs_sees_every_bit(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		uint64_t hash = begin(kinds[k]), other;

		for (size_t i = 0; i < SIZE / 4096; i++) {
			for (size_t at = i * 4096; at < i * 4096 + seen[i]; at += 127) {
				disk[at] ^= 1u << at % 8;
				if (look_at(SIZE, &other) == 0)
					assert_int_equal(other, hash);
				disk[at] ^= 1u << at % 8;
			}
		}
	}
}

/* With a checksum that fits: whatever comes of it, it ends, and soon. */
static void btrfs_ends_whatever_it_reads(void **state)
{
	static const uint8_t masks[] = {0x01, 0x80, 0xff};
	uint64_t hash;

	(void)state;
	begin("-m single --csum xxhash");
	for (size_t i = 0; i < SIZE / 4096; i++) {
		/* The header and the first items; of the superblock, the first chunk too. */
		for (size_t at = SUM; at < MIN(seen[i], i == SUPER / 4096 ? 950 : 300); at++) {
			uint8_t *block = disk + i * 4096, old = block[at];

			block[at] = old ^ masks[at % 3];
			seal(block, seen[i]);
			look_at(SIZE, &hash);
			assert_true(reads < 20);
			block[at] = old;
			seal(block, seen[i]);
		}
	}
}

/* LEN bytes of VALUE at OFFSET of the superblock. */
static void super_doubts(size_t offset, uint64_t value, size_t len, const char *why)
{
	uint8_t old[4096];

	memcpy(old, disk + SUPER, sizeof(old));
	bytes_put(disk + SUPER + offset, value, len);
	seal(disk + SUPER, 4096);
	doubts(why);
	memcpy(disk + SUPER, old, sizeof(old));
}

static void btrfs_doubts_a_superblock(void **state)
{
	uint64_t hash;

	(void)state;
	begin("");
	uint64_t used = bytes_get64(disk + SUPER + 0x78), bit = 1;

	super_doubts(0x60, 30 << 20, 8, "it was not unmounted");
	super_doubts(0x88, 2, 8, "several devices");
	super_doubts(0xc4, 2, 2, "checksums that this program");
	super_doubts(0x38, 1 | bit << 35, 8, "being changed");
	super_doubts(0xb4, 1 << 4, 8, "a feature");
	super_doubts(0xac, 1, 8, "a feature");
	super_doubts(0xbc, 0x340, 8, "a feature");
	super_doubts(0xbc, 0x341 | 1 << 12, 8, "a feature");
	super_doubts(0xbc, 0x341 | bit << 40, 8, "a feature");
	super_doubts(0xbc, 0x341 | 1 << 10, 8, "its superblock is damaged");
	super_doubts(0x94, 0, 4, "its superblock is damaged");
	super_doubts(0x94, 1 << 17, 4, "its superblock is damaged");
	super_doubts(0x78, used + 4096, 8, "other extents than it says");
	super_doubts(0xd1, SIZE + 4096, 8, "behind the end");
	super_doubts(0xd1, SIZE - 4096, 8, "not the one that it says");
	super_doubts(0xa0, 2049, 4, "its superblock is damaged");
	super_doubts(0xa0, 100, 4, "a chunk of it is damaged");
	super_doubts(0xc7, 8, 1, "too many levels");
	super_doubts(0x48, bytes_get64(disk + SUPER + 0x48) + 1, 8, "not what it has to be");
	assert_int_equal(look_at(SIZE - 4096, &hash), -EUCLEAN);
	assert_int_equal(look_at(4096, &hash), -EUCLEAN);
}

/* LEN bytes of VALUE at P, in the block of 16 KiB. */
static void block_doubts(uint8_t *block, uint8_t *p, uint64_t value, size_t len, const char *why)
{
	static uint8_t old[NODE];

	memcpy(old, block, NODE);
	bytes_put(p, value, len);
	seal(block, NODE);
	doubts(why);
	memcpy(block, old, NODE);
}

static void btrfs_doubts_an_extent(void **state)
{
	(void)state;
	begin("-m single");
	uint8_t *tree = block_of(2), *key = key_of(tree, 169), *data = data_of(tree, 169);
	uint8_t *group = data_of(tree, 192), *last = item_at(tree, bytes_get32(tree + 0x60) - 1);

	block_doubts(tree, key, bytes_get64(key) + 4096, 8, "contradict its trees");
	block_doubts(tree, key + 8, 170, 1, "of a kind that is not known");
	block_doubts(tree, key, UINT64_MAX - 4095, 8, "an extent of it is not where");
	block_doubts(tree, last, UINT64_MAX - 4095, 8, "its block groups contradict");
	block_doubts(tree, data, 0, 8, "an extent of it is damaged");
	block_doubts(tree, data + 16, 3, 8, "an extent of it is damaged");
	block_doubts(tree, data + 16, 1, 8, "an extent of it is damaged");
	block_doubts(tree, group, 4096, 8, "a block group has other extents");
	block_doubts(tree, group + 16, 7, 8, "its block groups contradict");
	block_doubts(tree, tree + 0x60, bytes_get32(tree + 0x60) - 1, 4, "other extents");
	block_doubts(tree, tree + 0x60, 0, 4, "other extents");
	block_doubts(tree, tree + 0x60, 1 << 16, 4, "not what it has to be");
	block_doubts(tree, key + 17, NODE, 4, "not where it can be");
	block_doubts(tree, key + 21, NODE, 4, "not where it can be");
}

static void btrfs_doubts_a_chunk(void **state)
{
	(void)state;
	begin("");
	uint8_t *tree = block_of(3), *key = key_of(tree, 228), *data = data_of(tree, 228);
	uint64_t length = bytes_get64(data);

	block_doubts(tree, data, length + (1 << 20), 8, "two chunks of it overlap");
	block_doubts(tree, data, length - 65536, 8, "its chunks are not as many");
	block_doubts(tree, data, 0, 8, "a chunk of it is damaged");
	block_doubts(tree, data + 24, 1 | 8, 8, "of a kind that is not known");
	block_doubts(tree, data + 44, 2, 2, "a chunk of it is damaged");
	block_doubts(tree, data + 48, 2, 8, "on another device");
	block_doubts(tree, data + 56, SIZE, 8, "not where it can be");
	block_doubts(tree, data + 56, bytes_get64(data + 56) + 1, 8, "not where it can be");
	block_doubts(tree, data + 56, bytes_get64(data + 56) + (4 << 20), 8, "overlap");
	block_doubts(tree, key + 9, bytes_get64(key + 9) + 1, 8, "a chunk of it is damaged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(btrfs_sees_every_bit, setup, teardown),
		cmocka_unit_test_setup_teardown(btrfs_ends_whatever_it_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(btrfs_doubts_a_superblock, setup, teardown),
		cmocka_unit_test_setup_teardown(btrfs_doubts_an_extent, setup, teardown),
		cmocka_unit_test_setup_teardown(btrfs_doubts_a_chunk, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
