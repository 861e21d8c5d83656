// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "codec/bytes.h"
#include "codec/wire.h"

#define WIRE_MAGIC_SIZE (sizeof(WIRE_MAGIC) - 1)
#define WIRE_EARLY	4		  /* header bytes for a later version: zeros here, unread */
#define WIRE_RESERVED	12		  /* the same, further on */
#define WIRE_CRC	(WIRE_HEADER - 4) /* offset of the CRC, which covers all before it */

_Static_assert(WIRE_MAGIC_SIZE + 1 + 1 + 2 + WIRE_EARLY + 4 + 8 + 8 + WIRE_RESERVED == WIRE_CRC,
	       "the fields fill the header");

void wire_header_put(const struct wire_header *header, uint8_t buf[WIRE_HEADER])
{
	uint8_t *p = bytes_put_all(buf, WIRE_MAGIC, WIRE_MAGIC_SIZE);

	*p++ = header->version;
	*p++ = header->type;
	p = bytes_put16(p, header->flags);
	memset(p, 0, WIRE_EARLY);
	p += WIRE_EARLY;
	p = bytes_put32(p, header->length);
	p = bytes_put64(p, header->sequence);
	p = bytes_put64(p, header->payload_hash);
	memset(p, 0, WIRE_RESERVED);
	bytes_put32(buf + WIRE_CRC, wire_crc32c(buf, WIRE_CRC));
}

int wire_header_get(const uint8_t buf[WIRE_HEADER], struct wire_header *ret)
{
	struct wire_header header;

	if (memcmp(buf, WIRE_MAGIC, WIRE_MAGIC_SIZE) != 0)
		return -EBADMSG;
	if (bytes_get32(buf + WIRE_CRC) != wire_crc32c(buf, WIRE_CRC))
		return -EBADMSG;
	header.version = buf[4];
	header.type = buf[5];
	header.flags = bytes_get16(buf + 6);
	header.length = bytes_get32(buf + 12);
	header.sequence = bytes_get64(buf + 16);
	header.payload_hash = bytes_get64(buf + 24);
	if (header.length > WIRE_PAYLOAD_MOST)
		return -EBADMSG;
	*ret = header;
	return 0;
}

size_t wire_header_find(const void *buf, size_t len)
{
	const uint8_t *p = buf;

	for (size_t at = 0; at < len; at++) {
		const uint8_t *hit = memchr(p + at, WIRE_MAGIC[0], len - at);
		size_t rest;

		if (!hit)
			return len;
		at = (size_t)(hit - p);
		rest = len - at < WIRE_MAGIC_SIZE ? len - at : WIRE_MAGIC_SIZE;
		if (memcmp(hit, WIRE_MAGIC, rest) == 0)
			return at;
	}
	return len;
}

uint64_t wire_payload_hash(const void *payload, size_t len)
{
	return XXH64(payload, len, 0);
}

void wire_hash_start(struct wire_hash *hash)
{
	XXH64_reset(&hash->xxh, 0);
}

void wire_hash_add(struct wire_hash *hash, const void *bytes, size_t len)
{
	XXH64_update(&hash->xxh, bytes, len);
}

uint64_t wire_hash_read(const struct wire_hash *hash)
{
	return XXH64_digest(&hash->xxh);
}

/* A table of 16 goes four bits at a time: a header is all that is ever run through it. */
uint32_t wire_crc32c(const void *data, size_t len)
{
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	const uint8_t *p = data;
	uint32_t crc = ~0u;

	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

const char *wire_type_name(uint8_t type)
{
	static const char *const names[] = {
		[WIRE_TYPE_HELLO] = "HELLO",
		[WIRE_TYPE_OFFER] = "OFFER",
		[WIRE_TYPE_ACCEPT] = "ACCEPT",
		[WIRE_TYPE_DATA] = "DATA",
		[WIRE_TYPE_ZERO] = "ZERO",
		[WIRE_TYPE_ACK] = "ACK",
		[WIRE_TYPE_END] = "END",
		[WIRE_TYPE_RESULT] = "RESULT",
		[WIRE_TYPE_BYE] = "BYE",
		[WIRE_TYPE_ABORT] = "ABORT",
		[WIRE_TYPE_KEEPALIVE] = "KEEPALIVE",
		[WIRE_TYPE_UNREADABLE] = "UNREADABLE",
		[WIRE_TYPE_SHELL] = "SHELL",
		[WIRE_TYPE_WINDOW] = "WINDOW",
		[WIRE_TYPE_BYTES] = "BYTES",
		[WIRE_TYPE_TAKEN] = "TAKEN",
		[WIRE_TYPE_EXIT] = "EXIT",
	};

	if (type == WIRE_TYPE_TIME)
		return "TIME";
	if (type >= sizeof(names) / sizeof(names[0]) || !names[type])
		return "unknown";
	return names[type];
}
