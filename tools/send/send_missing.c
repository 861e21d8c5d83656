// SPDX-License-Identifier: GPL-2.0-or-later
#include "send/send_missing.h"

#include <errno.h>
#include <stdlib.h>

#include "codec/manifest.h"
#include "codec/manifest_missing.h"
#include "codec/wire.h"
#include "ui/msg.h"

#define OFFER_BLOCKS 32768u /* 16,384 ranges: less than 600 kB of JSON */

int send_missing_offer(const json_t *manifest, uint64_t size, char **ret, size_t *ret_len)
{
	struct rescue_map *map = NULL;
	int r = manifest_format(manifest, ret, ret_len);

	if (r < 0 || *ret_len <= WIRE_MANIFEST_MOST)
		return r;
	free(*ret);
	json_t *copy = json_copy((json_t *)manifest);

	r = copy ? manifest_missing_get(manifest, size, &map) : -ENOMEM;
	if (r == 0) {
		rescue_map_merge(map, OFFER_BLOCKS);
		r = manifest_missing_put(copy, map);
	}
	if (r == 0)
		r = manifest_format(copy, ret, ret_len);
	rescue_map_free(map);
	json_decref(copy);
	return r;
}

void send_missing_retries(struct source *source, bool fills, bool tell)
{
	if (!source_rescued(source))
		return;
	source_rescue_later(source, fills);
	if (!fills && tell)
		msg_note("the output cannot be gone back to, so bad sectors are retried at once: a "
			 "file (`tbrecv -o`) or a disk would have the good parts first");
}

void send_missing_tell(const struct source *source)
{
	uint64_t missing = source_missing(source);
	char size[24];

	if (source_comes_again(source) && missing)
		msg_note("%s: all but %s is sent, which is tried once more now",
			 source_name(source), msg_size(missing, size));
}

int send_missing_record(const json_t *manifest, uint64_t size, struct link_record **ret)
{
	struct wire_range *ranges = calloc(WIRE_RANGES_MOST, sizeof(*ranges));
	struct rescue_map *map = NULL;
	struct wire_range range = {0};
	uint32_t count = 0;
	int r = ranges ? manifest_missing_get(manifest, size, &map) : -ENOMEM;

	/* A map of its most blocks has no more ranges than a record. */
	while (r == 0 && count < WIRE_RANGES_MOST &&
	       (range.offset = rescue_map_next(map, range.offset + range.length, RESCUE_MISSING,
					       &range.length),
		range.length > 0))
		ranges[count++] = range;
	size_t capacity = 64 + sizeof(*ranges) * count;
	struct link_record *record =
		r == 0 ? link_record_new(WIRE_TYPE_UNREADABLE, capacity) : NULL;

	r = record ? wire_unreadable_put(ranges, count, record->payload, capacity) : -ENOMEM;
	rescue_map_free(map);
	free(ranges);
	if (r < 0) {
		free(record);
		return r;
	}
	record->length = r;
	*ret = record;
	return 0;
}
