// SPDX-License-Identifier: GPL-2.0-or-later
/* What the readers share. */
#include <errno.h>

#include <ext2fs/ext2fs.h>

#include "used/used_kinds.h"

int used_doubt(const char *doubt, const char **ret_doubt)
{
	*ret_doubt = doubt;
	return -EUCLEAN;
}

int used_get(const struct probe_area *area, uint64_t offset, void *buf, size_t len,
	     const char **ret_doubt)
{
	if (offset > area->size || len > area->size - offset)
		return used_doubt("it goes on behind the end of its partition", ret_doubt);
	return area->read(area->from, area->start + offset, buf, len);
}

uint32_t used_crc32c(const void *data, size_t len)
{
	return ~ext2fs_crc32c_le(~0u, data, len);
}

/* How many bits from FIRST on, of COUNT in all, are as that one is. */
static uint64_t map_run(const uint8_t *bits, uint64_t first, uint64_t count)
{
	bool set = bits[first / 8] >> first % 8 & 1;
	uint8_t whole = set ? 0xff : 0;
	uint64_t at = first;

	while (at < count && (bits[at / 8] >> at % 8 & 1) == set) {
		if (at % 8 == 0 && count - at >= 8 && bits[at / 8] == whole)
			at += 8;
		else
			at++;
	}
	return at - first;
}

int used_map_add(const struct used_map *map, const uint8_t *bits, uint64_t first, uint64_t count,
		 uint64_t *free)
{
	int r = 0;

	for (uint64_t at = 0, run; r == 0 && at < count; at += run) {
		run = map_run(bits, at, count);
		if (bits[at / 8] >> at % 8 & 1)
			continue;
		*free += run;
		r = spare_add(map->spare, map->origin + (first + at) * map->unit, run * map->unit);
	}
	return r;
}
