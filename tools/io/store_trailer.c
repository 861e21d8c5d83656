// SPDX-License-Identifier: GPL-2.0-or-later
/* The end of an image: the table, the manifest, and the seek table. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "codec/manifest.h"
#include "io/store_internal.h"

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

/* The seek table's entries on their way, since one alone is short. */
struct store_seek {
	struct store *store;
	store_emit *emit;
	struct digest_state *sum;
	size_t len;
	uint8_t buf[512 * IMAGE_SEEK_ENTRY];
};

static int store_seek_flush(struct store_seek *seek)
{
	size_t len = seek->len;

	seek->len = 0;
	return seek->emit(seek->store, seek->sum, seek->buf, len);
}

static int store_seek_entry(struct store_seek *seek, size_t stored, uint32_t content)
{
	int r = seek->len == sizeof(seek->buf) ? store_seek_flush(seek) : 0;

	image_seek_entry_put(stored, content, seek->buf + seek->len);
	seek->len += IMAGE_SEEK_ENTRY;
	return r;
}

/* Of chunk INDEX of COUNT: its frame, with the PAD of its slot, and what else follows it. */
static int store_seek_chunk(struct store_seek *seek, const uint8_t *raw, uint64_t index,
			    uint64_t count)
{
	const struct store *store = seek->store;
	uint32_t len = chunk_length(&store->head.map, index);
	struct image_entry entry;
	int r = image_entry_get(raw, &entry);

	if (r == 0)
		r = store_seek_entry(seek, entry.stored_size, len);
	if (r == 0 && entry.flags & IMAGE_ENTRY_SLOT)
		r = store_seek_entry(seek, pack_bound(len) - entry.stored_size, 0);
	if (r == 0 && index == 0)
		r = store_seek_entry(seek, image_head_size(&store->head), 0);
	if (r == 0 && ((index + 1) % store->gap == 0 || index + 1 == count))
		r = store_seek_entry(seek, image_checkpoint_size(index % store->gap + 1), 0);
	return r;
}

static int store_seek_chunks(struct store_seek *seek)
{
	struct store *store = seek->store;
	uint64_t count = spool_count(store->spool);
	int r = 0;

	for (uint64_t i = 0; r == 0 && i < count;) {
		uint32_t n = count - i < STORE_ENTRIES ? count - i : STORE_ENTRIES;

		r = spool_read(store->spool, i, n, store->buf);
		for (uint32_t at = 0; r == 0 && at < n; at++)
			r = store_seek_chunk(seek, store->buf + (size_t)at * IMAGE_ENTRY, i + at,
					     count);
		i += n;
	}
	return r;
}

/*
 * The seek table repeats the order in which everything was written: the data frames, each with the
 * PAD of its slot, HEAD behind the first, a CHECKPOINT behind every gap and at the end, and the
 * three frames of the trailer.
 */
static int store_seek_table(struct store *store, const struct store_trailer *trailer,
			    store_emit *emit, struct digest_state *sum)
{
	struct store_seek seek = {.store = store, .emit = emit, .sum = sum};
	uint64_t count = spool_count(store->spool);
	uint8_t header[IMAGE_SEEK_HEADER], footer[IMAGE_SEEK_FOOTER];

	image_seek_header_put(trailer->frames, header);
	int r = emit(store, sum, header, sizeof(header));
	if (r == 0)
		r = store_seek_chunks(&seek);
	if (r == 0)
		r = store_seek_entry(&seek, IMAGE_TABLE_HEADER + count * IMAGE_ENTRY, 0);
	if (r == 0)
		r = store_seek_entry(&seek, IMAGE_MANIFEST_HEADER + trailer->json_len, 0);
	if (r == 0)
		r = store_seek_entry(&seek, IMAGE_SUM_FRAME, 0);
	if (r == 0)
		r = store_seek_flush(&seek);
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
		r = store_sync_wait(store);
	if (r == 0)
		*ret_root = end.root;
	return r;
}
