// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "io/crew.h"
#include "io/out.h"
#include "io/store_internal.h"

int store_make(int fd, const struct image_head *head, struct store **ret)
{
	/* calloc would not honour the alignment that the hash's state asks for. */
	struct store *store = aligned_alloc(_Alignof(struct store), sizeof(*store));
	int r = -ENOMEM;

	if (!store)
		return -ENOMEM;
	memset(store, 0, sizeof(*store));
	store->fd = fd;
	store->head = *head;
	store->identity = malloc(head->identity_len + 1);
	if (!store->identity)
		goto fail;
	memcpy(store->identity, head->identity, head->identity_len);
	store->head.identity = store->identity;
	store->gap = IMAGE_CHECKPOINT_GAP / head->map.chunk_size;
	digest_start(&store->root);
	r = pack_new(PACK_LEVEL_DEFAULT, &store->pack);
	if (r < 0)
		goto fail;
	*ret = store;
	return 0;
fail:
	store_free(store);
	return r;
}

int store_new(int fd, const struct image_head *head, struct store **ret)
{
	struct store *store = NULL;
	int r = store_make(fd, head, &store);

	if (r == 0)
		r = spool_new(fd, &store->spool);
	if (r == 0)
		store_slots_start(store);
	if (r == 0)
		*ret = store;
	else
		store_free(store);
	return r;
}

void store_free(struct store *store)
{
	if (!store)
		return;
	crew_free(store->crew);
	pack_free(store->pack);
	spool_free(store->spool);
	free(store->zero_frame);
	free(store->identity);
	free(store);
}

const struct image_head *store_head(const struct store *store)
{
	return &store->head;
}

uint64_t store_chunks(const struct store *store)
{
	return spool_count(store->spool);
}

uint64_t store_kept(const struct store *store)
{
	return store->checkpointed;
}

uint64_t store_size(const struct store *store)
{
	return store->written;
}

int store_write(struct store *store, const void *buf, size_t len)
{
	int r = out_write(store->fd, buf, len);

	if (r < 0)
		return r;
	store->written += len;
	return store->written - store->synced < STORE_SYNC ? 0 : store_sync_begin(store);
}

static int store_write_head(struct store *store)
{
	size_t len = image_head_size(&store->head);
	uint8_t *buf = malloc(len);

	if (!buf)
		return -ENOMEM;
	int r = image_head_put(&store->head, buf, len);
	if (r >= 0)
		r = store_write(store, buf, r);
	free(buf);
	return r;
}

int store_make_checkpoint(struct store *store, uint64_t first, uint32_t count, uint8_t **ret,
			  size_t *ret_len)
{
	struct image_entry *entries = calloc(count, sizeof(*entries));
	size_t len = image_checkpoint_size(count);
	uint8_t *buf = malloc(len);
	int r = entries && buf ? 0 : -ENOMEM;

	/* The frame is built over its own source: entries are read to its end and decoded first. */
	if (r == 0)
		r = spool_read(store->spool, first, count, buf);
	for (uint32_t i = 0; r == 0 && i < count; i++)
		r = image_entry_get(buf + (size_t)i * IMAGE_ENTRY, &entries[i]);
	if (r == 0)
		r = image_checkpoint_put(first, entries, count, buf, len);
	free(entries);
	if (r < 0) {
		free(buf);
		return r;
	}
	*ret = buf;
	*ret_len = r;
	return 0;
}

int store_checkpoint(struct store *store)
{
	uint32_t count = spool_count(store->spool) - store->checkpointed;
	uint8_t *buf;
	size_t len;
	int r = store_make_checkpoint(store, store->checkpointed, count, &buf, &len);

	if (r < 0)
		return r;
	r = store_write(store, buf, len);
	free(buf);
	if (r < 0)
		return r;
	store->checkpointed += count;
	return 0;
}

/* The frame of a chunk of LEN bytes is written. */
static int store_note(struct store *store, const struct image_entry *entry, uint32_t len)
{
	int r = spool_add(store->spool, entry);

	if (r < 0)
		return r;
	store->size += len;
	digest_update(&store->root, entry->digest.bytes, DIGEST_SIZE);
	return 0;
}

static int store_checkpoint_due(struct store *store)
{
	return spool_count(store->spool) - store->checkpointed == store->gap
		       ? store_checkpoint(store)
		       : 0;
}

int store_chunk(struct store *store, const struct image_entry *entry, const uint8_t *frame)
{
	uint64_t index = spool_count(store->spool);
	uint32_t len;

	if (!chunk_follows(&store->head.map, index, store->size))
		return -EOVERFLOW;
	/* Behind the first frame stands HEAD. */
	if (index == 0 && entry->flags & IMAGE_ENTRY_SLOT)
		return -EINVAL;
	int r = pack_chunk_length(&store->head.map, index, frame, entry->stored_size, &len);
	if (r == 0)
		r = store_write(store, frame, entry->stored_size);
	if (r == 0 && entry->flags & IMAGE_ENTRY_SLOT)
		r = store_pad(store, len, entry->stored_size);
	if (r == 0)
		r = store_note(store, entry, len);
	if (r == 0 && index == 0)
		r = store_write_head(store);
	return r == 0 ? store_checkpoint_due(store) : r;
}

/* Makes the frame of LEN zeros, at one level always: what was skipped must pack alike everywhere.
 */
static int store_make_zero(struct store *store, uint32_t len)
{
	uint8_t *zeros = calloc(1, len ? len : 1);
	size_t stored;
	int r = -ENOMEM;

	store->zero_length = 0;
	if (!store->zero_frame)
		store->zero_frame = malloc(PACK_FRAME_MOST);
	if (!zeros || !store->zero_frame)
		goto out;
	r = pack_chunk(store->pack, zeros, len, store->zero_frame, PACK_FRAME_MOST, &stored);
	if (r < 0)
		goto out;
	digest_chunk(zeros, len, &store->zero.digest);
	store->zero.stored_hash = digest_stored(store->zero_frame, stored);
	store->zero.stored_size = stored;
	store->zero_length = len;
	store->zero_copies = MAX(STORE_ZEROS / stored, 1);
	for (size_t i = 1; i < store->zero_copies; i++)
		memcpy(store->zero_frame + i * stored, store->zero_frame, stored);
out:
	free(zeros);
	return r;
}

/*
 * How many of COUNT chunks from INDEX on can be written at once: HEAD, CHECKPOINTs and PADs stand
 * between frames.
 */
static uint64_t store_zero_room(const struct store *store, uint64_t index, uint64_t count)
{
	const struct chunk_map *map = &store->head.map;
	uint64_t room = MIN(store->checkpointed + store->gap - index, store->zero_copies);

	if (index == 0 || store->zero.flags & IMAGE_ENTRY_SLOT)
		return 1;
	/* The last one may be shorter. */
	room = MIN(room, MAX(chunk_count(map) - index - 1, 1));
	return MIN(room, count);
}

static int store_zeros(struct store *store, uint64_t count)
{
	int r = store_write(store, store->zero_frame, count * store->zero.stored_size);

	for (uint64_t i = 0; r == 0 && i < count; i++)
		r = store_note(store, &store->zero, store->zero_length);
	return r == 0 ? store_checkpoint_due(store) : r;
}

int store_zero(struct store *store, uint64_t count, uint32_t flags)
{
	const struct chunk_map *map = &store->head.map;
	uint64_t room;

	for (; count; count -= room) {
		uint64_t index = spool_count(store->spool);
		if (index >= chunk_count(map))
			return -EOVERFLOW;
		uint32_t len = chunk_length(map, index);
		int r = 0;

		if (len != store->zero_length)
			r = store_make_zero(store, len);
		if (r < 0)
			return r;
		store->zero.flags = flags | IMAGE_ENTRY_ZERO;
		room = store_zero_room(store, index, count);
		r = room == 1 ? store_chunk(store, &store->zero, store->zero_frame)
			      : store_zeros(store, room);
		if (r < 0)
			return r;
	}
	return 0;
}
