// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/link_internal.h"

#define LINK_READ_MOST (256u << 10) /* bytes a read: what is hashed before it leaves the cache */

void link_reader_setup(struct link_reader *reader)
{
	memset(reader, 0, sizeof(*reader));
	reader->hunting = true;
}

void link_reader_clear(struct link_reader *reader)
{
	free(reader->record);
	reader->record = NULL;
}

static size_t link_reader_held(const struct link_reader *reader)
{
	return reader->end - reader->start;
}

bool link_reader_begins(const struct link_reader *reader)
{
	size_t held = link_reader_held(reader);

	return reader->record ||
	       (!reader->skipped && wire_header_find(reader->buffer + reader->start, held) == 0);
}

/* Reads what there is behind what is held. Returns 1, 0 or -errno as link_reader_step does. */
static int link_reader_fill(struct link_reader *reader, struct stream *stream)
{
	size_t held = link_reader_held(reader);
	ssize_t n;

	memmove(reader->buffer, reader->buffer + reader->start, held);
	reader->start = 0;
	reader->end = held;
	n = stream_read(stream, reader->buffer + held, sizeof(reader->buffer) - held);
	if (n <= 0)
		return n == -EAGAIN ? 0 : n ? n : -EPIPE;
	reader->end += n;
	reader->bytes += n;
	return 1;
}

/* Drops what cannot begin a header. The first byte goes in any case: it was tried. */
static void link_reader_skip(struct link_reader *reader)
{
	const uint8_t *at = reader->buffer + reader->start;
	size_t n = 1 + wire_header_find(at + 1, link_reader_held(reader) - 1);

	reader->start += n;
	reader->skipped += n;
}

/* Takes a header. Returns 1 with a record begun, or as link_reader_step does. */
static int link_reader_header(struct link_reader *reader, struct stream *stream,
			      const char **ret_why)
{
	struct wire_header header;
	int err;

	for (;;) {
		while (link_reader_held(reader) < WIRE_HEADER) {
			err = link_reader_fill(reader, stream);
			if (err <= 0)
				return err;
		}
		if (wire_header_get(reader->buffer + reader->start, &header) == 0)
			break;
		if (!reader->hunting) {
			*ret_why = "a header is damaged";
			return -EBADMSG;
		}
		link_reader_skip(reader);
	}
	reader->record = link_record_new(header.type, header.length);
	if (!reader->record)
		return -ENOMEM;
	reader->record->flags = header.flags;
	reader->start += WIRE_HEADER;
	reader->header = header;
	reader->filled = 0;
	wire_hash_start(&reader->hash);
	reader->began = stop_now();
	return 1;
}

/* Takes the payload, straight into the record where much is missing. */
static int link_reader_payload(struct link_reader *reader, struct stream *stream)
{
	struct link_record *record = reader->record;

	while (reader->filled < record->length) {
		uint8_t *to = record->payload + reader->filled;
		size_t missing = record->length - reader->filled;
		size_t held = link_reader_held(reader);
		ssize_t n;

		if (held) {
			n = held < missing ? held : missing;
			memcpy(to, reader->buffer + reader->start, n);
			reader->start += n;
		} else if (missing < sizeof(reader->buffer)) {
			n = link_reader_fill(reader, stream);
			if (n <= 0)
				return n;
			continue;
		} else {
			n = stream_read(stream, to,
					missing < LINK_READ_MOST ? missing : LINK_READ_MOST);
			if (n <= 0)
				return n == -EAGAIN ? 0 : n ? n : -EPIPE;
			reader->bytes += n;
		}
		wire_hash_add(&reader->hash, to, n);
		reader->filled += n;
	}
	return 1;
}

/* Whether the record that came is whole and the next one. */
static int link_reader_check(struct link_reader *reader, const char **ret_why)
{
	const struct wire_header *header = &reader->header;

	if (wire_hash_read(&reader->hash) != header->payload_hash) {
		*ret_why = "a payload is damaged";
		return -EBADMSG;
	}
	if (reader->hunting)
		return 1;
	if (header->version != WIRE_VERSION) {
		*ret_why = "a header has another version than HELLO said";
		return -EBADMSG;
	}
	if (header->sequence != reader->sequence) {
		if (header->type == WIRE_TYPE_HELLO && header->sequence == 0)
			return -ESTALE;
		*ret_why = "a record is missing";
		return -EBADMSG;
	}
	return 1;
}

int link_reader_step(struct link_reader *reader, struct stream *stream, struct link_record **ret,
		     const char **ret_why)
{
	int err = 1;

	reader->more = false;
	for (;;) {
		if (!reader->record)
			err = link_reader_header(reader, stream, ret_why);
		if (err > 0)
			err = link_reader_payload(reader, stream);
		if (err <= 0)
			return err;
		err = link_reader_check(reader, ret_why);
		if (err > 0)
			break;
		link_reader_clear(reader);
		if (!reader->hunting)
			return err;
		err = 1;
	}
	reader->sequence = reader->header.sequence + 1;
	reader->more = link_reader_held(reader) > 0;
	*ret = reader->record;
	reader->record = NULL;
	return 1;
}
