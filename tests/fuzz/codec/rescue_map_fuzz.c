// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads INPUT as a mapfile of a disk. Whatever it says, the map stays one: blocks follow each other
 * without a gap to the disk's end, neighbours differ, and the bytes add up.
 */
#include <stdint.h>
#include <stdlib.h>

#include "codec/rescue_map.h"

#define SIZE  1000000007ull
#define ALIGN 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_require(int holds)
{
	if (!holds)
		abort();
}

static void fuzz_walk(const struct rescue_map *map)
{
	uint64_t start, end, bytes = 0;
	enum rescue_status before = 0;
	size_t blocks = 0;

	for (uint64_t at = 0; at < SIZE; at = end) {
		enum rescue_status status = rescue_map_get(map, at, &start, &end);

		fuzz_require(start == at && end > at && end <= SIZE && status != before);
		fuzz_require(status != RESCUE_FINISHED);
		fuzz_require(start % ALIGN == 0);
		bytes += end - start;
		before = status;
		blocks++;
	}
	fuzz_require(bytes == SIZE && blocks == rescue_map_count(map));
	fuzz_require(blocks <= RESCUE_BLOCKS_MOST && !rescue_map_merged(map));
	fuzz_require(rescue_map_bytes(map, 0, SIZE, RESCUE_MISSING) == SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rescue_map *map;
	unsigned int line;

	if (rescue_map_new(SIZE, &map) < 0)
		return 0;
	rescue_map_parse(map, (const char *)data, size, ALIGN, &line);
	fuzz_walk(map);
	rescue_map_free(map);
	return 0;
}
