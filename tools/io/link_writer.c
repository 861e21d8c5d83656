// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "io/link_internal.h"

_Static_assert(offsetof(struct link_record, payload) ==
		       offsetof(struct link_record, header) + WIRE_HEADER,
	       "a record goes out in one piece");

#define LINK_WRITE_MOST (256u << 10) /* bytes a write: what fits into a stream's default ring */

struct link_record *link_record_new(uint8_t type, size_t length)
{
	struct link_record *record;

	if (length > WIRE_PAYLOAD_MOST)
		return NULL;
	record = malloc(sizeof(*record) + length);
	if (!record)
		return NULL;
	record->type = type;
	record->flags = 0;
	record->length = length;
	record->hash = 0;
	return record;
}

/* Completes a record of the link's own, or frees it when its payload could not be written. */
static struct link_record *link_record_finish(struct link_record *record, int length)
{
	if (length < 0) {
		free(record);
		return NULL;
	}
	record->length = length;
	record->hash = wire_payload_hash(record->payload, record->length);
	return record;
}

struct link_record *link_record_acks(uint8_t type, uint64_t chunks)
{
	struct link_record *record = link_record_new(type, 64);
	struct wire_ack ack = {.chunks = chunks};

	if (!record)
		return NULL;
	return link_record_finish(record, wire_ack_put(&ack, record->payload, record->length));
}

struct link_record *link_record_abort(const char *sentence)
{
	struct link_record *record = link_record_new(WIRE_TYPE_ABORT, WIRE_SENTENCE_MOST + 64);

	if (!record)
		return NULL;
	return link_record_finish(record,
				  wire_abort_put(sentence, record->payload, record->length));
}

struct link_record *link_record_hello(const struct wire_hello *hello)
{
	struct link_record *record = link_record_new(WIRE_TYPE_HELLO, WIRE_HELLO);

	if (!record)
		return NULL;
	return link_record_finish(record, wire_hello_put(hello, record->payload, record->length));
}

void link_writer_clear(struct link_writer *writer)
{
	free(writer->record);
	*writer = (struct link_writer){0};
}

void link_writer_put(struct link_writer *writer, struct link_record *record)
{
	struct wire_header header = {
		.version = WIRE_VERSION,
		.type = record->type,
		.flags = record->flags,
		.sequence = writer->sequence++,
		.length = record->length,
		.payload_hash = record->hash,
	};

	wire_header_put(&header, record->header);
	writer->record = record;
	writer->done = 0;
}

int link_writer_step(struct link_writer *writer, struct stream *stream)
{
	struct link_record *record = writer->record;
	const uint8_t *bytes = (const uint8_t *)record + offsetof(struct link_record, header);
	size_t size = WIRE_HEADER + (size_t)record->length;

	while (writer->done < size) {
		size_t left = size - writer->done;
		ssize_t n;

		n = stream_write(stream, bytes + writer->done,
				 left < LINK_WRITE_MOST ? left : LINK_WRITE_MOST);
		if (n < 0)
			return n == -EAGAIN ? 0 : n;
		writer->done += n;
	}
	free(record);
	writer->record = NULL;
	return 1;
}
