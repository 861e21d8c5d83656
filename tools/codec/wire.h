/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records that two programs exchange: docs/wire-protocol.md describes them byte by byte.
 *
 *   sender                                   receiver
 *   HELLO  ------------------------------->  <----------------------------------  HELLO
 *   OFFER  ------------------------------->
 *          <------------------------------------------------- ACCEPT ... (or a refusal)
 *   DATA, ZERO ... ----------------------->  <--------------------------------  ACK ...
 *   (DATA again, UNREADABLE) ------------->
 *   END    ------------------------------->
 *          <------------------------------------------------------------------- RESULT
 *   BYE    ------------------------------->
 *
 * KEEPALIVE and ABORT may come from either side at any time. Everything is little-endian but
 * digests and UUIDs. The header and HELLO are frozen for all versions. Encoding and decoding are
 * pure: no I/O, no memory of their own. What a *_get returns points into the payload that it was
 * given.
 */
#ifndef CODEC_WIRE_H
#define CODEC_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/chunk.h"
#include "codec/digest.h"
#include "codec/image.h"
#include "codec/pack.h"

#define WIRE_VERSION	   1
#define WIRE_MAGIC	   "TBS1"
#define WIRE_HEADER	   48
#define WIRE_HELLO	   256 /* HELLO's payload: one USB4STREAM frame holds the whole record */
#define WIRE_DATA	   40  /* what precedes the frame in DATA */
#define WIRE_SENTENCE_MOST 512 /* bytes of a sentence for people */
#define WIRE_PAYLOAD_MOST  (WIRE_DATA + PACK_FRAME_MOST)
#define WIRE_MANIFEST_MOST (1u << 20) /* bytes of JSON in OFFER */
#define WIRE_HAVE_MOST	   65536u     /* digests in ACCEPT */
#define WIRE_RANGES_MOST   65536u     /* ranges in UNREADABLE */
/* The flags of a chunk that ACCEPT tells of. */
#define WIRE_HAVE_FLAGS	 (IMAGE_ENTRY_UNALLOCATED | IMAGE_ENTRY_UNREADABLE | IMAGE_ENTRY_SLOT)
#define WIRE_STREAM_MOST 8 /* characters of a stream's name */

/* 7 and 8 are not used in version 1. Bit 7 marks a type as optional: a reader that does not know it
 * skips it. */
enum wire_type {
	WIRE_TYPE_HELLO = 1,
	WIRE_TYPE_OFFER = 2,
	WIRE_TYPE_ACCEPT = 3,
	WIRE_TYPE_DATA = 4,
	WIRE_TYPE_ZERO = 5,
	WIRE_TYPE_ACK = 6,
	WIRE_TYPE_END = 9,
	WIRE_TYPE_RESULT = 10,
	WIRE_TYPE_BYE = 11,
	WIRE_TYPE_ABORT = 12,
	WIRE_TYPE_KEEPALIVE = 13,
	WIRE_TYPE_UNREADABLE = 14,
	/* Of a shell: wire_shell.h. */
	WIRE_TYPE_SHELL = 15,
	WIRE_TYPE_WINDOW = 16,
	WIRE_TYPE_BYTES = 17,
	WIRE_TYPE_TAKEN = 18,
	WIRE_TYPE_EXIT = 19,
	/* Who does not know it skips it. */
	WIRE_TYPE_TIME = 0x80 | 20,
};
#define WIRE_TYPE_OPTIONAL 0x80

struct wire_header {
	uint8_t version;
	uint8_t type; /* wire_type, or an unknown one */
	uint16_t flags;
	uint64_t sequence; /* counts the records of one direction from 0, HELLO being the first */
	uint32_t length;   /* of the payload, bytes */
	uint64_t payload_hash; /* XXH64, seed 0, of the payload */
};

/* Writes HEADER and its CRC32C to BUF; payload_hash is the caller's, see wire_payload_hash. */
void wire_header_put(const struct wire_header *header, uint8_t buf[WIRE_HEADER]);
/* Returns 0, or -EBADMSG: no magic, wrong CRC, or a length above WIRE_PAYLOAD_MOST. */
int wire_header_get(const uint8_t buf[WIRE_HEADER], struct wire_header *ret);
/*
 * The offset in BUF of the first byte at which a header may begin (LEN when there is none; a magic
 * cut by the end counts), for whoever is out of step.
 */
size_t wire_header_find(const void *buf, size_t len);
uint64_t wire_payload_hash(const void *payload, size_t len);
/* The same of a payload that comes in pieces, each of which is looked at while it is still near. */
struct wire_hash {
	XXH64_state_t xxh;
};
void wire_hash_start(struct wire_hash *hash);
void wire_hash_add(struct wire_hash *hash, const void *bytes, size_t len);
uint64_t wire_hash_read(const struct wire_hash *hash);
/* CRC32C (Castagnoli), initial value and final xor ~0. */
uint32_t wire_crc32c(const void *data, size_t len);
/* The type's name for messages, "unknown" for others. Never NULL. */
const char *wire_type_name(uint8_t type);

/* HELLO: several disks in one transfer, OFFER behind RESULT, are understood. */
#define WIRE_CAPABILITY_SET 1u

/* Each talks with one other: sender and receiver, who attaches to a shell and who serves it. */
enum wire_role { WIRE_SENDER = 1, WIRE_RECEIVER = 2, WIRE_ATTACHER = 3, WIRE_SERVER = 4 };

struct wire_hello {
	uint8_t role; /* wire_role */
	uint8_t version_least, version_most;
	uint32_t capabilities;		   /* WIRE_CAPABILITY_*; others are not looked at */
	uint8_t transfer_id[16];	   /* zeros: none yet */
	char stream[WIRE_STREAM_MOST + 1]; /* of [A-Za-z0-9._-]; "" where no name was used */
	char host[65];
	char program[33]; /* name and version */
};

/*
 * The *_put functions write a payload to BUF of CAPACITY bytes and return its length, or -ENOBUFS,
 * or -EINVAL when a field is out of bounds. The *_get functions return 0, or -EBADMSG for a payload
 * that is malformed in any way; strings come back NUL-terminated, as UTF-8 free of control
 * characters. So that whatever went wrong can be told, a put writes '?' for what such a string may
 * not hold, and cuts it where it is too long; a stream's name it refuses.
 */
int wire_hello_put(const struct wire_hello *hello, void *buf, size_t capacity);
int wire_hello_get(const void *payload, size_t len, struct wire_hello *ret);

/* OFFER: a HEAD frame as it stands in the image, and the manifest so far (JSON). */
struct wire_offer {
	struct image_head head;
	const char *manifest;
	uint32_t manifest_len;
};
/* get also returns -EPROTONOSUPPORT, for a HEAD of another version. */
int wire_offer_put(const struct wire_offer *offer, void *buf, size_t capacity);
int wire_offer_get(const void *payload, size_t len, struct wire_offer *ret);

/*
 * ACCEPT: the first chunk wanted and the digests of HAVE (..WIRE_HAVE_MOST) of the chunks before
 * it, which the receiver has (0 at a fresh start); with MORE, another ACCEPT has the next ones. Of
 * these chunks FLAGS has UNREADABLE and SLOT of their entries, a byte each; NULL: none has any. Or
 * a refusal: then, and only then, the sentence is not empty, and the numbers are 0 on the wire
 * whatever they are here.
 */
struct wire_accept {
	bool refused;
	bool more;  /* have is not 0 */
	bool fills; /* chunks that came with SLOT may come again, behind the last one */
	uint64_t first;
	uint64_t have_first;	/* the first chunk that digests speaks of */
	uint32_t have;		/* number of digests */
	const uint8_t *digests; /* have * DIGEST_SIZE bytes */
	const uint8_t *flags;	/* have bytes, or NULL */
	char sentence[WIRE_SENTENCE_MOST + 1];
};
int wire_accept_put(const struct wire_accept *accept, void *buf, size_t capacity);
int wire_accept_get(const void *payload, size_t len, struct wire_accept *ret);

/* DATA: one chunk as a zstd frame. put writes the WIRE_DATA bytes before the frame only. */
struct wire_data {
	uint64_t index;		  /* of the chunk */
	struct image_entry entry; /* entry.stored_size is the frame's length */
	const uint8_t *frame;	  /* on get: points into the payload */
};
int wire_data_put(const struct wire_data *data, uint8_t buf[WIRE_DATA]);
/* Checks also that the frame's stored_hash is right. */
int wire_data_get(const void *payload, size_t len, struct wire_data *ret);

/* ZERO: COUNT (at least 1) chunks from FIRST on are zeros. */
struct wire_zero {
	uint64_t first, count;
	uint32_t flags; /* image_entry_flag; IMAGE_ENTRY_ZERO is always set, put adds it */
};
int wire_zero_put(const struct wire_zero *zero, void *buf, size_t capacity);
int wire_zero_get(const void *payload, size_t len, struct wire_zero *ret);

/* ACK and KEEPALIVE: chunks below CHUNKS are durable at the receiver (a sender says 0). */
struct wire_ack {
	uint64_t chunks;
};
int wire_ack_put(const struct wire_ack *ack, void *buf, size_t capacity);
int wire_ack_get(const void *payload, size_t len, struct wire_ack *ret);

/* TIME: what the receiver spent its time with since it accepted, nanoseconds. */
struct wire_time {
	uint64_t waited; /* for the sender's records */
	uint64_t worked; /* with what came, */
	uint64_t stored; /* but for that: with its output */
};
int wire_time_put(const struct wire_time *time, void *buf, size_t capacity);
int wire_time_get(const void *payload, size_t len, struct wire_time *ret);

/*
 * UNREADABLE: the ranges of the source that could not be read, COUNT (..WIRE_RANGES_MOST) of them,
 * in order, none touching the next. get checks all of them; wire_unreadable_range then reads one.
 */
struct wire_range {
	uint64_t offset, length; /* bytes of the device */
};
int wire_unreadable_put(const struct wire_range *ranges, uint32_t count, void *buf,
			size_t capacity);
int wire_unreadable_get(const void *payload, size_t len, uint32_t *ret_count);
void wire_unreadable_range(const void *payload, uint32_t index, struct wire_range *ret);

/* END: everything was sent. */
struct wire_end {
	uint64_t chunks;
	uint64_t size; /* of the device, bytes */
	struct digest root;
};
int wire_end_put(const struct wire_end *end, void *buf, size_t capacity);
int wire_end_get(const void *payload, size_t len, struct wire_end *ret);

enum wire_status {
	WIRE_STATUS_DURABLE = 0, /* verified, and synced to disk */
	WIRE_STATUS_WRITTEN = 1, /* verified, written to a pipe: not synced */
	WIRE_STATUS_PARTIAL = 2, /* as these, but for unreadable ranges of the source */
	WIRE_STATUS_FAILED = 3,	 /* the sentence says why */
};

/* The sentence may be empty unless the status is FAILED. */
struct wire_result {
	uint8_t status;	    /* wire_status */
	uint64_t stored;    /* bytes of the image or of the target that were written */
	struct digest root; /* as the receiver computed it */
	char sentence[WIRE_SENTENCE_MOST + 1];
};
int wire_result_put(const struct wire_result *result, void *buf, size_t capacity);
int wire_result_get(const void *payload, size_t len, struct wire_result *ret);

/* ABORT: this side gives up, and says why: an empty sentence is malformed. */
int wire_abort_put(const char *sentence, void *buf, size_t capacity);
int wire_abort_get(const void *payload, size_t len, char ret_sentence[WIRE_SENTENCE_MOST + 1]);

#endif
