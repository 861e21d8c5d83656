// SPDX-License-Identifier: GPL-2.0-or-later
/* One chunk of a view. Threads share the view, which does not change, and the file. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/view_internal.h"

int view_scratch_new(const struct view *view, struct view_scratch **ret)
{
	struct view_scratch *scratch = calloc(1, sizeof(*scratch));

	(void)view;
	if (!scratch)
		return -ENOMEM;
	scratch->frame = malloc(PACK_FRAME_MOST);
	if (!scratch->frame || pack_new(PACK_LEVEL_DEFAULT, &scratch->pack) < 0) {
		view_scratch_free(scratch);
		return -ENOMEM;
	}
	*ret = scratch;
	return 0;
}

void view_scratch_free(struct view_scratch *scratch)
{
	if (!scratch)
		return;
	pack_free(scratch->pack);
	free(scratch->frame);
	free(scratch);
}

const char *view_scratch_why(const struct view_scratch *scratch)
{
	return scratch->why;
}

int view_frame_check(struct view_scratch *scratch, size_t stored, const struct image_entry *entry,
		     uint8_t *content, uint32_t len)
{
	struct digest digest;
	int r = pack_check(scratch->frame, stored, len);

	if (r == 0)
		r = pack_restore(scratch->pack, scratch->frame, stored, content, len);
	if (r < 0)
		return r;
	digest_chunk(content, len, &digest);
	if (stored != entry->stored_size || !digest_equal(&digest, &entry->digest) ||
	    digest_stored(scratch->frame, stored) != entry->stored_hash)
		return -ESTALE;
	/* Who restores may take the flag's word for it. */
	if (entry->flags & IMAGE_ENTRY_ZERO && !chunk_is_zero(content, len))
		return -ESTALE;
	return 0;
}

int view_place(const struct view *view, uint64_t index, struct view_scratch *scratch,
	       uint64_t *ret_offset, uint32_t *ret_stored)
{
	struct view_frame frame;
	int r;

	view_walk_seek(view, &scratch->walk, index);
	do {
		r = view_walk_next(view, &scratch->walk, &frame);
	} while (r == 1 && !(frame.data && frame.chunk == index));
	if (r == 0)
		r = -EBADMSG;
	if (r < 0)
		return r;
	*ret_offset = frame.offset;
	*ret_stored = frame.stored;
	return 0;
}

int view_chunk(const struct view *view, uint64_t index, struct view_scratch *scratch, void *content)
{
	const struct chunk_map *map = &view->front.head.map;
	struct image_entry entry;
	uint64_t offset;
	uint32_t stored;
	int r = view_entry(view, index, &entry);

	scratch->why[0] = '\0';
	if (r == 0)
		r = view_place(view, index, scratch, &offset, &stored);
	if (r == 0 && stored != entry.stored_size)
		r = -EBADMSG;
	if (r == 0)
		r = view_read(view, scratch->frame, stored, offset);
	if (r == 0)
		r = view_frame_check(scratch, stored, &entry, content, chunk_length(map, index));
	if (r == -EBADMSG || r == -ESTALE)
		snprintf(scratch->why, sizeof(scratch->why),
			 r == -EBADMSG ? "chunk %" PRIu64 " (device byte %" PRIu64 ") is damaged"
				       : "chunk %" PRIu64 " (device byte %" PRIu64
					 ") is not the one that was written there",
			 index, chunk_offset(map, index));
	return r == -ESTALE ? -EBADMSG : r;
}
