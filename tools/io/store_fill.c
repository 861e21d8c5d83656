// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Slots: the frame of a chunk that could not be read everywhere, and a PAD behind it, together as
 * long as any frame of that chunk can become. When more could be read, another frame takes its
 * place, and what speaks of it is written again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/out.h"
#include "io/redo.h"
#include "io/store_internal.h"

#define PAD_HEADER (IMAGE_FRAME_HEADER + IMAGE_TAG)

void store_slots_start(struct store *store)
{
	off_t at = lseek(store->fd, 0, SEEK_CUR);
	struct stat st;

	/*
	 * What is skipped must read as zeros, and O_APPEND writes where it likes. Of a stream
	 * nothing comes again.
	 */
	store->fills = at >= 0 && (uint64_t)at >= store->written &&
		       !chunk_map_open(&store->head.map) && !fstat(store->fd, &st) &&
		       S_ISREG(st.st_mode) && st.st_size <= at &&
		       !(fcntl(store->fd, F_GETFL) & O_APPEND);
	store->base = store->fills ? at - store->written : 0;
}

bool store_fills(const struct store *store)
{
	return store->fills;
}

int store_pad(struct store *store, uint32_t len, uint32_t stored)
{
	size_t slot = pack_bound(len);
	uint8_t header[PAD_HEADER];
	int r;

	if (!store->fills || store->slots == STORE_SLOTS_MOST)
		return -EINVAL;
	if (slot < stored + sizeof(header))
		return -ENOBUFS;
	r = image_pad_header_put(slot - stored, header);
	if (r == 0)
		r = out_write(store->fd, header, sizeof(header));
	if (r < 0)
		return r;
	/* The rest is a hole: something always follows. */
	if (lseek(store->fd, slot - stored - sizeof(header), SEEK_CUR) < 0)
		return -errno;
	store->written += slot - stored;
	store->slots++;
	return 0;
}

/* How far it is from chunk INDEX's frame to the next one's, bytes. */
static int fill_step(struct store *store, uint64_t index, struct image_entry *ret,
		     uint64_t *ret_len)
{
	uint8_t raw[IMAGE_ENTRY];
	int r = spool_read(store->spool, index, 1, raw);

	if (r == 0)
		r = image_entry_get(raw, ret);
	if (r < 0)
		return r;
	*ret_len = ret->flags & IMAGE_ENTRY_SLOT ? pack_bound(chunk_length(&store->head.map, index))
						 : ret->stored_size;
	if (index == 0)
		*ret_len += image_head_size(&store->head);
	/* That of the last chunks may speak of fewer. */
	if ((index + 1) % store->gap == 0 || index + 1 == store->checkpointed)
		*ret_len += image_checkpoint_size(index % store->gap + 1);
	return 0;
}

/*
 * Walks to chunk INDEX (one behind the last is fine), from where the last walk ended: fills come in
 * order, forwards or backwards.
 */
static int fill_walk(struct store *store, uint64_t index)
{
	struct image_entry entry;
	uint64_t len;
	int r = 0;

	while (r == 0 && store->walk_chunk < index) {
		r = fill_step(store, store->walk_chunk, &entry, &len);
		store->walk_at += r == 0 ? len : 0;
		store->walk_chunk += r == 0;
	}
	while (r == 0 && store->walk_chunk > index) {
		r = fill_step(store, store->walk_chunk - 1, &entry, &len);
		store->walk_at -= r == 0 ? len : 0;
		store->walk_chunk -= r == 0;
	}
	return r;
}

/*
 * What the slot of SLOT bytes at AT, in which a frame of BEFORE bytes and its PAD's header were,
 * becomes: FRAME, HEADER of its PAD, and zeros where the old PAD's header may have been.
 */
static int fill_slot(uint64_t at, uint32_t before, size_t slot, const struct image_entry *entry,
		     const uint8_t *frame, uint8_t header[PAD_HEADER], struct image_redo *redo)
{
	uint32_t used = entry->stored_size + PAD_HEADER, was = before + PAD_HEADER;
	const struct image_redo_part parts[] = {
		{.at = at, .len = entry->stored_size, .bytes = frame},
		{.at = at + entry->stored_size, .len = PAD_HEADER, .bytes = header},
		{.at = at + used, .len = was > used ? was - used : 0},
	};

	if (slot < used)
		return -ENOBUFS;
	memcpy(redo->parts, parts, sizeof(parts));
	redo->count = 3;
	return image_pad_header_put(slot - entry->stored_size, header);
}

/* Where no CHECKPOINT speaks of the chunk yet: whoever goes on with the file has it sent again. */
static int fill_plain(struct store *store, const struct image_redo *redo)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < redo->count; i++) {
		const struct image_redo_part *part = &redo->parts[i];
		uint8_t *zeros = part->bytes ? NULL : calloc(1, part->len + 1);

		if (!part->bytes && !zeros)
			return -ENOMEM;
		r = out_write_at(store->fd, zeros ? zeros : part->bytes, part->len,
				 store->base + part->at);
		free(zeros);
	}
	return r;
}

/* The slot together with the CHECKPOINT that speaks of chunk INDEX. */
static int fill_both(struct store *store, uint64_t index, struct image_redo *redo)
{
	uint64_t first = index / store->gap * store->gap;
	uint32_t count = MIN(store->gap, store->checkpointed - first);
	uint8_t *buf;
	size_t len;
	int r = fill_walk(store, first + count);

	if (r == 0)
		r = store_make_checkpoint(store, first, count, &buf, &len);
	if (r < 0)
		return r;
	redo->parts[redo->count++] = (struct image_redo_part){
		.at = store->walk_at - len, .len = (uint32_t)len, .bytes = buf};
	memcpy(redo->transfer_id, store->head.transfer_id, sizeof(redo->transfer_id));
	r = redo_write(store->fd, store->base, store->written, redo);
	free(buf);
	return r;
}

int store_fill(struct store *store, uint64_t index, const struct image_entry *entry,
	       const uint8_t *frame)
{
	struct image_entry before;
	struct image_redo redo = {0};
	uint8_t header[PAD_HEADER];
	uint64_t len;

	if (index >= spool_count(store->spool) || !(entry->flags & IMAGE_ENTRY_SLOT))
		return -EINVAL;
	/* What it failed to write must be heard of before something is written over. */
	int r = store_sync_wait(store);
	if (r == 0)
		r = fill_step(store, index, &before, &len);
	if (r == 0 && !(before.flags & IMAGE_ENTRY_SLOT))
		r = -EINVAL;
	if (r == 0)
		r = fill_walk(store, index);
	if (r == 0)
		r = fill_slot(store->walk_at, before.stored_size,
			      pack_bound(chunk_length(&store->head.map, index)), entry, frame,
			      header, &redo);
	if (r == 0)
		r = spool_put(store->spool, index, entry);
	if (r < 0)
		return r;
	store->filled = true;
	return index < store->checkpointed ? fill_both(store, index, &redo)
					   : fill_plain(store, &redo);
}
