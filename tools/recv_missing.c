// SPDX-License-Identifier: GPL-2.0-or-later
#include "recv_missing.h"

#include <errno.h>

#include "codec/manifest_missing.h"

int recv_missing_take(const struct link_record *record, uint64_t size, json_t *manifest)
{
	struct rescue_map *map = NULL;
	struct wire_range range;
	uint32_t count = 0;
	int r = wire_unreadable_get(record->payload, record->length, &count);

	if (r < 0)
		return r;
	r = rescue_map_new(size, &map);
	if (r == 0)
		r = rescue_map_set(map, 0, size, RESCUE_FINISHED);
	for (uint32_t i = 0; r == 0 && i < count; i++) {
		wire_unreadable_range(record->payload, i, &range);
		r = range.offset + range.length > size
			    ? -EBADMSG
			    : rescue_map_set(map, range.offset, range.length, RESCUE_BAD);
	}
	if (r == 0)
		r = manifest_missing_put(manifest, map);
	rescue_map_free(map);
	return r;
}
