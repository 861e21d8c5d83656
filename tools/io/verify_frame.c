// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/verify_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/manifest_table.h"
#include "codec/pack.h"
#include "io/out.h"

#define FIND_ENTRIES 1024u /* of TABLE, looked through at once */

int verify_worker_setup(struct verify_worker *worker, const struct view *view)
{
	*worker = (struct verify_worker){.view = view};
	worker->content = malloc(view->front.head.map.chunk_size);
	if (!worker->content || view_scratch_new(view, &worker->scratch) < 0) {
		verify_worker_clear(worker);
		return -ENOMEM;
	}
	return 0;
}

void verify_worker_clear(struct verify_worker *worker)
{
	view_scratch_free(worker->scratch);
	free(worker->content);
}

void verify_name(const struct view *view, uint64_t chunk, char *ret, size_t len)
{
	const struct chunk_map *map = &view->front.head.map;
	uint64_t from = chunk_offset(map, chunk), length = chunk_length(map, chunk);
	char where[384];

	manifest_where(view->manifest, from, length, where, sizeof(where));
	if (!length)
		snprintf(ret, len, "chunk %" PRIu64 " (of a device of no bytes)", chunk);
	else
		snprintf(ret, len,
			 "chunk %" PRIu64 " (device bytes %" PRIu64 " to %" PRIu64 "%s%s)", chunk,
			 from, from + length - 1, where[0] ? ", " : "", where);
}

/* Which chunk's frame stands at OFFSET, if any does; that many when none. The scratch is lost. */
static uint64_t frame_find(struct verify_worker *worker, uint64_t offset)
{
	const struct view *view = worker->view;
	uint64_t count = view->trailer.sum.entries;
	uint8_t entries[FIND_ENTRIES * IMAGE_ENTRY];
	uint8_t *frame = worker->scratch->frame;
	ssize_t there = out_read_at(view->fd, frame, PACK_FRAME_MOST, offset);
	size_t stored = there < 0 ? 0 : pack_length(frame, there);
	struct image_entry entry;

	if (!stored)
		return count;
	uint64_t hash = digest_stored(frame, stored);

	for (uint64_t at = 0; at < count; at += FIND_ENTRIES) {
		uint32_t n = count - at < FIND_ENTRIES ? count - at : FIND_ENTRIES;

		if (view_read_entries(view, at, n, entries) < 0)
			return count;
		for (uint32_t i = 0; i < n; i++)
			if (image_entry_get(entries + (size_t)i * IMAGE_ENTRY, &entry) == 0 &&
			    entry.stored_size == stored && entry.stored_hash == hash)
				return at + i;
	}
	return count;
}

static int frame_fail_chunk(struct verify_worker *worker, const struct verify_item *item, int r,
			    char *why, size_t len)
{
	char name[512];
	uint64_t found;

	if (r != -EBADMSG && r != -ESTALE)
		return r;
	verify_name(worker->view, item->chunk, name, sizeof(name));
	found = frame_find(worker, item->frame.offset);
	if (found < worker->view->trailer.sum.entries && found != item->chunk)
		snprintf(why, len, "%s is chunk %" PRIu64 "'s: frames have changed places", name,
			 found);
	else if (r == -ESTALE)
		snprintf(why, len, "%s is not the one that was written there", name);
	else
		snprintf(why, len, "%s is damaged", name);
	return -EBADMSG;
}

/* Whether the frame in the scratch is, to the byte, the last small one that was right. */
static bool frame_is_twin(const struct verify_worker *worker, const struct verify_item *item)
{
	const struct image_entry *entry = &item->entry, *twin = &worker->twin_entry;

	return worker->twin_there && entry->stored_size == twin->stored_size &&
	       entry->stored_hash == twin->stored_hash &&
	       digest_equal(&entry->digest, &twin->digest) && item->length == worker->twin_length &&
	       !(entry->flags & IMAGE_ENTRY_ZERO & ~twin->flags) &&
	       !memcmp(worker->scratch->frame, worker->twin, entry->stored_size);
}

static int frame_chunk(struct verify_worker *worker, const struct verify_item *item, char *why,
		       size_t len)
{
	struct view_scratch *scratch = worker->scratch;
	uint32_t stored = item->frame.stored;
	int r = view_read(worker->view, scratch->frame, stored, item->frame.offset);

	if (r == 0 && frame_is_twin(worker, item))
		return 0;
	if (r == 0)
		r = view_frame_check(scratch, stored, &item->entry, worker->content, item->length);
	if (r < 0)
		return frame_fail_chunk(worker, item, r, why, len);
	if (stored <= VERIFY_TWIN_MOST) {
		memcpy(worker->twin, scratch->frame, stored);
		worker->twin_entry = item->entry;
		worker->twin_length = item->length;
		worker->twin_there = true;
	}
	return 0;
}

/* Anything may stand in a PAD, but zeros do: what else stood there would be seen by no checksum. */
static int frame_pad(struct verify_worker *worker, const struct verify_item *item, char *why,
		     size_t len)
{
	const uint8_t *at = worker->scratch->frame;
	uint32_t stored = item->frame.stored;
	struct image_frame frame;
	char name[512];
	int r = view_read(worker->view, worker->scratch->frame, stored, item->frame.offset);

	if (r == 0 && (image_frame_get(at, stored, &frame) < 0 || frame.magic != IMAGE_MAGIC ||
		       frame.kind != IMAGE_PAD || frame.size != stored - IMAGE_FRAME_HEADER ||
		       !chunk_is_zero(at + IMAGE_FRAME_HEADER + IMAGE_TAG,
				      stored - IMAGE_FRAME_HEADER - IMAGE_TAG)))
		r = -EBADMSG;
	if (r != -EBADMSG)
		return r;
	verify_name(worker->view, item->chunk, name, sizeof(name));
	snprintf(why, len, "the PAD behind %s is damaged", name);
	return r;
}

/* Its entries are those of TABLE. */
static int frame_checkpoint_entries(struct verify_worker *worker, const uint8_t *entries,
				    uint64_t first, uint32_t count)
{
	uint8_t table[FIND_ENTRIES * IMAGE_ENTRY];

	for (uint32_t done = 0; done < count;) {
		uint32_t n = count - done < FIND_ENTRIES ? count - done : FIND_ENTRIES;
		int r = view_read_entries(worker->view, first + done, n, table);

		if (r < 0)
			return r;
		if (memcmp(table, entries + (size_t)done * IMAGE_ENTRY, (size_t)n * IMAGE_ENTRY))
			return -EBADMSG;
		done += n;
	}
	return 0;
}

static int frame_checkpoint(struct verify_worker *worker, const struct verify_item *item, char *why,
			    size_t len)
{
	const struct view_frame *frame = &item->frame;
	const uint8_t *entries;
	uint64_t first;
	uint32_t count;
	int r = view_read(worker->view, worker->scratch->frame, frame->stored, frame->offset);

	if (r == 0)
		r = image_checkpoint_get(worker->scratch->frame, frame->stored, &first, &count,
					 &entries);
	if (r == 0 && (first != item->first || first + count != frame->chunk))
		r = -EBADMSG;
	if (r == 0)
		r = frame_checkpoint_entries(worker, entries, first, count);
	if (r == -EBADMSG)
		snprintf(why, len,
			 "the CHECKPOINT of chunks %" PRIu64 " to %" PRIu64 ", at byte %" PRIu64
			 ", is damaged",
			 item->first, frame->chunk - 1, frame->offset);
	return r;
}

int verify_frame(struct verify_worker *worker, const struct verify_item *item, char *why,
		 size_t len)
{
	switch (item->kind) {
	case VERIFY_PAD: return frame_pad(worker, item, why, len);
	case VERIFY_CHECKPOINT: return frame_checkpoint(worker, item, why, len);
	default: return frame_chunk(worker, item, why, len);
	}
}
