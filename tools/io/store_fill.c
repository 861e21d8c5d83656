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

static int fill_write(struct store *store, uint64_t at, const void *buf, size_t len)
{
	return out_write_at(store->fd, buf, len, store->base + at);
}

/* The slot of SLOT bytes at AT, in which a frame of BEFORE bytes and its PAD's header were. */
static int fill_slot(struct store *store, uint64_t at, uint32_t before, size_t slot,
		     const struct image_entry *entry, const uint8_t *frame)
{
	uint64_t used = (uint64_t)entry->stored_size + PAD_HEADER,
		 was = (uint64_t)before + PAD_HEADER;
	size_t left = was > used ? was - used : 0;
	uint8_t header[PAD_HEADER];

	if (slot < used)
		return -ENOBUFS;
	uint8_t *zeros = calloc(1, left + 1);
	int r = zeros ? image_pad_header_put(slot - entry->stored_size, header) : -ENOMEM;

	if (r == 0)
		r = fill_write(store, at, frame, entry->stored_size);
	if (r == 0)
		r = fill_write(store, at + entry->stored_size, header, sizeof(header));
	if (r == 0)
		r = fill_write(store, at + used, zeros, left);
	free(zeros);
	return r;
}

/* The CHECKPOINT that speaks of chunk INDEX, where it is written already. */
static int fill_checkpoint(struct store *store, uint64_t index)
{
	uint64_t first = index / store->gap * store->gap;
	uint8_t *buf;
	size_t len;

	if (index >= store->checkpointed)
		return 0;
	uint32_t count = MIN(store->gap, store->checkpointed - first);
	/* After a power cut the CHECKPOINT must not be there without the frame. */
	int r = out_sync(store->fd);
	if (r >= 0)
		r = fill_walk(store, first + count);
	if (r == 0)
		r = store_make_checkpoint(store, first, count, &buf, &len);
	if (r < 0)
		return r;
	r = fill_write(store, store->walk_at - len, buf, len);
	free(buf);
	return r;
}

int store_fill(struct store *store, uint64_t index, const struct image_entry *entry,
	       const uint8_t *frame)
{
	struct image_entry before;
	uint64_t len;

	if (index >= spool_count(store->spool) || !(entry->flags & IMAGE_ENTRY_SLOT))
		return -EINVAL;
	int r = fill_step(store, index, &before, &len);
	if (r == 0 && !(before.flags & IMAGE_ENTRY_SLOT))
		r = -EINVAL;
	if (r == 0)
		r = fill_walk(store, index);
	if (r == 0)
		r = fill_slot(store, store->walk_at, before.stored_size,
			      pack_bound(chunk_length(&store->head.map, index)), entry, frame);
	if (r == 0)
		r = spool_put(store->spool, index, entry);
	if (r < 0)
		return r;
	store->filled = true;
	return fill_checkpoint(store, index);
}
