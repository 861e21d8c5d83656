/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between used_btrfs.c, which finds out what is free, used_btrfs_chunk.c, which knows where on the
 * device what is, and used_btrfs_tree.c, which reads trees. Sources: btrfs documentation, "On-disk
 * Format"; Linux, include/uapi/linux/btrfs_tree.h and fs/btrfs/tree-checker.c. A function of theirs
 * returns 0; -EUCLEAN with a doubt; or another -errno.
 */
#ifndef USED_USED_BTRFS_H
#define USED_USED_BTRFS_H

#include "used/used_kinds.h"

#define BTRFS_SUPER_AT	  65536u
#define BTRFS_SUPER_LEN	  4096u
#define BTRFS_COPIES_MOST 2u
#define BTRFS_KEY_LEN	  17u

#define BTRFS_ROOT_TREE	  1u
#define BTRFS_EXTENT_TREE 2u
#define BTRFS_CHUNK_TREE  3u
#define BTRFS_GROUP_TREE  11u /* of the block groups, where it is not the extent tree */

/* The types of chunks and block groups. */
#define BTRFS_DATA     1u
#define BTRFS_SYSTEM   2u
#define BTRFS_METADATA 4u
#define BTRFS_DUP      32u

/* LENGTH bytes from address LOGICAL on, and where they are on the device. */
struct btrfs_chunk {
	uint64_t logical, length, type;
	uint64_t copies[BTRFS_COPIES_MOST];
	unsigned int count; /* of the copies */
	uint64_t used;	    /* bytes, as the extents say */
	uint64_t claimed;   /* and as its block group does */
	bool has_group;
};

/* In the order of their addresses; no two overlap. */
struct btrfs_map {
	struct btrfs_chunk *chunks;
	size_t count, room;
};

struct btrfs {
	const struct probe_area *area;
	const char **ret_doubt;
	uint8_t super[BTRFS_SUPER_LEN];
	uint8_t fsid[16]; /* that is in every tree block */
	uint32_t sector, node;
	uint64_t generation, size; /* SIZE in bytes, of the device */
	bool is_xxhash;
	struct btrfs_map map;
	size_t blocks; /* of trees, read so far */
};

struct btrfs_key {
	uint64_t objectid, offset;
	uint8_t type;
};

struct btrfs_item {
	struct btrfs_key key;
	const uint8_t *data;
	uint32_t size;
};

struct btrfs_root {
	uint64_t owner; /* the tree's number */
	uint64_t at, generation;
	unsigned int level;
};

/* Of TO, for every item of a tree. Another result than 0 ends the walk, which returns it. */
typedef int btrfs_take(void *to, const struct btrfs_item *item);

int btrfs_tree_doubt(const struct btrfs *btrfs, const char *doubt);
/* Whether the checksum of LEN bytes at BLOCK, at its beginning, is right. */
bool btrfs_tree_sum_is_right(const struct btrfs *btrfs, const uint8_t *block, size_t len);
struct btrfs_key btrfs_tree_key(const uint8_t *p);
/*
 * Gives the items of the tree at ROOT to TAKE, in the order of their keys. Those before objectid
 * FIRST may be missing.
 */
int btrfs_tree_walk(struct btrfs *btrfs, const struct btrfs_root *root, uint64_t first,
		    btrfs_take *take, void *to);

/* Reads the chunks to btrfs->map, which is the caller's to free even when this fails. */
int btrfs_chunk_read(struct btrfs *btrfs);
/* The chunk in which the LEN bytes at AT are, or NULL. */
const struct btrfs_chunk *btrfs_chunk_find(const struct btrfs *btrfs, uint64_t at, uint64_t len);
/* Adds to OWNED, which is of the device's size, what the chunks have; it is finished then. */
int btrfs_chunk_own(const struct btrfs *btrfs, struct spare *owned);

#endif
