// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec/manifest.h"
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

static int store_write(struct store *store, const void *buf, size_t len)
{
	int r = out_write(store->fd, buf, len);

	if (r == 0)
		store->written += len;
	return r;
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

static int store_checkpoint(struct store *store)
{
	uint32_t count = spool_count(store->spool) - store->checkpointed;
	uint8_t *buf;
	size_t len;
	int r = store_make_checkpoint(store, store->checkpointed, count, &buf, &len);

	if (r < 0)
		return r;
	/* After a power cut the CHECKPOINT must not be there without its chunks. */
	r = out_sync(store->fd);
	if (r >= 0)
		r = store_write(store, buf, len);
	if (r == 0)
		store->checkpointed += count;
	free(buf);
	return r;
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
		r = spool_add(store->spool, entry);
	if (r < 0)
		return r;
	store->size += len;
	digest_update(&store->root, entry->digest.bytes, DIGEST_SIZE);
	if (index == 0)
		r = store_write_head(store);
	if (r == 0 && index + 1 - store->checkpointed == store->gap)
		r = store_checkpoint(store);
	return r;
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
out:
	free(zeros);
	return r;
}

int store_zero(struct store *store, uint64_t count, uint32_t flags)
{
	const struct chunk_map *map = &store->head.map;

	for (uint64_t i = 0; i < count; i++) {
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
		r = store_chunk(store, &store->zero, store->zero_frame);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The trailer's bytes go through here, so that the sum is over exactly what is written. */
typedef int store_emit(struct store *store, struct digest_state *sum, const void *buf, size_t len);

static int store_emit_write(struct store *store, struct digest_state *sum, const void *buf,
			    size_t len)
{
	(void)sum;
	return store_write(store, buf, len);
}

static int store_emit_sum(struct store *store, struct digest_state *sum, const void *buf,
			  size_t len)
{
	(void)store;
	digest_update(sum, buf, len);
	return 0;
}

static int store_table(struct store *store, store_emit *emit, struct digest_state *sum)
{
	uint64_t count = spool_count(store->spool);
	uint8_t header[IMAGE_TABLE_HEADER];

	image_table_header_put(count, header);
	int r = emit(store, sum, header, sizeof(header));
	for (uint64_t i = 0; r == 0 && i < count;) {
		uint32_t n = count - i < STORE_ENTRIES ? count - i : STORE_ENTRIES;

		r = spool_read(store->spool, i, n, store->buf);
		if (r == 0)
			r = emit(store, sum, store->buf, (size_t)n * IMAGE_ENTRY);
		i += n;
	}
	return r;
}

struct store_trailer {
	const char *json;
	uint32_t json_len;
	uint32_t frames; /* in the seek table */
	uint8_t sum[IMAGE_SUM_FRAME];
};

static int store_seek_entry(struct store *store, store_emit *emit, struct digest_state *sum,
			    size_t stored, uint32_t content)
{
	uint8_t entry[IMAGE_SEEK_ENTRY];

	image_seek_entry_put(stored, content, entry);
	return emit(store, sum, entry, sizeof(entry));
}

/*
 * The seek table repeats the order in which everything was written: the data frames, each with the
 * PAD of its slot, HEAD behind the first, a CHECKPOINT behind every gap and at the end, and the
 * three frames of the trailer.
 */
static int store_seek_table(struct store *store, const struct store_trailer *trailer,
			    store_emit *emit, struct digest_state *sum)
{
	uint64_t count = spool_count(store->spool), checkpointed = 0;
	uint8_t header[IMAGE_SEEK_HEADER], footer[IMAGE_SEEK_FOOTER], raw[IMAGE_ENTRY];
	struct image_entry entry;

	image_seek_header_put(trailer->frames, header);
	int r = emit(store, sum, header, sizeof(header));
	for (uint64_t i = 0; r == 0 && i < count; i++) {
		r = spool_read(store->spool, i, 1, raw);
		if (r == 0)
			r = image_entry_get(raw, &entry);
		uint32_t len = chunk_length(&store->head.map, i);
		if (r == 0)
			r = store_seek_entry(store, emit, sum, entry.stored_size, len);
		if (r == 0 && entry.flags & IMAGE_ENTRY_SLOT)
			r = store_seek_entry(store, emit, sum, pack_bound(len) - entry.stored_size,
					     0);
		if (r == 0 && i == 0)
			r = store_seek_entry(store, emit, sum, image_head_size(&store->head), 0);
		if (r == 0 && (i + 1 - checkpointed == store->gap || i + 1 == count)) {
			r = store_seek_entry(store, emit, sum,
					     image_checkpoint_size(i + 1 - checkpointed), 0);
			checkpointed = i + 1;
		}
	}
	if (r == 0)
		r = store_seek_entry(store, emit, sum, IMAGE_TABLE_HEADER + count * IMAGE_ENTRY, 0);
	if (r == 0)
		r = store_seek_entry(store, emit, sum, IMAGE_MANIFEST_HEADER + trailer->json_len,
				     0);
	if (r == 0)
		r = store_seek_entry(store, emit, sum, IMAGE_SUM_FRAME, 0);
	image_seek_footer_put(trailer->frames, footer);
	return r < 0 ? r : emit(store, sum, footer, sizeof(footer));
}

static int store_trailer(struct store *store, const struct store_trailer *trailer, store_emit *emit,
			 struct digest_state *sum)
{
	uint8_t header[IMAGE_MANIFEST_HEADER];
	int r = store_table(store, emit, sum);

	image_manifest_header_put(trailer->json_len, header);
	if (r == 0)
		r = emit(store, sum, header, sizeof(header));
	if (r == 0)
		r = emit(store, sum, trailer->json, trailer->json_len);
	if (r == 0)
		r = emit(store, sum, trailer->sum, sizeof(trailer->sum));
	return r < 0 ? r : store_seek_table(store, trailer, emit, sum);
}

static uint32_t store_frames(const struct store *store)
{
	uint64_t count = spool_count(store->spool);

	/* data, PADs, CHECKPOINTs, HEAD, TABLE, MANIFEST, SUM; store_pad bounds their sum */
	return count + store->slots + (count + store->gap - 1) / store->gap + 4;
}

int store_finish(struct store *store, json_t *manifest, struct digest *ret_root)
{
	struct store_trailer trailer = {.frames = store_frames(store)};
	uint64_t count = spool_count(store->spool);
	struct manifest_end end = {
		.head = &store->head,
		.size = store->size,
		.chunks = count,
		.frames = trailer.frames,
		.finished = time(NULL),
	};
	struct digest_state sum_state;
	struct image_sum sum = {.entries = count};
	char *json;
	size_t json_len;
	int r = 0;

	if (chunk_map_open(&store->head.map))
		store->head.map.size = end.size;
	if (count != chunk_count(&store->head.map))
		return -ENODATA;
	if (store->checkpointed < count)
		r = store_checkpoint(store);
	if (r == 0 && store->filled) {
		digest_start(&store->root);
		r = spool_digests(store->spool, &store->root);
	}
	if (r < 0)
		return r;
	digest_root(&store->root, end.size, store->head.map.chunk_size, &end.root);
	r = manifest_finish(manifest, &end);
	if (r == 0)
		r = manifest_format(manifest, &json, &json_len);
	if (r < 0)
		return r;
	if (json_len > IMAGE_MANIFEST_MOST) {
		free(json);
		return -EFBIG;
	}
	trailer.json = json;
	trailer.json_len = json_len;
	sum.trailer_size = IMAGE_TABLE_HEADER + count * IMAGE_ENTRY + IMAGE_MANIFEST_HEADER +
			   json_len + IMAGE_SUM_FRAME + image_seek_size(trailer.frames);
	sum.file_size = store->written + sum.trailer_size;
	image_sum_put(&sum, trailer.sum);

	digest_start(&sum_state);
	r = store_trailer(store, &trailer, store_emit_sum, &sum_state);
	digest_read(&sum_state, &sum.digest);
	image_sum_put(&sum, trailer.sum);
	if (r == 0)
		r = store_trailer(store, &trailer, store_emit_write, NULL);
	free(json);
	if (r == 0)
		*ret_root = end.root;
	return r;
}
