// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec/rescue_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#define MERGE_LEAST 512u /* bytes: the first gap that is given up */

struct rescue_block {
	uint64_t start; /* it ends where the next one starts */
	enum rescue_status status;
};

struct rescue_map {
	uint64_t size;
	struct rescue_block *blocks; /* at least one; neighbours differ */
	size_t count, room;
	bool merged;
};

int rescue_map_new(uint64_t size, struct rescue_map **ret)
{
	struct rescue_map *map = calloc(1, sizeof(*map));

	if (!map)
		return -ENOMEM;
	map->room = 64;
	map->blocks = calloc(map->room, sizeof(*map->blocks));
	if (!map->blocks) {
		free(map);
		return -ENOMEM;
	}
	map->blocks[0].status = RESCUE_UNTRIED;
	map->count = 1;
	map->size = size;
	*ret = map;
	return 0;
}

void rescue_map_free(struct rescue_map *map)
{
	if (!map)
		return;
	free(map->blocks);
	free(map);
}

uint64_t rescue_map_size(const struct rescue_map *map)
{
	return map->size;
}

bool rescue_map_merged(const struct rescue_map *map)
{
	return map->merged;
}

size_t rescue_map_count(const struct rescue_map *map)
{
	return map->count;
}

/* The block that holds byte AT. */
static size_t map_find(const struct rescue_map *map, uint64_t at)
{
	size_t low = 0, high = map->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (map->blocks[middle].start <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static uint64_t map_end(const struct rescue_map *map, size_t index)
{
	return index + 1 < map->count ? map->blocks[index + 1].start : map->size;
}

/* Has the blocks from INDEX on, OLD of them, be NEW ones at BLOCKS. */
static int map_splice(struct rescue_map *map, size_t index, size_t old,
		      const struct rescue_block *blocks, size_t new)
{
	size_t count = map->count - old + new;

	if (count > map->room) {
		size_t room = 2 * map->room;
		struct rescue_block *more = reallocarray(map->blocks, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		map->blocks = more;
		map->room = room;
	}
	memmove(map->blocks + index + new, map->blocks + index + old,
		(map->count - index - old) * sizeof(*blocks));
	memcpy(map->blocks + index, blocks, new * sizeof(*blocks));
	map->count = count;
	return 0;
}

/* Whether block INDEX is finished, no longer than GAP, and between two that are not. */
static bool map_is_gap(const struct rescue_map *map, size_t index, uint64_t gap)
{
	return index > 0 && index + 1 < map->count &&
	       map->blocks[index].status == RESCUE_FINISHED &&
	       map_end(map, index) - map->blocks[index].start <= gap;
}

/* One round over all blocks: gaps become bad, and what is alike then becomes one. */
static void map_merge_gaps(struct rescue_map *map, uint64_t gap)
{
	size_t kept = 0;

	for (size_t i = 0; i < map->count; i++)
		if (map_is_gap(map, i, gap))
			map->blocks[i].status = RESCUE_BAD;
	for (size_t i = 1; i < map->count; i++)
		if (map->blocks[i].status != map->blocks[kept].status)
			map->blocks[++kept] = map->blocks[i];
	map->count = kept + 1;
}

void rescue_map_merge(struct rescue_map *map, size_t most)
{
	if (map->count <= most)
		return;
	map->merged = true;
	for (uint64_t gap = MERGE_LEAST; map->count > most && gap < map->size; gap *= 2)
		map_merge_gaps(map, gap);
}

int rescue_map_set(struct rescue_map *map, uint64_t from, uint64_t len, enum rescue_status status)
{
	struct rescue_block blocks[3];
	uint64_t end = from + len;
	size_t new = 0;

	if (len == 0)
		return 0;
	size_t first = map_find(map, from), last = map_find(map, end - 1);
	enum rescue_status behind = map->blocks[last].status;

	if (map->blocks[first].start < from)
		blocks[new ++] = map->blocks[first];
	else if (first > 0 && map->blocks[first - 1].status == status)
		blocks[new ++] = map->blocks[--first];
	if (new == 0 || blocks[0].status != status)
		blocks[new ++] = (struct rescue_block){from, status};
	if (end < map_end(map, last) && behind != status)
		blocks[new ++] = (struct rescue_block){end, behind};
	else if (last + 1 < map->count && map->blocks[last + 1].status == status)
		last++;
	int r = map_splice(map, first, last - first + 1, blocks, new);
	/* By half at once, so that it does not come again with the next block. */
	if (r == 0 && map->count > RESCUE_BLOCKS_MOST)
		rescue_map_merge(map, RESCUE_BLOCKS_MOST / 2);
	return r;
}

enum rescue_status rescue_map_get(const struct rescue_map *map, uint64_t at, uint64_t *ret_start,
				  uint64_t *ret_end)
{
	size_t index = map_find(map, at);

	*ret_start = map->blocks[index].start;
	*ret_end = map_end(map, index);
	return map->blocks[index].status;
}

uint64_t rescue_map_next(const struct rescue_map *map, uint64_t at, const char *statuses,
			 uint64_t *ret_len)
{
	size_t index = map_find(map, at);

	*ret_len = 0;
	if (at >= map->size)
		return map->size;
	while (index < map->count && !strchr(statuses, map->blocks[index].status))
		index++;
	if (index == map->count)
		return map->size;
	at = MAX(at, map->blocks[index].start);
	while (index + 1 < map->count && strchr(statuses, map->blocks[index + 1].status))
		index++;
	*ret_len = map_end(map, index) - at;
	return at;
}

uint64_t rescue_map_bytes(const struct rescue_map *map, uint64_t from, uint64_t len,
			  const char *statuses)
{
	uint64_t end = from + len, sum = 0, n;

	for (uint64_t at = from; at < end; at += n) {
		at = rescue_map_next(map, at, statuses, &n);
		if (n == 0 || at >= end)
			break;
		n = MIN(n, end - at);
		sum += n;
	}
	return sum;
}
