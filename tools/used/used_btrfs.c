// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * btrfs on one device. What no chunk has is free, and what no extent has of those that are. What is
 * said of extents is that of the last transaction: the trees of those before, which the superblock
 * still names for a rescue, are lost.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "codec/bytes.h"
#include "used/used_btrfs.h"

#define BTRFS_MAGIC	   "_BHRfS_M"
#define BTRFS_FLAG_WRITTEN 1u
#define BTRFS_SUM_CRC32C   0u
#define BTRFS_SUM_XXHASH   1u

/* Incompatible features, without which an extent tree is of an older kind. */
#define BTRFS_MIXED_BACKREF (1u << 0)
#define BTRFS_SKINNY	    (1u << 8)
#define BTRFS_METADATA_UUID (1u << 10)
/* Of these what is free does not depend on: subvolumes, mixed groups, compression, large blocks,
 * references, RAID of 5 and 6 and of 1 with 3 and 4 copies (which no chunk has), holes, quotas. */
#define BTRFS_INCOMPAT_KNOWN                                                                      \
	(BTRFS_MIXED_BACKREF | BTRFS_SKINNY | BTRFS_METADATA_UUID | 1u << 1 | 1u << 2 | 1u << 3 | \
	 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 9 | 1u << 11 | 1u << 16)
/* Features without which it can only be read: a free space tree and its state, verity, and a tree
 * of the block groups. */
#define BTRFS_RO_GROUP_TREE (1u << 3)
#define BTRFS_RO_KNOWN	    (1u << 0 | 1u << 1 | 1u << 2 | BTRFS_RO_GROUP_TREE)

/* The types of keys. */
#define BTRFS_ROOT_KEY		  132u
#define BTRFS_EXTENT_KEY	  168u
#define BTRFS_TREE_BLOCK_KEY	  169u
#define BTRFS_OWNER_REF_KEY	  172u
#define BTRFS_TREE_REF_KEY	  176u
#define BTRFS_DATA_REF_KEY	  178u
#define BTRFS_SHARED_TREE_KEY	  182u
#define BTRFS_SHARED_DATA_KEY	  184u
#define BTRFS_GROUP_KEY		  192u
#define BTRFS_EXTENT_DATA	  1u
#define BTRFS_EXTENT_TREE_BLOCK	  2u
#define BTRFS_EXTENT_FULL_BACKREF (1u << 8)

/* What is the file system's on the device without an extent: what it leaves to a boot loader, with
 * the superblock, and the superblock's copies, each with the rest of its stripe. */
static const struct spare_range kept[] = {
	{0, 1u << 20},
	{UINT64_C(64) << 20, (UINT64_C(64) << 20) + 65536},
	{UINT64_C(256) << 30, (UINT64_C(256) << 30) + 65536},
};

/* A walk over the extents. */
struct extents {
	struct btrfs *btrfs;
	struct spare *spare;
	size_t chunk; /* in which it is */
	uint64_t end; /* of the last extent, or where the chunk begins */
	uint64_t used;
};

/* A search for the root of a tree. */
struct search {
	struct btrfs *btrfs;
	struct btrfs_root root;
	bool is_found;
};

static int btrfs_add(struct spare *spare, uint64_t start, uint64_t end)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(kept) / sizeof(kept[0]); i++) {
		uint64_t before = MIN(end, kept[i].start);

		if (start < before)
			r = spare_add(spare, start, before - start);
		start = MAX(start, MIN(end, kept[i].end));
	}
	if (r == 0 && start < end)
		r = spare_add(spare, start, end - start);
	return r;
}

/* What is between the last extent and END, in the chunk that the walk is in. */
static int extents_gap(struct extents *extents, uint64_t end)
{
	const struct btrfs_chunk *chunk = &extents->btrfs->map.chunks[extents->chunk];
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < chunk->count; i++)
		r = btrfs_add(extents->spare, chunk->copies[i] + (extents->end - chunk->logical),
			      chunk->copies[i] + (end - chunk->logical));
	return r;
}

/* On to the chunk in which AT is, or behind all of them. */
static int extents_go(struct extents *extents, uint64_t at)
{
	const struct btrfs_map *map = &extents->btrfs->map;
	int r = 0;

	while (r == 0 && extents->chunk < map->count) {
		const struct btrfs_chunk *chunk = &map->chunks[extents->chunk];
		uint64_t end = chunk->logical + chunk->length;

		if (at < end)
			break;
		r = extents_gap(extents, end);
		if (++extents->chunk < map->count)
			extents->end = map->chunks[extents->chunk].logical;
	}
	return r;
}

static int extents_add(struct extents *extents, uint64_t at, uint64_t len, uint64_t types)
{
	struct btrfs *btrfs = extents->btrfs;
	int r = extents_go(extents, at);

	if (r < 0)
		return r;
	if (extents->chunk == btrfs->map.count || at < extents->end)
		return btrfs_tree_doubt(btrfs, "an extent of it is not where it can be");
	struct btrfs_chunk *chunk = &btrfs->map.chunks[extents->chunk];

	if (len == 0 || len > chunk->length - (at - chunk->logical) || at % btrfs->sector ||
	    len % btrfs->sector || !(chunk->type & types))
		return btrfs_tree_doubt(btrfs, "an extent of it is not where it can be");
	r = extents_gap(extents, at);
	extents->end = at + len;
	extents->used += len;
	chunk->used += len;
	return r;
}

/* Linux, struct btrfs_extent_item. */
static int extents_take_extent(struct extents *extents, const struct btrfs_item *item)
{
	struct btrfs *btrfs = extents->btrfs;
	bool is_skinny = item->key.type == BTRFS_TREE_BLOCK_KEY;
	uint64_t len = is_skinny ? btrfs->node : item->key.offset;

	if (item->size < 24 || bytes_get64(item->data) == 0 ||
	    bytes_get64(item->data + 8) > btrfs->generation)
		return btrfs_tree_doubt(btrfs, "an extent of it is damaged");
	uint64_t flags = bytes_get64(item->data + 16) & ~(uint64_t)BTRFS_EXTENT_FULL_BACKREF;

	if (flags == BTRFS_EXTENT_DATA && !is_skinny)
		return extents_add(extents, item->key.objectid, len, BTRFS_DATA);
	if (flags != BTRFS_EXTENT_TREE_BLOCK || len != btrfs->node)
		return btrfs_tree_doubt(btrfs, "an extent of it is damaged");
	return extents_add(extents, item->key.objectid, len, BTRFS_METADATA | BTRFS_SYSTEM);
}

/* Linux, struct btrfs_block_group_item. */
static int extents_take_group(struct extents *extents, const struct btrfs_item *item)
{
	struct btrfs *btrfs = extents->btrfs;
	/* As found in the map, which is the walk's. */
	struct btrfs_chunk *chunk =
		(struct btrfs_chunk *)btrfs_chunk_find(btrfs, item->key.objectid, item->key.offset);

	if (!chunk || chunk->logical != item->key.objectid || chunk->length != item->key.offset ||
	    chunk->has_group || item->size < 24 || bytes_get64(item->data + 16) != chunk->type)
		return btrfs_tree_doubt(btrfs, "its block groups contradict its chunks");
	chunk->has_group = true;
	chunk->claimed = bytes_get64(item->data);
	return 0;
}

static int extents_take(void *to, const struct btrfs_item *item)
{
	struct extents *extents = to;

	switch (item->key.type) {
	case BTRFS_EXTENT_KEY:
	case BTRFS_TREE_BLOCK_KEY: return extents_take_extent(extents, item);
	case BTRFS_GROUP_KEY: return extents_take_group(extents, item);
	case BTRFS_OWNER_REF_KEY:
	case BTRFS_TREE_REF_KEY:
	case BTRFS_DATA_REF_KEY:
	case BTRFS_SHARED_TREE_KEY:
	case BTRFS_SHARED_DATA_KEY: return 0;
	default:
		return btrfs_tree_doubt(extents->btrfs,
					"it has extents of a kind that is not known");
	}
}

static int groups_take(void *to, const struct btrfs_item *item)
{
	struct extents *extents = to;

	if (item->key.type != BTRFS_GROUP_KEY)
		return btrfs_tree_doubt(extents->btrfs, "its block groups are damaged");
	return extents_take_group(extents, item);
}

/* Linux, struct btrfs_root_item. */
static int search_take(void *to, const struct btrfs_item *item)
{
	struct search *search = to;

	if (item->key.objectid < search->root.owner)
		return 0;
	if (item->key.objectid > search->root.owner)
		return 1;
	if (item->key.type != BTRFS_ROOT_KEY)
		return 0;
	if (item->key.offset != 0 || item->size < 239)
		return btrfs_tree_doubt(search->btrfs, "the root of a tree is damaged");
	search->root.generation = bytes_get64(item->data + 160);
	search->root.at = bytes_get64(item->data + 176);
	search->root.level = item->data[238];
	search->is_found = true;
	return 1;
}

static int root_find(struct btrfs *btrfs, uint64_t owner, struct btrfs_root *ret)
{
	const struct btrfs_root root = {.owner = BTRFS_ROOT_TREE,
					.at = bytes_get64(btrfs->super + 0x50),
					.generation = btrfs->generation,
					.level = btrfs->super[0xc6]};
	struct search search = {.btrfs = btrfs, .root.owner = owner};
	int r = btrfs_tree_walk(btrfs, &root, owner, search_take, &search);

	if (r < 0)
		return r;
	if (!search.is_found)
		return btrfs_tree_doubt(btrfs, "it lacks a tree");
	*ret = search.root;
	return 0;
}

/* The superblock: Linux, struct btrfs_super_block. */
static int super_check(struct btrfs *btrfs)
{
	const uint8_t *super = btrfs->super;
	uint64_t incompat = bytes_get64(super + 0xbc), device = bytes_get64(super + 0xc9);
	uint16_t sum = bytes_get16(super + 0xc4);

	if (memcmp(super + 0x40, BTRFS_MAGIC, 8) != 0 ||
	    bytes_get64(super + 0x30) != BTRFS_SUPER_AT)
		return btrfs_tree_doubt(btrfs, "its superblock is damaged");
	if (sum != BTRFS_SUM_CRC32C && sum != BTRFS_SUM_XXHASH)
		return btrfs_tree_doubt(btrfs, "it has checksums that this program does not know");
	btrfs->is_xxhash = sum == BTRFS_SUM_XXHASH;
	if (!btrfs_tree_sum_is_right(btrfs, super, BTRFS_SUPER_LEN))
		return btrfs_tree_doubt(btrfs, "the checksum of its superblock is wrong");
	if (incompat & ~(uint64_t)BTRFS_INCOMPAT_KNOWN || !(incompat & BTRFS_MIXED_BACKREF) ||
	    bytes_get64(super + 0xb4) & ~(uint64_t)BTRFS_RO_KNOWN || bytes_get64(super + 0xac))
		return btrfs_tree_doubt(btrfs, "it has a feature that this program does not know");
	if (bytes_get64(super + 0x38) & ~(uint64_t)BTRFS_FLAG_WRITTEN)
		return btrfs_tree_doubt(btrfs, "it is damaged, or is being changed by a program");
	if (bytes_get64(super + 0x60))
		return btrfs_tree_doubt(btrfs, "it was not unmounted");
	if (bytes_get64(super + 0x88) != 1 || device == 0)
		return btrfs_tree_doubt(btrfs, "it has several devices");
	btrfs->sector = bytes_get32(super + 0x90);
	btrfs->node = bytes_get32(super + 0x94);
	btrfs->generation = bytes_get64(super + 0x48);
	btrfs->size = bytes_get64(super + 0xd1);
	memcpy(btrfs->fsid, super + (incompat & BTRFS_METADATA_UUID ? 0x23b : 0x20),
	       sizeof(btrfs->fsid));
	if (!powerof2(btrfs->sector) || !powerof2(btrfs->node) || btrfs->sector < 4096 ||
	    btrfs->node < btrfs->sector || btrfs->node > 65536 ||
	    memcmp(super + 0x11b, btrfs->fsid, sizeof(btrfs->fsid)) != 0)
		return btrfs_tree_doubt(btrfs, "its superblock is damaged");
	if (btrfs->size > btrfs->area->size)
		return btrfs_tree_doubt(btrfs, "it goes on behind the end of its partition");
	return 0;
}

/* What no chunk has. */
static int device_add(const struct btrfs *btrfs, struct spare *spare)
{
	struct spare *owned = spare_new(btrfs->size);
	struct spare_range range = {0};
	int r = owned ? btrfs_chunk_own(btrfs, owned) : -ENOMEM;

	for (uint64_t end = 0; r == 0 && end < btrfs->size; end = range.end) {
		if (!spare_next(owned, end, &range))
			range = (struct spare_range){.start = btrfs->size, .end = btrfs->size};
		r = btrfs_add(spare, end, range.start);
	}
	spare_free(owned);
	return r;
}

/* The blocks in which this was read are not free. */
static int root_check(const struct btrfs *btrfs, const struct spare *spare, uint64_t at)
{
	const struct btrfs_chunk *chunk = btrfs_chunk_find(btrfs, at, btrfs->node);

	for (unsigned int i = 0; chunk && i < chunk->count; i++) {
		uint64_t start = chunk->copies[i] + (at - chunk->logical);
		struct spare_range range;

		if (spare_next(spare, start, &range) && range.start < start + btrfs->node)
			return btrfs_tree_doubt(btrfs, "its extents contradict its trees");
	}
	return 0;
}

static int extents_check(const struct extents *extents)
{
	const struct btrfs *btrfs = extents->btrfs;

	if (extents->used != bytes_get64(btrfs->super + 0x78))
		return btrfs_tree_doubt(btrfs, "it has other extents than it says");
	for (size_t i = 0; i < btrfs->map.count; i++) {
		const struct btrfs_chunk *chunk = &btrfs->map.chunks[i];

		if (!chunk->has_group || chunk->claimed != chunk->used)
			return btrfs_tree_doubt(btrfs,
						"a block group has other extents than it says");
	}
	return 0;
}

static int extents_read(struct extents *extents, const struct btrfs_root *root)
{
	struct btrfs *btrfs = extents->btrfs;
	struct btrfs_root groups;
	int r = btrfs_tree_walk(btrfs, root, 0, extents_take, extents);

	if (r == 0)
		r = extents_go(extents, UINT64_MAX);
	if (r == 0 && bytes_get64(btrfs->super + 0xb4) & BTRFS_RO_GROUP_TREE) {
		r = root_find(btrfs, BTRFS_GROUP_TREE, &groups);
		if (r == 0)
			r = btrfs_tree_walk(btrfs, &groups, 0, groups_take, extents);
	}
	return r < 0 ? r : extents_check(extents);
}

static int btrfs_read(struct btrfs *btrfs, struct spare *spare)
{
	struct extents extents = {.btrfs = btrfs, .spare = spare};
	struct btrfs_root root;
	int r = btrfs_chunk_read(btrfs);

	if (r == 0 && btrfs->map.count == 0)
		r = btrfs_tree_doubt(btrfs, "it has no chunks");
	if (r == 0)
		r = device_add(btrfs, spare);
	if (r == 0)
		r = root_find(btrfs, BTRFS_EXTENT_TREE, &root);
	if (r < 0)
		return r;
	extents.end = btrfs->map.chunks[0].logical;
	r = extents_read(&extents, &root);
	if (r == 0)
		r = spare_finish(spare);
	if (r == 0)
		r = root_check(btrfs, spare, bytes_get64(btrfs->super + 0x50));
	if (r == 0)
		r = root_check(btrfs, spare, bytes_get64(btrfs->super + 0x58));
	return r < 0 ? r : root_check(btrfs, spare, root.at);
}

int used_btrfs(const struct probe_area *area, struct spare *spare, const char **ret_doubt)
{
	struct btrfs btrfs = {.area = area, .ret_doubt = ret_doubt};
	int r = used_get(area, BTRFS_SUPER_AT, btrfs.super, sizeof(btrfs.super), ret_doubt);

	if (r == 0)
		r = super_check(&btrfs);
	if (r == 0)
		r = btrfs_read(&btrfs, spare);
	free(btrfs.map.chunks);
	return r;
}
