// SPDX-License-Identifier: GPL-2.0-or-later
/* What the sender could not read at first: chunks that come again, and what is missing at the end.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "codec/manifest_missing.h"
#include "recv/recv_internal.h"

bool recv_again_fills(const struct recv *recv)
{
	return !chunk_map_open(&recv->head.map) && sink_fills(recv->sink);
}

int recv_again_due(struct recv *recv, const struct wire_data *data)
{
	const struct chunk_map *map = &recv->head.map;
	bool follows = chunk_follows(map, recv->next, recv->came);

	if (follows && data->index != recv->next)
		return recv_fail(recv, -EPROTO,
				 "chunk %" PRIu64 " came where chunk %" PRIu64 " was due",
				 data->index, recv->next);
	if (!follows && (chunk_map_open(map) || data->index >= chunk_count(map)))
		return recv_fail(recv, -EPROTO, "chunk %" PRIu64 " came behind the last one",
				 data->index);
	if (data->entry.flags & IMAGE_ENTRY_SLOT && (!data->index || !recv_again_fills(recv)))
		return recv_fail(recv, -EPROTO,
				 "chunk %" PRIu64
				 " came as one that may come again, which it may not",
				 data->index);
	return !follows;
}

int recv_again_take(struct recv *recv, uint64_t index, const struct sink_chunk *chunk)
{
	int r = -EINVAL;

	if (chunk->entry->flags & IMAGE_ENTRY_SLOT)
		r = root_fill(&recv->root, index, chunk->entry);
	if (r == -EINVAL)
		return recv_fail(recv, -EPROTO, "chunk %" PRIu64 " came twice", index);
	if (r < 0)
		return recv_fail(recv, r, "the list of what came cannot be kept: %s", strerror(-r));
	recv->unreadable |= (chunk->entry->flags & IMAGE_ENTRY_UNREADABLE) != 0;
	r = sink_fill(recv->sink, index, chunk);
	return r < 0 ? recv_sink_failed(recv, r) : 0;
}

/* Whatever OFFER said is no more: only the source's end knows. */
static int again_missing(const struct link_record *record, uint64_t size, json_t *manifest)
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

int recv_again_missing(struct recv *recv, const struct link_record *record)
{
	const struct chunk_map *map = &recv->head.map;
	/* A stream has nothing that it can come back to. */
	int r = chunk_map_open(map) ? -EBADMSG : again_missing(record, map->size, recv->manifest);

	if (r == -ENOMEM)
		return recv_fail(recv, r, "out of memory");
	return r < 0 ? recv_fail(recv, r, "the sender's UNREADABLE is damaged") : 0;
}

/* A chunk of which nobody knows what is missing, for its sender is no more: all of it is. */
static int again_unlisted(struct recv *recv, struct rescue_map *missing)
{
	const struct chunk_map *map = &recv->head.map;
	struct image_entry entry;
	int r = 0;

	for (uint64_t i = 0; r >= 0 && i < recv->next; i++) {
		uint64_t at = chunk_offset(map, i);
		uint32_t len = chunk_length(map, i);

		r = root_get(&recv->root, i, &entry);
		if (r == 1 && entry.flags & IMAGE_ENTRY_UNREADABLE &&
		    !rescue_map_bytes(missing, at, len, RESCUE_MISSING))
			r = rescue_map_set(missing, at, len, RESCUE_BAD);
	}
	return r;
}

int recv_again_end(struct recv *recv)
{
	uint64_t size = recv->head.map.size;
	struct rescue_map *missing = NULL;

	if (!recv->unreadable)
		return 0;
	int r = manifest_missing_get(recv->manifest, size, &missing);
	if (r == 0)
		r = again_unlisted(recv, missing);
	if (r >= 0)
		r = manifest_missing_put(recv->manifest, missing);
	rescue_map_free(missing);
	return r < 0 ? recv_fail(recv, r, "what is missing cannot be listed: %s", strerror(-r)) : 0;
}
