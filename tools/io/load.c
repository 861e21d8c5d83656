// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/pack.h"
#include "io/disk.h"
#include "io/load_head.h"
#include "io/load_internal.h"
#include "io/view.h"

int load_fail(struct load *load, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(load->why, sizeof(load->why), format, args);
	va_end(args);
	return error;
}

void load_count_frame(struct load *load, uint32_t stored, uint32_t content)
{
	uint8_t entry[IMAGE_SEEK_ENTRY];

	image_seek_entry_put(stored, content, entry);
	digest_update(&load->seek, entry, sizeof(entry));
	load->frames++;
}

int load_input(struct load *load, int r)
{
	load->cut = r == -ENODATA;
	if (load->cut)
		return load_fail(load, -EBADMSG,
				 "it ends at byte %" PRIu64 " in the midst of chunk %" PRIu64
				 " or of its trailer: it is not complete",
				 load->reader.offset + (load->reader.end - load->reader.start),
				 load->next);
	if (r < 0 && r != -EINTR)
		return load_fail(load, r, "reading it failed: %s", strerror(-r));
	return r;
}

int load_peek(struct load *load, size_t len, const uint8_t **ret)
{
	return load_input(load, load_reader_peek(&load->reader, len, ret));
}

/* The data frame at the reader's place, whole. */
static int load_frame(struct load *load, const uint8_t **ret, size_t *ret_len)
{
	int r = load_reader_frame(&load->reader, ret, ret_len);

	if (r == -EBADMSG)
		return load_fail(load, -EBADMSG,
				 "what is at byte %" PRIu64 " is no zstd frame of a chunk",
				 load->reader.offset);
	return load_input(load, r);
}

/* An end before the first frame and HEAD are whole is damage like any other. */
static int load_open_head(struct load *load)
{
	struct load_head front = {0};
	int r = load_head_read(&load->reader, &front, load->why, sizeof(load->why));

	load->cut = r == -ENODATA;
	if (r < 0)
		return load->cut ? -EBADMSG : r;
	load->identity = front.identity;
	load->head = front.head;
	load->first_len = front.first_len;
	load->head_len = front.head_len;
	load->job.content = aligned_alloc(DISK_ALIGN, load->head.map.chunk_size);
	return load->job.content ? 0 : -ENOMEM;
}

int load_new(int fd, struct load **ret)
{
	struct load *load = aligned_alloc(_Alignof(struct load), sizeof(*load));
	int r;

	if (!load)
		return -ENOMEM;
	memset(load, 0, sizeof(*load));
	digest_start(&load->root);
	digest_start(&load->table);
	digest_start(&load->seek);
	load_reader_init(&load->reader, fd);
	r = pack_new(PACK_LEVEL_DEFAULT, &load->pack);
	if (r < 0) {
		load_free(load);
		return -ENOMEM;
	}
	*ret = load;
	return load_open_head(load);
}

void load_free(struct load *load)
{
	if (!load)
		return;
	load_ahead_free(load);
	json_decref(load->manifest);
	pack_free(load->pack);
	load_reader_clear(&load->reader);
	free(load->pending);
	free(load->identity);
	free(load->job.content);
	free(load);
}

void load_threads(struct load *load, unsigned int threads)
{
	load->threads = threads;
}

int64_t load_time(const struct load *load)
{
	return load->reader.time;
}

const struct image_head *load_head(const struct load *load)
{
	return &load->head;
}

void load_hold_against(struct load *load, const struct view *view)
{
	load->view = view;
	load->head.map = view_head(view)->map;
}

json_t *load_manifest(const struct load *load)
{
	return load->manifest;
}

const char *load_why(const struct load *load)
{
	return load->why;
}

uint64_t load_confirmed(const struct load *load, uint64_t *ret_bytes)
{
	*ret_bytes = load->confirmed;
	return load->pending_first;
}

bool load_cut(const struct load *load)
{
	return load->cut;
}

void load_root(const struct load *load, struct digest *ret)
{
	digest_root(&load->root, load->head.map.size, load->head.map.chunk_size, ret);
}

/* Keeps what was walked until a CHECKPOINT or the table confirms it. */
static int load_remember(struct load *load, const struct image_entry *entry)
{
	if (load->pending_count == IMAGE_CHECKPOINT_MOST)
		return load_fail(load, -EBADMSG, "no CHECKPOINT since chunk %" PRIu64,
				 load->pending_first);
	if (load->pending_count == load->pending_room) {
		uint32_t room = load->pending_room ? 2 * load->pending_room : 64;
		struct image_entry *more = realloc(load->pending, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		load->pending = more;
		load->pending_room = room;
	}
	load->pending[load->pending_count++] = *entry;
	return 0;
}

/* Whether chunk INDEX is what an entry, which was read with R, tells of. */
static int load_hold(struct load *load, uint64_t index, int r, const struct image_entry *told,
		     const struct image_entry *walked)
{
	if (r == 0 && digest_equal(&told->digest, &walked->digest) &&
	    told->stored_hash == walked->stored_hash && told->stored_size == walked->stored_size)
		return 0;
	if (r < 0 && r != -EBADMSG)
		return load_input(load, r);
	return load_fail(load, -EBADMSG,
			 "chunk %" PRIu64 " (device byte %" PRIu64
			 ") is not the one that was written there",
			 index, chunk_offset(&load->head.map, index));
}

static int load_look_up(struct load *load, uint64_t index, struct image_entry *walked)
{
	struct image_entry told;

	if (!load->view)
		return 0;
	int r = load_hold(load, index, view_entry(load->view, index, &told), &told, walked);
	/* A PAD does not go with the chunk. */
	if (r == 0)
		walked->flags |= told.flags & ~(uint32_t)IMAGE_ENTRY_SLOT;
	return r;
}

static int load_damaged(struct load *load, uint64_t index, int error)
{
	return load_fail(load, error, "chunk %" PRIu64 " (device byte %" PRIu64 ") is damaged",
			 index, chunk_offset(&load->head.map, index));
}

int load_job_start(struct load *load, struct load_job *job, const uint8_t *frame, size_t len)
{
	const struct chunk_map *map = &load->head.map;
	uint64_t index = load->read;

	if (!chunk_follows(map, index, load->read_size))
		return load_fail(load, -EBADMSG,
				 chunk_map_open(map) ? "a chunk stands behind its last one"
						     : "it holds more chunks than its HEAD says");
	job->chunk = (struct load_chunk){
		.index = index,
		.frame = frame,
		.content = job->content,
		.entry.stored_size = len,
	};
	int r = pack_chunk_length(map, index, frame, len, &job->chunk.length);
	if (r < 0)
		return load_damaged(load, index, r);
	load->read++;
	load->read_size += job->chunk.length;
	return 0;
}

int load_unpack(struct pack *pack, struct load_job *job)
{
	struct load_chunk *chunk = &job->chunk;
	uint32_t stored = chunk->entry.stored_size;
	int r = pack_check(chunk->frame, stored, chunk->length);

	if (r == 0)
		r = pack_restore(pack, chunk->frame, stored, job->content, chunk->length);
	if (r < 0)
		return r;
	chunk->entry.stored_hash = digest_stored(chunk->frame, stored);
	digest_chunk(job->content, chunk->length, &chunk->entry.digest);
	if (chunk_is_zero(job->content, chunk->length))
		chunk->entry.flags = IMAGE_ENTRY_ZERO;
	return 0;
}

/* The next chunk was unpacked, with R. */
static int load_take(struct load *load, struct load_job *job, int r, struct load_chunk *ret)
{
	struct load_chunk *chunk = &job->chunk;

	if (r < 0)
		return load_damaged(load, chunk->index, r);
	r = load_look_up(load, chunk->index, &chunk->entry);
	if (r == 0)
		r = load_remember(load, &chunk->entry);
	if (r < 0)
		return r;
	digest_update(&load->root, chunk->entry.digest.bytes, DIGEST_SIZE);
	load_count_frame(load, chunk->entry.stored_size, chunk->length);
	load->next++;
	load->walked += chunk->length;
	*ret = *chunk;
	return 1;
}

static int load_data(struct load *load, const uint8_t *frame, size_t len, struct load_chunk *ret)
{
	int r = load_job_start(load, &load->job, frame, len);

	return r < 0 ? r : load_take(load, &load->job, load_unpack(load->pack, &load->job), ret);
}

int load_confirm(struct load *load, const uint8_t raw[IMAGE_ENTRY], uint32_t at)
{
	struct image_entry told;

	return load_hold(load, load->pending_first + at, image_entry_get(raw, &told), &told,
			 &load->pending[at]);
}

static int load_checkpoint(struct load *load, uint32_t size)
{
	size_t len = IMAGE_FRAME_HEADER + (size_t)size;
	const uint8_t *at, *entries;
	uint64_t first;
	uint32_t count;
	int r;

	if (len > LOAD_READER_MOST)
		return load_fail(load, -EBADMSG, "a CHECKPOINT is too long");
	r = load_peek(load, len, &at);
	if (r < 0)
		return r;
	if (image_checkpoint_get(at, len, &first, &count, &entries) < 0 ||
	    first != load->pending_first || count != load->pending_count)
		return load_fail(load, -EBADMSG, "the CHECKPOINT at byte %" PRIu64 " is damaged",
				 load->reader.offset);
	for (uint32_t i = 0; i < count; i++) {
		r = load_confirm(load, entries + (size_t)i * IMAGE_ENTRY, i);
		if (r < 0)
			return r;
	}
	digest_update(&load->table, entries, (size_t)count * IMAGE_ENTRY);
	load->pending_first += count;
	load->pending_count = 0;
	load->confirmed = load->walked;
	load_count_frame(load, len, 0);
	load_reader_take(&load->reader, len);
	return 0;
}

/* A PAD is zeros behind its tag: what else stood there would be seen by no checksum. */
static int load_pad(struct load *load, uint32_t size)
{
	uint64_t left = IMAGE_FRAME_HEADER + (uint64_t)size;
	const uint8_t *at;

	if (left > PACK_FRAME_MOST)
		return load_fail(load, -EBADMSG, "a PAD is too long");
	load_count_frame(load, left, 0);
	load_reader_take(&load->reader, IMAGE_FRAME_HEADER + IMAGE_TAG);
	left -= IMAGE_FRAME_HEADER + IMAGE_TAG;
	while (left) {
		long n = load_reader_some(&load->reader, left, &at);

		if (n < 0)
			return load_input(load, n);
		if (!chunk_is_zero(at, n))
			return load_fail(load, -EBADMSG, "the PAD at byte %" PRIu64 " is damaged",
					 load->reader.offset);
		load_reader_take(&load->reader, n);
		left -= n;
	}
	return 0;
}

static int load_first(struct load *load, struct load_chunk *ret)
{
	const uint8_t *at;
	int r = load_peek(load, load->first_len + load->head_len, &at);

	if (r == 0)
		r = load_data(load, at, load->first_len, ret);
	if (r == 1) {
		load_count_frame(load, load->head_len, 0);
		load->release = load->first_len + load->head_len;
	}
	return r;
}

int load_next(struct load *load, struct load_chunk *ret)
{
	struct image_frame frame;
	const uint8_t *at;
	size_t len;

	load_reader_take(&load->reader, load->release);
	load->release = 0;
	if (load->next == 0)
		return load_first(load, ret);
	for (;;) {
		struct load_job *job = load_ahead_next(load);

		if (job)
			return load_take(load, job, job->r, ret);
		int r = load_peek(load, IMAGE_FRAME_HEADER + IMAGE_TAG, &at);

		if (r < 0)
			return r;
		r = image_frame_get(at, IMAGE_FRAME_HEADER + IMAGE_TAG, &frame);
		if (r == -ENOMSG) {
			r = load_frame(load, &at, &len);
			if (r == 0)
				r = load_data(load, at, len, ret);
			if (r == 1)
				load->release = len;
			return r;
		}
		if (r == 0 && frame.magic == IMAGE_MAGIC && frame.kind == IMAGE_CHECKPOINT)
			r = load_checkpoint(load, frame.size);
		else if (r == 0 && frame.magic == IMAGE_MAGIC && frame.kind == IMAGE_PAD)
			r = load_pad(load, frame.size);
		else if (r == 0 && frame.magic == IMAGE_MAGIC && frame.kind == IMAGE_TABLE)
			return load_trailer(load);
		else
			r = load_fail(load, -EBADMSG,
				      "what is at byte %" PRIu64 " belongs to no image",
				      load->reader.offset);
		if (r < 0)
			return r;
	}
}
