// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The trailer of a view, streamed once: TABLE and the seek table can have hundreds of megabytes.
 * TABLE and the seek table say the same of every data frame's length, which is held against each
 * other as a digest of all of them. Where HEAD leaves the size open the seek table alone knows how
 * long the last chunk is, so what depends on that waits for it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "codec/manifest.h"
#include "io/view_internal.h"

/* One pass over the trailer. */
struct view_pass {
	struct view *view;
	struct load_reader reader;
	struct digest_state sum, root;
	struct digest_state table, seek; /* lengths of the data frames, as each of the two says */
	uint32_t last;			 /* the last data frame's length, as TABLE says */
	uint64_t frame, chunk, offset;	 /* of the next entry of the seek table */
	uint32_t content;		 /* of the last data frame, as the seek table says */
};

static int view_pass_table(struct view_pass *pass)
{
	const struct chunk_map *map = &pass->view->front.head.map;
	uint8_t digests[VIEW_BATCH * DIGEST_SIZE], lengths[VIEW_BATCH * IMAGE_SEEK_ENTRY];
	uint64_t entries, chunk = 0;
	struct image_entry entry = {0};
	const uint8_t *at;
	int r = load_reader_peek(&pass->reader, IMAGE_TABLE_HEADER, &at);

	if (r == 0)
		r = image_table_header_get(at, &entries);
	if (r == 0 && entries != pass->view->trailer.sum.entries)
		r = -EBADMSG;
	if (r < 0)
		return r;
	trailer_take(&pass->reader, &pass->sum, at, IMAGE_TABLE_HEADER);
	while (chunk < entries) {
		uint32_t count = entries - chunk < VIEW_BATCH ? entries - chunk : VIEW_BATCH;

		r = load_reader_peek(&pass->reader, count * IMAGE_ENTRY, &at);
		for (uint32_t i = 0; r == 0 && i < count; i++, chunk++) {
			r = image_entry_get(at + (size_t)i * IMAGE_ENTRY, &entry);
			if (r < 0)
				break;
			memcpy(digests + i * DIGEST_SIZE, entry.digest.bytes, DIGEST_SIZE);
			image_seek_entry_put(entry.stored_size, chunk_length(map, chunk),
					     lengths + i * IMAGE_SEEK_ENTRY);
		}
		if (r < 0)
			return r;
		digest_update(&pass->root, digests, count * DIGEST_SIZE);
		digest_update(&pass->table, lengths,
			      (count - (chunk == entries)) * IMAGE_SEEK_ENTRY);
		trailer_take(&pass->reader, &pass->sum, at, count * IMAGE_ENTRY);
	}
	pass->last = entry.stored_size;
	return 0;
}

/*
 * Both tables are read: the size is known, and with it the last chunk's length. From a content that
 * no chunk can have follows another length, so that the tables differ.
 */
static void view_pass_last(struct view_pass *pass)
{
	struct chunk_map *map = &pass->view->front.head.map;
	uint64_t last = pass->view->trailer.sum.entries - 1;
	uint8_t length[IMAGE_SEEK_ENTRY];

	if (chunk_map_open(map))
		map->size = chunk_offset(map, last) + pass->content;
	image_seek_entry_put(pass->last, chunk_length(map, last), length);
	digest_update(&pass->table, length, sizeof(length));
	digest_root(&pass->root, map->size, map->chunk_size, &pass->view->root);
}

/* Whether a frame without content can be STORED bytes long where it stands. */
static bool view_pass_length(const struct view_pass *pass, uint32_t stored)
{
	const struct trailer *trailer = &pass->view->trailer;

	switch (trailer->frames - pass->frame) {
	case 3: return stored == IMAGE_TABLE_HEADER + trailer->sum.entries * IMAGE_ENTRY;
	case 2: return stored == IMAGE_MANIFEST_HEADER + trailer->json_len;
	case 1: return stored == IMAGE_SUM_FRAME;
	}
	if (pass->frame == 1)
		return stored == pass->view->front.head_len;
	return stored >= IMAGE_FRAME_HEADER + IMAGE_TAG && stored <= PACK_FRAME_MOST;
}

/* The next entry of the seek table, at RAW. */
static int view_pass_frame(struct view_pass *pass, const uint8_t raw[IMAGE_SEEK_ENTRY])
{
	struct view *view = pass->view;
	uint32_t stored, content;

	image_seek_entry_get(raw, &stored, &content);
	if (pass->frame % VIEW_PIECE == 0)
		view->marks[pass->frame / VIEW_PIECE] =
			(struct view_mark){.offset = pass->offset, .chunk = pass->chunk};
	if (view->trailer.frames - pass->frame == 3 && pass->offset != view->trailer.table)
		return -EBADMSG;
	if (pass->frame == 0 && stored != view->front.first_len)
		return -EBADMSG;
	if (content || pass->frame == 0) {
		if (pass->frame == 1 || view->trailer.frames - pass->frame <= 3)
			return -EBADMSG;
		digest_update(&pass->seek, raw, IMAGE_SEEK_ENTRY);
		pass->content = content;
		pass->chunk++;
	} else if (!view_pass_length(pass, stored)) {
		return -EBADMSG;
	}
	pass->frame++;
	pass->offset += stored;
	return 0;
}

static int view_pass_seek(struct view_pass *pass)
{
	const struct trailer *trailer = &pass->view->trailer;
	uint8_t header[IMAGE_SEEK_HEADER];
	struct digest table, seek;
	const uint8_t *at;
	int r = load_reader_peek(&pass->reader, IMAGE_SEEK_HEADER, &at);

	/* The footer's number was used up to here. */
	image_seek_header_put(trailer->frames, header);
	if (r == 0 && memcmp(at, header, sizeof(header)))
		r = -EBADMSG;
	if (r < 0)
		return r;
	trailer_take(&pass->reader, &pass->sum, at, sizeof(header));
	while (pass->frame < trailer->frames) {
		uint64_t left = trailer->frames - pass->frame;
		uint32_t count = left < VIEW_BATCH ? left : VIEW_BATCH;

		r = load_reader_peek(&pass->reader, count * IMAGE_SEEK_ENTRY, &at);
		for (uint32_t i = 0; r == 0 && i < count; i++)
			r = view_pass_frame(pass, at + (size_t)i * IMAGE_SEEK_ENTRY);
		if (r < 0)
			return r;
		trailer_take(&pass->reader, &pass->sum, at, count * IMAGE_SEEK_ENTRY);
	}
	view_pass_last(pass);
	digest_read(&pass->table, &table);
	digest_read(&pass->seek, &seek);
	if (!digest_equal(&table, &seek) || pass->offset != trailer->seek)
		return -EBADMSG;
	r = load_reader_peek(&pass->reader, IMAGE_SEEK_FOOTER, &at);
	if (r == 0)
		trailer_take(&pass->reader, &pass->sum, at, IMAGE_SEEK_FOOTER);
	return r;
}

static int view_pass_manifest(struct view_pass *pass)
{
	struct view *view = pass->view;
	uint32_t len;
	int r = trailer_manifest(&pass->reader, &pass->sum, &view->manifest, &len);

	if (r == 0 && len != view->trailer.json_len)
		r = -EBADMSG;
	return r == -EBADMSG ? view_fail(view, r, "its manifest is damaged") : r;
}

/* The trailer is whole: does it belong to itself? */
static int view_pass_check(const struct view_pass *pass)
{
	struct view *view = pass->view;
	struct manifest_end end = {
		.head = &view->front.head,
		.size = view->front.head.map.size,
		.chunks = view->trailer.sum.entries,
		.frames = view->trailer.frames,
		.root = view->root,
	};
	struct digest digest;

	digest_read(&pass->sum, &digest);
	if (!digest_equal(&digest, &view->trailer.sum.digest))
		return -EBADMSG;
	int r = manifest_check(view->manifest, &end);
	if (r == -EBADMSG)
		return view_fail(view, r, "its manifest is not that of its data");
	return r;
}

static int view_pass(struct view_pass *pass)
{
	struct image_sum sum;
	int r = view_pass_table(pass);

	if (r == -EBADMSG)
		return view_fail(pass->view, r, "its digest table is damaged, at byte %" PRIu64,
				 pass->reader.offset);
	if (r == 0)
		r = view_pass_manifest(pass);
	if (r == 0)
		r = trailer_sum(&pass->reader, &pass->sum, &sum);
	if (r < 0)
		return r;
	r = view_pass_seek(pass);
	if (r == -EBADMSG)
		return view_fail(pass->view, r, "its seek table is damaged, at byte %" PRIu64,
				 pass->reader.offset);
	return r < 0 ? r : view_pass_check(pass);
}

int view_read_trailer(struct view *view)
{
	uint64_t pieces = (view->trailer.frames - 1) / VIEW_PIECE + 1;
	struct view_pass *pass = calloc(1, sizeof(*pass));
	int r = -ENOMEM;

	view->marks = calloc(pieces, sizeof(*view->marks));
	if (pass && view->marks) {
		pass->view = view;
		digest_start(&pass->sum);
		digest_start(&pass->root);
		digest_start(&pass->table);
		digest_start(&pass->seek);
		load_reader_init_at(&pass->reader, view->fd, view->trailer.table);
		r = view_pass(pass);
		load_reader_clear(&pass->reader);
	}
	free(pass);
	/* Its size was asked for: an end before it is a change. */
	if (r == -ENODATA)
		r = view_fail(view, -EBADMSG, "it became shorter while it was read");
	if (r == -EBADMSG && !view->why[0])
		view_fail(view, r, "its trailer (bytes %" PRIu64 " to %" PRIu64 ") is damaged",
			  view->trailer.table, view->size - 1);
	return r;
}
