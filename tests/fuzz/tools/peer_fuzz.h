/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The peer of a transfer, scripted by a fuzzer: INPUT is what it says. The other side is the real
 * one, over a real link. Header, sequence and hashes of its records are right unless the script
 * says otherwise, so that they are not all that is ever looked at.
 *
 * A script is a list of steps, a byte each and what belongs to it (numbers little-endian):
 *   0 RECORD  type, bits (1: flags that are not 0, 2: make the hashes in it right), u16, payload
 *   1 RAW     u16, bytes
 *   2 CUT     u16: of the next record only so many bytes come, and then the stream's end
 *   3 CLOSE   the stream ends, and another one begins
 *   4 WAIT    type: until such a record came, or the other side has nothing more to say
 *   5 DAMAGE  what: the next record's payload hash, sequence, version, CRC or length
 *   6 MUTE    as the first one of a stream: without HELLO
 *   7 ...     those of one side alone
 */
#ifndef PEER_FUZZ_H
#define PEER_FUZZ_H

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/link_internal.h"

#define MS	   (STOP_SECOND / 1000)
#define PEER_ROOTS 32u /* that are remembered */
#define PEER_STEPS 7u  /* that both sides have */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum peer_step { PEER_RECORD, PEER_RAW, PEER_CUT, PEER_CLOSE, PEER_WAIT, PEER_DAMAGE, PEER_MUTE };

struct peer_roots {
	struct digest roots[PEER_ROOTS];
	unsigned int count;
};

struct peer;
/* What one side has of its own. */
struct peer_side {
	uint8_t role;  /* of the peer */
	bool dials;    /* else it listens */
	uint8_t steps; /* behind PEER_STEPS */
	void (*step)(struct peer *peer, uint8_t step);
	/* A record that goes out; false: it would only take time. */
	bool (*says)(struct peer *peer, uint8_t type, const uint8_t *payload, size_t len);
	/* The first bytes of a record that came. */
	void (*hears)(struct peer *peer, uint8_t type, const uint8_t *payload, size_t len);
};

struct peer {
	const struct peer_side *side;
	const uint8_t *script;
	size_t left;
	struct sockaddr_un address;
	int listener, fd;
	int over; /* eventfd: the side under test has ended */
	pthread_t thread;
	uint64_t sequence;
	uint8_t damage;	 /* of the next record, 0: none */
	size_t cut;	 /* bytes of it, 0: all */
	bool ended;	 /* the stream */
	bool idle;	 /* the other side has nothing to say */
	uint8_t awaited; /* a type, 0 once it came */
	uint8_t header[WIRE_HEADER], payload[64];
	size_t held, kept; /* of these */
	uint64_t rest;	   /* of the payload, which is to come */
	struct peer_roots said, heard;
};

/* What the script awaits is waited for until it comes, as a test of its own seeds needs. */
static bool peer_patient;

static inline void fuzz_require(int right)
{
	if (!right)
		abort();
}

static inline bool peer_roots_have(const struct peer_roots *roots, const struct digest *root)
{
	for (unsigned int i = 0; i < roots->count; i++)
		if (digest_equal(&roots->roots[i], root))
			return true;
	return false;
}

static inline void peer_roots_add(struct peer_roots *roots, const struct digest *root)
{
	if (!peer_roots_have(roots, root) && roots->count < PEER_ROOTS)
		roots->roots[roots->count++] = *root;
}

/* The next byte, or the next number of two, of the script; 0 behind its end. */
static inline uint8_t peer_u8(struct peer *peer)
{
	if (!peer->left)
		return 0;
	peer->left--;
	return *peer->script++;
}

static inline uint16_t peer_u16(struct peer *peer)
{
	uint8_t low = peer_u8(peer);

	return low | peer_u8(peer) << 8;
}

/* The next LEN bytes, or as many as there are, which LEN is then. */
static inline const uint8_t *peer_bytes(struct peer *peer, size_t *len)
{
	const uint8_t *bytes = peer->script;

	*len = MIN(*len, peer->left);
	peer->script += *len;
	peer->left -= *len;
	return bytes;
}

static inline void peer_came(struct peer *peer, const struct wire_header *header)
{
	if (header->type == peer->awaited)
		peer->awaited = 0;
	if (header->type == WIRE_TYPE_KEEPALIVE)
		peer->idle = true;
	peer->side->hears(peer, header->type, peer->payload, header->length);
}

/* What comes must be records: that is the least that the side under test keeps to. */
static inline void peer_take(struct peer *peer, const uint8_t *bytes, size_t len)
{
	struct wire_header header;

	while (len) {
		size_t n = MIN(len, WIRE_HEADER - peer->held);

		if (n) {
			memcpy(peer->header + peer->held, bytes, n);
			peer->held += n;
			if (peer->held < WIRE_HEADER)
				return;
			fuzz_require(wire_header_get(peer->header, &header) == 0);
			peer->rest = header.length;
			peer->kept = 0;
		} else {
			n = MIN(len, peer->rest);
			size_t keep = MIN(n, sizeof(peer->payload) - peer->kept);

			memcpy(peer->payload + peer->kept, bytes, keep);
			peer->kept += keep;
			peer->rest -= n;
		}
		bytes += n;
		len -= n;
		if (peer->held == WIRE_HEADER && !peer->rest) {
			fuzz_require(wire_header_get(peer->header, &header) == 0);
			peer_came(peer, &header);
			peer->held = 0;
		}
	}
}

/* Waits for EVENTS and for what comes, which it takes. Returns whether there was something. */
static inline bool peer_poll(struct peer *peer, short events, int milliseconds)
{
	static uint8_t buf[65536];
	struct pollfd fds[2] = {
		{.fd = peer->fd, .events = POLLIN | events},
		{.fd = peer->over, .events = POLLIN},
	};

	if (poll(fds, 2, milliseconds) <= 0)
		return false;
	if (fds[1].revents)
		peer->ended = true;
	if (fds[0].revents & ~POLLOUT) {
		ssize_t n = recv(peer->fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n > 0)
			peer_take(peer, buf, n);
		else if (n == 0 || errno != EAGAIN)
			peer->ended = true;
	}
	return true;
}

static inline void peer_write(struct peer *peer, const uint8_t *bytes, size_t len)
{
	while (len && !peer->ended) {
		ssize_t n = send(peer->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			bytes += n;
			len -= n;
		} else if (errno == EAGAIN) {
			peer_poll(peer, POLLOUT, 1000);
		} else {
			/* What it said before it went is still there. */
			break;
		}
	}
}

/* Until a record of TYPE came, or nothing more does. 0: until that. */
static inline void peer_await(struct peer *peer, uint8_t type)
{
	peer->awaited = type;
	while (!peer->ended && (peer->awaited || !type)) {
		peer->idle = false;
		if (!peer_poll(peer, 0, peer_patient ? 120000 : 10))
			break;
		if (peer->idle && !peer_patient)
			break;
	}
}

/* The header of the next record, wrong where the script wants it so. */
static inline void peer_header(struct peer *peer, struct wire_header *header,
			       uint8_t ret[WIRE_HEADER])
{
	switch (peer->damage) {
	case 1: header->payload_hash++; break;
	case 2: header->sequence++; break;
	case 3: header->version++; break;
	case 5: header->length++; break;
	default: break;
	}
	wire_header_put(header, ret);
	if (peer->damage == 4)
		ret[WIRE_HEADER - 1] ^= 1;
	peer->damage = 0;
}

static inline void peer_put(struct peer *peer, uint8_t type, uint16_t flags, const uint8_t *payload,
			    size_t len)
{
	struct wire_header header = {
		.version = WIRE_VERSION,
		.type = type,
		.flags = flags,
		.sequence = peer->sequence++,
		.length = len,
		.payload_hash = wire_payload_hash(payload, len),
	};
	uint8_t bytes[WIRE_HEADER];

	if (!peer->side->says(peer, type, payload, len))
		return;
	peer_header(peer, &header, bytes);
	size_t cut = peer->cut ? peer->cut : WIRE_HEADER + len;

	peer_write(peer, bytes, MIN(cut, sizeof(bytes)));
	if (cut > sizeof(bytes) && len)
		peer_write(peer, payload, MIN(cut - sizeof(bytes), len));
}

/* A record whose payload was written with LENGTH bytes, or could not be. */
static inline void peer_put_made(struct peer *peer, uint8_t type, const uint8_t *payload,
				 int length)
{
	if (length >= 0)
		peer_put(peer, type, 0, payload, length);
}

static inline void peer_hello(struct peer *peer)
{
	struct wire_hello hello = {
		.role = peer->side->role,
		.version_least = WIRE_VERSION,
		.version_most = WIRE_VERSION,
		.capabilities = WIRE_CAPABILITY_SET,
		.host = "peer",
		.program = "fuzz",
		.transfer_id = {1},
	};
	uint8_t payload[WIRE_HELLO];

	peer_put_made(peer, WIRE_TYPE_HELLO, payload,
		      wire_hello_put(&hello, payload, sizeof(payload)));
}

static inline void peer_put_u64(uint8_t *to, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

/* HEAD's hash in OFFER, the frame's length and hash in DATA. */
static inline void peer_seal(uint8_t type, uint8_t *payload, size_t len)
{
	uint32_t size;

	if (type == WIRE_TYPE_DATA && len >= WIRE_DATA) {
		peer_put_u64(payload + 24, digest_stored(payload + WIRE_DATA, len - WIRE_DATA), 8);
		peer_put_u64(payload + 32, len - WIRE_DATA, 4);
	}
	if (type != WIRE_TYPE_OFFER || len < IMAGE_FRAME_HEADER + 16)
		return;
	memcpy(&size, payload + 4, sizeof(size));
	if (size >= 16 && size <= len - IMAGE_FRAME_HEADER)
		peer_put_u64(payload + size, digest_stored(payload + IMAGE_FRAME_HEADER, size - 8),
			     8);
}

static inline void peer_record(struct peer *peer)
{
	uint8_t type = peer_u8(peer), bits = peer_u8(peer);
	size_t len = peer_u16(peer);
	const uint8_t *bytes = peer_bytes(peer, &len);
	uint8_t *payload = malloc(len + 1);

	fuzz_require(payload != NULL);
	if (len)
		memcpy(payload, bytes, len);
	if (bits & 2)
		peer_seal(type, payload, len);
	peer_put(peer, type, bits & 1, payload, len);
	free(payload);
}

/* One step. Returns false where the stream ends by it. */
static inline bool peer_step(struct peer *peer, uint8_t step)
{
	size_t len;

	switch (step) {
	case PEER_RECORD: peer_record(peer); break;
	case PEER_RAW:
		len = peer_u16(peer);
		const uint8_t *bytes = peer_bytes(peer, &len);

		peer_write(peer, bytes, len);
		break;
	case PEER_CUT: peer->cut = 1 + peer_u16(peer); return true;
	case PEER_CLOSE: return false;
	case PEER_WAIT: peer_await(peer, peer_u8(peer)); break;
	case PEER_DAMAGE: peer->damage = 1 + peer_u8(peer) % 5; break;
	case PEER_MUTE: break;
	default: peer->side->step(peer, step - PEER_STEPS); break;
	}
	return !(peer->cut && step != PEER_DAMAGE);
}

#endif
