// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/load_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "codec/pack.h"
#include "io/out.h"
#include "io/stop.h"

void load_reader_init(struct load_reader *reader, int fd)
{
	*reader = (struct load_reader){.fd = fd};
}

void load_reader_init_at(struct load_reader *reader, int fd, uint64_t offset)
{
	*reader = (struct load_reader){.fd = fd, .file = true, .offset = offset};
}

void load_reader_clear(struct load_reader *reader)
{
	free(reader->buf);
	reader->buf = NULL;
}

/* Moves what is there to the front, and grows by halves: a small image takes little memory. */
static int load_reader_make_room(struct load_reader *reader, size_t len)
{
	size_t capacity = reader->capacity;

	if (len > LOAD_READER_MOST)
		return -EMSGSIZE;
	if (reader->start)
		memmove(reader->buf, reader->buf + reader->start, reader->end - reader->start);
	reader->end -= reader->start;
	reader->start = 0;
	if (len <= capacity)
		return 0;
	capacity = len + len / 2 < LOAD_READER_LEAST ? LOAD_READER_LEAST : len + len / 2;
	uint8_t *buf = realloc(reader->buf, capacity);

	if (!buf)
		return -ENOMEM;
	reader->buf = buf;
	reader->capacity = capacity;
	return 0;
}

int load_reader_peek(struct load_reader *reader, size_t len, const uint8_t **ret)
{
	if (len > reader->capacity - reader->start) {
		int r = load_reader_make_room(reader, len);

		if (r < 0)
			return r;
	}
	while (reader->end - reader->start < len) {
		uint8_t *free_from = reader->buf + reader->end;
		size_t room = reader->capacity - reader->end;
		uint64_t place = reader->offset + (reader->end - reader->start);
		int64_t began = stop_now();
		ssize_t n = reader->file ? out_read_at(reader->fd, free_from, room, place)
					 : out_read(reader->fd, free_from, room);

		reader->time += stop_now() - began;
		if (n < 0)
			return n;
		if (n == 0)
			return -ENODATA;
		reader->end += n;
	}
	*ret = reader->buf + reader->start;
	return 0;
}

void load_reader_take(struct load_reader *reader, size_t len)
{
	reader->start += len;
	reader->offset += len;
}

long load_reader_some(struct load_reader *reader, size_t most, const uint8_t **ret)
{
	int r = load_reader_peek(reader, 1, ret);

	if (r < 0)
		return r;
	size_t there = reader->end - reader->start;
	return there < most ? there : most;
}

int load_reader_frame(struct load_reader *reader, const uint8_t **ret, size_t *ret_len)
{
	const uint8_t *at;
	int r = load_reader_peek(reader, ZSTD_FRAMEHEADERSIZE_MIN(ZSTD_f_zstd1), &at);

	if (r < 0)
		return r;
	size_t len = ZSTD_frameHeaderSize(at, reader->end - reader->start);
	if (ZSTD_isError(len))
		return -EBADMSG;
	bool checksum = at[4] & 4, last = false;

	while (!last) {
		r = load_reader_peek(reader, len + 3, &at);
		if (r < 0)
			return r;
		uint32_t block = at[len] | at[len + 1] << 8 | (uint32_t)at[len + 2] << 16;
		unsigned int type = block >> 1 & 3;

		last = block & 1;
		if (type == 3)
			return -EBADMSG;
		len += 3 + (type == 1 ? 1 : block >> 3); /* type 1: one byte, repeated */
		if (len + 4 > PACK_FRAME_MOST)
			return -EBADMSG;
	}
	len += checksum ? 4 : 0;
	r = load_reader_peek(reader, len, ret);
	if (r == 0)
		*ret_len = len;
	return r;
}
