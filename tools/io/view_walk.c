// SPDX-License-Identifier: GPL-2.0-or-later
/* The seek table of a view, of which one piece at a time is in memory. */
#include <errno.h>

#include "io/view_internal.h"

/* The last piece that begins at or before CHUNK: pieces without a data frame are passed over. */
static uint64_t view_walk_piece(const struct view *view, uint64_t chunk)
{
	uint64_t low = 0, high = (view->trailer.frames - 1) / VIEW_PIECE;

	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2;

		if (view->marks[middle].chunk <= chunk)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

void view_walk_seek(const struct view *view, struct view_walk *walk, uint64_t chunk)
{
	uint64_t piece = view_walk_piece(view, chunk);

	walk->next = (struct view_frame){
		.number = piece * VIEW_PIECE,
		.chunk = view->marks[piece].chunk,
		.offset = view->marks[piece].offset,
	};
}

static int view_walk_load(const struct view *view, struct view_walk *walk)
{
	uint64_t first = walk->next.number / VIEW_PIECE * VIEW_PIECE;
	uint64_t count = view->trailer.frames - first;
	uint64_t place = view->trailer.seek + IMAGE_SEEK_HEADER + first * IMAGE_SEEK_ENTRY;

	if (walk->piece == first / VIEW_PIECE + 1)
		return 0;
	if (count > VIEW_PIECE)
		count = VIEW_PIECE;
	walk->piece = 0;
	int r = view_read(view, walk->entries, count * IMAGE_SEEK_ENTRY, place);
	if (r == 0)
		walk->piece = first / VIEW_PIECE + 1;
	return r;
}

int view_walk_next(const struct view *view, struct view_walk *walk, struct view_frame *ret)
{
	struct view_frame frame = walk->next;

	if (frame.number == view->trailer.frames)
		return 0;
	int r = view_walk_load(view, walk);
	if (r < 0)
		return r;
	image_seek_entry_get(walk->entries + frame.number % VIEW_PIECE * IMAGE_SEEK_ENTRY,
			     &frame.stored, &frame.content);
	/* The one chunk of a device of no bytes is the first frame all the same. */
	frame.data = frame.content || frame.number == 0;
	walk->next.number++;
	walk->next.chunk += frame.data;
	walk->next.offset += frame.stored;
	/* It was right when it was opened. */
	if (walk->next.offset > view->trailer.seek || walk->next.chunk > view->trailer.sum.entries)
		return -EBADMSG;
	*ret = frame;
	return 1;
}
