/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records over a stream, pumped by a thread of its own, so that a slow fdatasync or compressor is
 * not silence on the wire. The thread alone touches the stream: it always reads as well as writes,
 * sends KEEPALIVE with the state of our ACKs, and takes in the peer's. Owners: link_put takes a
 * record, link_get gives one.
 *
 * Whatever goes wrong with the stream (damage, silence, its end) ends the link with a fate that
 * another stream mends: link_renew. What somebody meant (ABORT, a signal) stays an end.
 *
 * Locking: one mutex guards both queues and the link's fate; no call but link_put, link_get,
 * link_flush, link_wait_acked, link_renew, link_abort and link_close (two seconds at most) waits.
 */
#ifndef IO_LINK_H
#define IO_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/wire.h"
#include "io/stream.h"

/* A record in memory. Header and hash are the link's own: it goes out in one piece from header on.
 */
struct link_record {
	uint8_t type; /* wire_type */
	uint16_t flags;
	uint32_t length; /* of the payload, bytes */
	uint64_t hash;
	uint8_t header[WIRE_HEADER];
	uint8_t payload[];
};
/* A record with room for LENGTH (<= WIRE_PAYLOAD_MOST) bytes, or NULL; free() it. */
struct link_record *link_record_new(uint8_t type, size_t length);

#define LINK_QUEUE 4 /* records waiting each way at most, and one more on its way */

struct link;

/*
 * Opens the stream, exchanges HELLO with the peer (pairing again where stream_renew says so) and
 * starts the thread. HELLO is sent once per opened stream and not repeated until a byte came from
 * the peer: the in-tree driver's reader may be behind by what we send (usb4stream.md). The peer's
 * HELLO is answered by ours again, since what was sent into a stream that was just being closed is
 * lost. Returns 0, a link and the peer's HELLO; or -errno with a sentence in RET_WHY:
 * -EPROTONOSUPPORT for a peer of no common version, -EBADMSG for one that speaks otherwise,
 * -EPROTOTYPE when both sides send or both receive, and what stream_open returns.
 */
int link_open(const struct stream_address *address, const struct stream_options *options,
	      const struct wire_hello *hello, struct link **ret, struct wire_hello *ret_peer,
	      char *ret_why, size_t len);
/*
 * Whether the link ended by what another stream can mend; the peer was not told anything then, but
 * for the stream's end, and comes again by itself. Waits up to two seconds for what it still said.
 * What was not taken with link_get is dropped.
 */
bool link_mends(struct link *link);
/*
 * After a fate that link_mends: opens the stream again, until the deadline of OPTIONS, greets, and
 * starts with empty queues and counts from 0. The peer may be another process than before. Returns
 * 0 and its HELLO, or as link_open; the link then keeps its fate.
 */
int link_renew(struct link *link, const struct stream_options *options, struct wire_hello *ret_peer,
	       char *ret_why, size_t len);
/* Ends the thread, drops what is queued, closes the stream. NULL is fine. */
void link_close(struct link *link);

/*
 * Queues RECORD, which is the link's from then on, whatever is returned; waits while the queue is
 * full (LINK_QUEUE records, or options->records). Returns 0, or the link's fate (below).
 */
int link_put(struct link *link, struct link_record *record);
/*
 * Takes the next record that came (KEEPALIVE, ACK and TIME never do: they only move link_acked and
 * link_time; ABORT becomes the fate), waiting until DEADLINE. Returns 0 and a record (free),
 * -ETIMEDOUT, or the fate once everything that came before it was taken.
 */
int link_get(struct link *link, int64_t deadline, struct link_record **ret);
/* Waits until everything that was put is written to the stream. Returns 0, -ETIMEDOUT or the fate.
 */
int link_flush(struct link *link, int64_t deadline);
/*
 * Waits until link_acked() is above CHUNKS, a record came, or DEADLINE passed. Returns 0,
 * -ETIMEDOUT or the fate.
 */
int link_wait_acked(struct link *link, uint64_t chunks, int64_t deadline);

/*
 * Chunks durable here: the receiver says so, an ACK goes out soon. The count never goes down, but
 * an ACCEPT that is put begins it anew, and one that came begins the peer's (link_acked).
 */
void link_acknowledge(struct link *link, uint64_t chunks);
/* Chunks durable at the peer, as far as it told. */
uint64_t link_acked(struct link *link);
/* What the receiver spent its time with, once it has told of the disk that it accepted last. */
bool link_time(struct link *link, struct wire_time *ret);
/*
 * Tells the peer why we give up (ABORT), as far as it can be told within two seconds; drops what is
 * still queued. SENTENCE is one helpful sentence. The link's own fates -EINTR and -EPROTO are told
 * without it, and where the stream cannot be opened again -ETIMEDOUT and -EBADMSG too.
 */
void link_abort(struct link *link, const char *sentence);

/*
 * Why the link ended, in a sentence; "" while it lives. The fates: -EINTR a signal, -EPIPE the peer
 * closed it or went away, -ETIMEDOUT 10 s without any record while we were reading, -EBADMSG a
 * damaged record, -EPROTO one that has no place, -ECANCELED the peer said ABORT (its sentence), or
 * a device's -errno.
 */
void link_why(struct link *link, char *ret, size_t len);
/*
 * For a loop over other descriptors too: one to poll for input, which becomes readable when a
 * record came, link_put would not wait any more, or the link ended. link_watched makes it wait for
 * the next such change. Returns it (the link's own), or -errno.
 */
int link_watch(struct link *link);
void link_watched(struct link *link);
/* Whether link_get and link_put would not wait. */
bool link_ready(struct link *link);
bool link_room(struct link *link);
/* Whether the link has ended: it has a fate. */
bool link_ended(struct link *link);
/* The stream's name, for messages. */
const char *link_name(const struct link *link);

#endif
