// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trees of btrfs: a block has a header, struct btrfs_header, and then items whose data are at its
 * end, struct btrfs_item, or pointers, struct btrfs_key_ptr. A walk ends, whatever the blocks hold:
 * levels fall, and the keys of the items rise, so that no block can come twice.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/bytes.h"
#include "codec/digest.h"
#include "used/used_btrfs.h"

#define BTRFS_LEVELS_MOST 8u
#define BTRFS_BLOCKS_MOST (1u << 18) /* 4 GiB of the usual ones */
#define BTRFS_SUM_LEN	  32u	     /* however long the checksum is */
#define BTRFS_HEADER_LEN  101u
#define BTRFS_ITEM_LEN	  25u
#define BTRFS_POINTER_LEN 33u

/* The path from the root to an item: a block of each level. */
struct walk {
	struct btrfs *btrfs;
	const struct btrfs_root *root;
	uint8_t *blocks; /* that of level 0 first */
	uint32_t slots[BTRFS_LEVELS_MOST], counts[BTRFS_LEVELS_MOST];
	uint64_t first;
	struct btrfs_key last; /* of the items so far */
	bool has_last;
};

int btrfs_tree_doubt(const struct btrfs *btrfs, const char *doubt)
{
	return used_doubt(doubt, btrfs->ret_doubt);
}

bool btrfs_tree_sum_is_right(const struct btrfs *btrfs, const uint8_t *block, size_t len)
{
	const uint8_t *data = block + BTRFS_SUM_LEN;

	len -= BTRFS_SUM_LEN;
	if (btrfs->is_xxhash)
		return XXH64(data, len, 0) == bytes_get64(block);
	return used_crc32c(data, len) == bytes_get32(block);
}

struct btrfs_key btrfs_tree_key(const uint8_t *p)
{
	return (struct btrfs_key){
		.objectid = bytes_get64(p), .type = p[8], .offset = bytes_get64(p + 9)};
}

static int key_compare(const struct btrfs_key *a, const struct btrfs_key *b)
{
	if (a->objectid != b->objectid)
		return a->objectid < b->objectid ? -1 : 1;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static uint8_t *walk_block(const struct walk *walk, unsigned int level)
{
	return walk->blocks + (size_t)level * walk->btrfs->node;
}

static uint8_t *walk_slot(const struct walk *walk, unsigned int level, uint32_t slot)
{
	uint32_t len = level ? BTRFS_POINTER_LEN : BTRFS_ITEM_LEN;

	return walk_block(walk, level) + BTRFS_HEADER_LEN + (size_t)slot * len;
}

static int block_read(const struct btrfs *btrfs, uint64_t at, uint8_t *ret)
{
	const struct btrfs_chunk *chunk = btrfs_chunk_find(btrfs, at, btrfs->node);

	if (at % btrfs->sector || !chunk)
		return btrfs_tree_doubt(btrfs, "a block of a tree is not where it can be");
	int r = used_get(btrfs->area, chunk->copies[0] + (at - chunk->logical), ret, btrfs->node,
			 btrfs->ret_doubt);

	if (r == 0 && !btrfs_tree_sum_is_right(btrfs, ret, btrfs->node))
		r = btrfs_tree_doubt(btrfs, "the checksum of a block of a tree is wrong");
	return r;
}

/* Reads the block at AT to the path; its pointers begin with that to the walk's first objectid. */
static int walk_enter(struct walk *walk, unsigned int level, uint64_t at, uint64_t generation)
{
	struct btrfs *btrfs = walk->btrfs;
	uint8_t *block = walk_block(walk, level);
	uint32_t slot = 0, len = level ? BTRFS_POINTER_LEN : BTRFS_ITEM_LEN;

	if (++btrfs->blocks > BTRFS_BLOCKS_MOST)
		return btrfs_tree_doubt(btrfs, "its trees are too large");
	int r = block_read(btrfs, at, block);

	if (r < 0)
		return r;
	uint32_t count = bytes_get32(block + 0x60);

	/* Only a tree that is empty has a block that is. */
	if (memcmp(block + 0x20, btrfs->fsid, sizeof(btrfs->fsid)) != 0 ||
	    bytes_get64(block + 0x30) != at || bytes_get64(block + 0x50) != generation ||
	    generation > btrfs->generation || bytes_get64(block + 0x58) != walk->root->owner ||
	    block[0x64] != level || count > (btrfs->node - BTRFS_HEADER_LEN) / len ||
	    (count == 0 && (level > 0 || walk->root->level > 0)))
		return btrfs_tree_doubt(btrfs, "a block of a tree is not what it has to be");
	walk->counts[level] = count;
	while (level > 0 && slot + 1 < count &&
	       bytes_get64(walk_slot(walk, level, slot + 1)) < walk->first)
		slot++;
	walk->slots[level] = slot;
	return 0;
}

/* From the pointer at which the path is to its block, whose first key it has. */
static int walk_down(struct walk *walk, unsigned int level)
{
	const uint8_t *pointer = walk_slot(walk, level, walk->slots[level]++);
	int r = walk_enter(walk, level - 1, bytes_get64(pointer + BTRFS_KEY_LEN),
			   bytes_get64(pointer + BTRFS_KEY_LEN + 8));

	if (r == 0 && memcmp(pointer, walk_slot(walk, level - 1, 0), BTRFS_KEY_LEN) != 0)
		r = btrfs_tree_doubt(walk->btrfs, "a block of a tree is not what it has to be");
	return r;
}

static int walk_item(struct walk *walk, btrfs_take *take, void *to)
{
	const uint8_t *p = walk_slot(walk, 0, walk->slots[0]++);
	const uint8_t *data = walk_block(walk, 0) + BTRFS_HEADER_LEN;
	uint32_t room = walk->btrfs->node - BTRFS_HEADER_LEN;
	uint32_t offset = bytes_get32(p + BTRFS_KEY_LEN);
	struct btrfs_item item = {.key = btrfs_tree_key(p),
				  .size = bytes_get32(p + BTRFS_KEY_LEN + 4)};

	if ((walk->has_last && key_compare(&item.key, &walk->last) <= 0) ||
	    offset < walk->counts[0] * BTRFS_ITEM_LEN || offset > room || item.size > room - offset)
		return btrfs_tree_doubt(walk->btrfs, "an item of a tree is not where it can be");
	walk->last = item.key;
	walk->has_last = true;
	item.data = data + offset;
	return take(to, &item);
}

int btrfs_tree_walk(struct btrfs *btrfs, const struct btrfs_root *root, uint64_t first,
		    btrfs_take *take, void *to)
{
	struct walk walk = {.btrfs = btrfs, .root = root, .first = first};
	unsigned int level = root->level;

	if (level >= BTRFS_LEVELS_MOST)
		return btrfs_tree_doubt(btrfs, "a tree has too many levels");
	walk.blocks = reallocarray(NULL, level + 1, btrfs->node);
	if (!walk.blocks)
		return -ENOMEM;
	int r = walk_enter(&walk, level, root->at, root->generation);

	while (r == 0 && level <= root->level) {
		if (walk.slots[level] == walk.counts[level])
			level++;
		else if (level > 0)
			r = walk_down(&walk, level--);
		else
			r = walk_item(&walk, take, to);
	}
	free(walk.blocks);
	return r;
}
