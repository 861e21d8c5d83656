// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where on the device of btrfs what is: struct btrfs_chunk of each range of addresses. The
 * superblock has those that the chunk tree is in; the tree has them all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "codec/bytes.h"
#include "used/used_btrfs.h"

/* 16 TiB of the usual ones. No range of their copies is forgotten by struct spare. */
#define BTRFS_CHUNKS_MOST 16384u
_Static_assert(BTRFS_CHUNKS_MOST *BTRFS_COPIES_MOST <= SPARE_RANGES_MOST, "all are remembered");

#define BTRFS_DEVICE	     0xc9u /* the superblock's struct btrfs_dev_item */
#define BTRFS_DEVICE_LEN     98u
#define BTRFS_SYS_CHUNKS     0x32bu
#define BTRFS_SYS_CHUNKS_LEN 2048u
#define BTRFS_CHUNK_LEN	     48u
#define BTRFS_STRIPE_LEN     32u

#define BTRFS_DEVICE_KEY    216u
#define BTRFS_CHUNK_KEY	    228u
#define BTRFS_DEVICE_OBJECT 1u
#define BTRFS_CHUNK_OBJECT  256u

/* The chunks of the tree, which become the map when all are there. */
struct chunks {
	struct btrfs *btrfs;
	struct btrfs_map map;
	unsigned int devices;
};

static int map_grow(struct btrfs_map *map)
{
	if (map->count < map->room)
		return 0;
	size_t room = MAX(map->room * 2, 16);
	struct btrfs_chunk *chunks = reallocarray(map->chunks, room, sizeof(*chunks));

	if (!chunks)
		return -ENOMEM;
	map->chunks = chunks;
	map->room = room;
	return 0;
}

/* A chunk at KEY, of which SIZE bytes at P tell, which may be more. */
static int chunk_parse(const struct btrfs *btrfs, const struct btrfs_key *key, const uint8_t *p,
		       uint32_t size, struct btrfs_chunk *ret)
{
	const uint8_t *device = btrfs->super + BTRFS_DEVICE;
	uint64_t end;

	if (size < BTRFS_CHUNK_LEN || key->objectid != BTRFS_CHUNK_OBJECT ||
	    key->type != BTRFS_CHUNK_KEY)
		return btrfs_tree_doubt(btrfs, "a chunk of it is damaged");
	*ret = (struct btrfs_chunk){
		.logical = key->offset, .length = bytes_get64(p), .type = bytes_get64(p + 24)};
	if (ret->type & ~(uint64_t)(BTRFS_DATA | BTRFS_SYSTEM | BTRFS_METADATA | BTRFS_DUP))
		return btrfs_tree_doubt(btrfs, "it has chunks of a kind that is not known");
	ret->count = ret->type & BTRFS_DUP ? 2 : 1;
	if (bytes_get16(p + 44) != ret->count ||
	    size < BTRFS_CHUNK_LEN + ret->count * BTRFS_STRIPE_LEN || ret->length < SPARE_LEAST ||
	    ret->length % btrfs->sector || ret->logical % btrfs->sector ||
	    __builtin_add_overflow(ret->logical, ret->length, &end))
		return btrfs_tree_doubt(btrfs, "a chunk of it is damaged");
	for (unsigned int i = 0; i < ret->count; i++) {
		const uint8_t *stripe = p + BTRFS_CHUNK_LEN + (size_t)i * BTRFS_STRIPE_LEN;

		ret->copies[i] = bytes_get64(stripe + 8);
		if (memcmp(stripe, device, 8) != 0 || memcmp(stripe + 16, device + 66, 16) != 0)
			return btrfs_tree_doubt(btrfs, "a chunk of it is on another device");
		if (ret->copies[i] % btrfs->sector || ret->copies[i] > btrfs->size ||
		    ret->length > btrfs->size - ret->copies[i])
			return btrfs_tree_doubt(btrfs, "a chunk of it is not where it can be");
	}
	return 0;
}

static int chunk_add(const struct btrfs *btrfs, struct btrfs_map *map, const struct btrfs_key *key,
		     const uint8_t *p, uint32_t size)
{
	struct btrfs_chunk chunk;
	int r = chunk_parse(btrfs, key, p, size, &chunk);

	if (r < 0)
		return r;
	if (map->count) {
		const struct btrfs_chunk *last = &map->chunks[map->count - 1];

		if (chunk.logical < last->logical + last->length)
			return btrfs_tree_doubt(btrfs, "two chunks of it overlap");
	}
	if (map->count == BTRFS_CHUNKS_MOST)
		return btrfs_tree_doubt(btrfs, "it has too many chunks");
	r = map_grow(map);
	if (r == 0)
		map->chunks[map->count++] = chunk;
	return r;
}

static int chunk_read_super(struct btrfs *btrfs)
{
	const uint8_t *p = btrfs->super + BTRFS_SYS_CHUNKS;
	uint32_t left = bytes_get32(btrfs->super + 0xa0);
	int r = 0;

	if (left > BTRFS_SYS_CHUNKS_LEN)
		return btrfs_tree_doubt(btrfs, "its superblock is damaged");
	while (r == 0 && left > 0) {
		if (left < BTRFS_KEY_LEN)
			return btrfs_tree_doubt(btrfs, "its superblock is damaged");
		struct btrfs_key key = btrfs_tree_key(p);

		r = chunk_add(btrfs, &btrfs->map, &key, p + BTRFS_KEY_LEN, left - BTRFS_KEY_LEN);
		if (r == 0) {
			uint32_t len =
				BTRFS_KEY_LEN + BTRFS_CHUNK_LEN +
				btrfs->map.chunks[btrfs->map.count - 1].count * BTRFS_STRIPE_LEN;

			p += len;
			left -= len;
		}
	}
	return r;
}

static int chunks_take(void *to, const struct btrfs_item *item)
{
	struct chunks *chunks = to;
	struct btrfs *btrfs = chunks->btrfs;

	if (item->key.type != BTRFS_DEVICE_KEY)
		return chunk_add(btrfs, &chunks->map, &item->key, item->data, item->size);
	/* Its number, its size, and what of it chunks have. */
	if (item->key.objectid != BTRFS_DEVICE_OBJECT || item->size < BTRFS_DEVICE_LEN ||
	    memcmp(item->data, btrfs->super + BTRFS_DEVICE, 24) != 0 || ++chunks->devices > 1)
		return btrfs_tree_doubt(btrfs, "its device is not the one that it says");
	return 0;
}

const struct btrfs_chunk *btrfs_chunk_find(const struct btrfs *btrfs, uint64_t at, uint64_t len)
{
	size_t low = 0, high = btrfs->map.count;

	/* The last one that begins at or before AT is the one before LOW. */
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (btrfs->map.chunks[middle].logical > at)
			high = middle;
		else
			low = middle + 1;
	}
	if (low == 0)
		return NULL;
	const struct btrfs_chunk *chunk = &btrfs->map.chunks[low - 1];
	uint64_t in = at - chunk->logical;

	return in < chunk->length && len <= chunk->length - in ? chunk : NULL;
}

/* What the superblock says of CHUNK is what the tree does: the map, now. */
static bool chunk_is_known(const struct btrfs *btrfs, const struct btrfs_chunk *chunk)
{
	const struct btrfs_chunk *found = btrfs_chunk_find(btrfs, chunk->logical, chunk->length);

	return found && found->logical == chunk->logical && found->length == chunk->length &&
	       found->type == chunk->type && found->copies[0] == chunk->copies[0] &&
	       found->copies[1] == chunk->copies[1];
}

int btrfs_chunk_read(struct btrfs *btrfs)
{
	struct chunks chunks = {.btrfs = btrfs};
	struct btrfs_root root = {.owner = BTRFS_CHUNK_TREE,
				  .at = bytes_get64(btrfs->super + 0x58),
				  .generation = bytes_get64(btrfs->super + 0xa4),
				  .level = btrfs->super[0xc7]};
	int r = chunk_read_super(btrfs);

	if (r == 0)
		r = btrfs_tree_walk(btrfs, &root, 0, chunks_take, &chunks);
	struct btrfs_map old = btrfs->map;

	btrfs->map = chunks.map;
	for (size_t i = 0; r == 0 && i < old.count; i++) {
		if (!chunk_is_known(btrfs, &old.chunks[i]))
			r = btrfs_tree_doubt(btrfs, "its superblock contradicts its chunks");
	}
	free(old.chunks);
	return r;
}

int btrfs_chunk_own(const struct btrfs *btrfs, struct spare *owned)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < btrfs->map.count; i++) {
		const struct btrfs_chunk *chunk = &btrfs->map.chunks[i];

		for (unsigned int j = 0; r == 0 && j < chunk->count; j++)
			r = spare_add(owned, chunk->copies[j], chunk->length);
	}
	if (r == 0)
		r = spare_finish(owned);
	if (r == -EUCLEAN)
		return btrfs_tree_doubt(btrfs, "two chunks of it overlap");
	if (r == 0 && spare_bytes(owned) != bytes_get64(btrfs->super + BTRFS_DEVICE + 16))
		r = btrfs_tree_doubt(btrfs, "its chunks are not as many as it says");
	return r;
}
