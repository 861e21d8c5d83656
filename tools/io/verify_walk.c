// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/verify_internal.h"

#include <errno.h>

#include "codec/pack.h"

#define WALK_TRAILER 3u /* TABLE, MANIFEST, SUM: the view has read them */

void verify_walk_start(const struct view *view, struct verify_walk *walk)
{
	*walk = (struct verify_walk){0};
	view_walk_seek(view, &walk->walk, 0);
}

static int walk_entry(const struct view *view, struct verify_walk *walk, uint64_t chunk,
		      struct image_entry *ret)
{
	if (chunk >= walk->batch_end) {
		uint64_t left = view->trailer.sum.entries - chunk;
		uint32_t count = left < VIEW_BATCH ? left : VIEW_BATCH;
		int r = view_read_entries(view, chunk, count, walk->entries);

		if (r < 0)
			return r;
		walk->batch = chunk;
		walk->batch_end = chunk + count;
	}
	return image_entry_get(walk->entries + (chunk - walk->batch) * IMAGE_ENTRY, ret);
}

static int walk_refuse(struct verify_walk *walk, const char *what)
{
	walk->what = what;
	return -EBADMSG;
}

static int walk_chunk(const struct view *view, struct verify_walk *walk, struct verify_item *item)
{
	if (walk->slot)
		return walk_refuse(walk, "a PAD is due there, and a chunk stands there");
	int r = walk_entry(view, walk, item->chunk, &item->entry);

	if (r == 0 && item->entry.stored_size != item->frame.stored)
		r = -EBADMSG;
	if (r < 0)
		return r;
	item->kind = VERIFY_CHUNK;
	item->length = chunk_length(&view->front.head.map, item->chunk);
	if (!(item->entry.flags & IMAGE_ENTRY_SLOT))
		return 1;
	/* A PAD has to fill the slot, and has a header itself. */
	if (item->entry.stored_size + IMAGE_FRAME_HEADER + IMAGE_TAG > pack_bound(item->length))
		return walk_refuse(walk, "its slot has no room for a PAD");
	walk->slot = pack_bound(item->length) - item->entry.stored_size;
	walk->slot_chunk = item->chunk;
	return 1;
}

static int walk_other(struct verify_walk *walk, struct verify_item *item)
{
	if (walk->slot) {
		item->kind = VERIFY_PAD;
		item->chunk = walk->slot_chunk;
		if (item->frame.stored != walk->slot)
			return walk_refuse(walk, "a PAD stands there that does not fill its slot");
		walk->slot = 0;
		return 1;
	}
	/* The seek table was right when it was read first; a file can change. */
	if (item->frame.stored > PACK_FRAME_MOST)
		return -EBADMSG;
	item->kind = VERIFY_CHECKPOINT;
	item->first = walk->checkpointed;
	walk->checkpointed = item->frame.chunk;
	if (item->first == item->frame.chunk)
		return walk_refuse(walk, "a CHECKPOINT stands there that can speak of no chunk");
	return 1;
}

int verify_walk_next(const struct view *view, struct verify_walk *walk, struct verify_item *ret)
{
	struct verify_item item = {0};
	int r;

	do {
		if (walk->walk.next.number == view->trailer.frames - WALK_TRAILER)
			return walk->slot ? walk_refuse(walk, "a PAD is due before it") : 0;
		r = view_walk_next(view, &walk->walk, &item.frame);
	} while (r == 1 && item.frame.number == 1); /* HEAD, which the view has read */
	if (r <= 0)
		return r;
	walk->frame = item.frame.number;
	item.chunk = item.frame.chunk;
	r = item.frame.data ? walk_chunk(view, walk, &item) : walk_other(walk, &item);
	if (r == 1)
		*ret = item;
	return r;
}
