// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "codec/chunk.h"

bool chunk_map_valid(const struct chunk_map *map)
{
	if (map->chunk_size < CHUNK_SIZE_LEAST || map->chunk_size > CHUNK_SIZE_MOST)
		return false;
	if (map->chunk_size & (map->chunk_size - 1))
		return false;
	return chunk_map_open(map) || map->size <= (uint64_t)CHUNK_COUNT_MOST * map->chunk_size;
}

bool chunk_map_open(const struct chunk_map *map)
{
	return map->size == CHUNK_OPEN;
}

uint64_t chunk_map_known(const struct chunk_map *map)
{
	return chunk_map_open(map) ? 0 : map->size;
}

uint64_t chunk_count(const struct chunk_map *map)
{
	if (chunk_map_open(map))
		return CHUNK_COUNT_MOST;
	if (map->size == 0)
		return 1;
	return (map->size - 1) / map->chunk_size + 1;
}

uint64_t chunk_offset(const struct chunk_map *map, uint64_t index)
{
	return index * map->chunk_size;
}

uint64_t chunk_bytes(const struct chunk_map *map, uint64_t count)
{
	return count < chunk_count(map) ? chunk_offset(map, count) : map->size;
}

uint32_t chunk_length(const struct chunk_map *map, uint64_t index)
{
	uint64_t rest = map->size - chunk_offset(map, index);

	return rest < map->chunk_size ? (uint32_t)rest : map->chunk_size;
}

bool chunk_follows(const struct chunk_map *map, uint64_t count, uint64_t size)
{
	/* Of an open map any chunk that is not whole was the last one. */
	return count < chunk_count(map) &&
	       (!chunk_map_open(map) || size == chunk_offset(map, count));
}

bool chunk_is_zero(const void *data, size_t len)
{
	static const uint8_t zeros[64];
	const uint8_t *p = data;

	if (len <= sizeof(zeros))
		return len == 0 || memcmp(p, zeros, len) == 0;
	/* With its first bytes zero, data that equals itself a little further on is all zeros. */
	return memcmp(p, zeros, sizeof(zeros)) == 0 &&
	       memcmp(p, p + sizeof(zeros), len - sizeof(zeros)) == 0;
}
