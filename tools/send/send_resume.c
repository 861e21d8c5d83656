// SPDX-License-Identifier: GPL-2.0-or-later
/* Going on where the receiver is: what it has, and whether the source is still as it was. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "send/send_internal.h"
#include "send/send_missing.h"
#include "ui/msg.h"

/* What the receiver says that it has, while its parts come. */
struct have {
	uint64_t first; /* the chunk that it wants */
	uint64_t next;	/* the chunk of the next digest */
	struct landmarks landmarks;
	size_t at;     /* of them */
	bool fills;    /* chunks may come again */
	bool left_out; /* something of one was */
};

static int have_read(void *from, uint64_t offset, void *buf, size_t len)
{
	return source_peek(from, offset, buf, len);
}

static int have_begin(struct send *send, struct have *have, uint64_t first)
{
	const struct probe_area disk = {
		.read = have_read, .from = send->source, .size = send->map->size};

	*have = (struct have){.first = first};
	if (first > chunk_count(send->map))
		return send_fail(send, -EPROTO,
				 "the receiver wants to go on from chunk %" PRIu64
				 ", and there are %" PRIu64,
				 first, chunk_count(send->map));
	/* A stream can be asked for nothing a second time: source_go_on compares what it gave. */
	if (!first || source_is_stream(send->source))
		return 0;
	if (send->options->recheck) {
		msg_note("reading again all that the receiver has of %s",
			 source_name(send->source));
		return 0;
	}
	msg_note("looking whether %s is as it was", source_name(send->source));
	int r = landmarks_choose(source_manifest(send->source), send->map, first, &disk,
				 &have->landmarks);

	return r < 0 ? send_fail(send, r, "the source cannot be compared: %s", strerror(-r)) : 0;
}

/* Whether the chunk of the next digest is among those that are compared. */
static bool have_compares(struct send *send, struct have *have)
{
	if (send->options->recheck)
		return !source_is_stream(send->source);
	if (have->at == have->landmarks.count || have->landmarks.chunks[have->at] != have->next)
		return false;
	have->at++;
	return true;
}

static int have_compare(struct send *send, uint64_t index, const uint8_t *told)
{
	struct digest now;
	int r = source_digest(send->source, index, &now);

	/* What cannot be read now says nothing about what could be then. */
	if (r == -ENODATA)
		return 0;
	if (r < 0)
		return send_fail(send, r, "%s", source_why(send->source));
	if (memcmp(now.bytes, told, DIGEST_SIZE) == 0)
		return 0;
	return send_fail(send, -ESTALE,
			 "%s has changed at byte %" PRIu64
			 " since the transfer began: `tbrecv --restart` begins anew",
			 source_name(send->source), chunk_offset(send->map, index));
}

/* What was left out before has to be what is left out now, for the image is one. */
static int have_compare_used(struct send *send, struct have *have, uint32_t flags)
{
	bool left_out = flags & IMAGE_ENTRY_UNALLOCATED;
	int leaves_out = source_leaves_out(send->source, have->next);
	const char *name = source_name(send->source);

	have->left_out |= left_out;
	if (leaves_out < 0 || left_out == (leaves_out > 0))
		return 0;
	if (!source_uses(send->source))
		return send_fail(send, -ESTALE,
				 "what the receiver has of %s was sent with --used: give it "
				 "again, or begin anew by `tbrecv --restart`",
				 name);
	if (!have->left_out)
		return send_fail(send, -ESTALE,
				 "what the receiver has of %s was sent without --used: leave it "
				 "out, or begin anew by `tbrecv --restart`",
				 name);
	return send_fail(send, -ESTALE,
			 "the file systems of %s use other parts of it than when the transfer "
			 "began: `tbrecv --restart` begins anew",
			 name);
}

/* The receiver has the next chunk, whose digest is TOLD, with FLAGS. */
static int have_add(struct send *send, uint64_t index, const uint8_t *told, uint32_t flags)
{
	struct image_entry entry = {.flags = flags};

	memcpy(entry.digest.bytes, told, DIGEST_SIZE);
	int r = root_add(&send->root, &entry);
	if (r == 0)
		r = source_rescue_have(send->source, index, flags);
	return r < 0 ? send_root_failed(send, r) : 0;
}

static int have_take(struct send *send, struct have *have, const struct wire_accept *accept)
{
	if (accept->first != have->first || accept->have_first != have->next)
		return send_fail(send, -EPROTO, "the receiver's ACCEPTs do not fit together");
	for (uint32_t i = 0; i < accept->have; i++, have->next++) {
		const uint8_t *told = accept->digests + (size_t)i * DIGEST_SIZE;
		uint32_t flags = accept->flags ? accept->flags[i] : 0;
		int r = 0;

		r = have_compare_used(send, have, flags);
		/* One that was not read everywhere may be read otherwise now. */
		if (have_compares(send, have) && r == 0 && !(flags & ~IMAGE_ENTRY_UNALLOCATED))
			r = have_compare(send, have->next, told);
		if (r == 0)
			r = have_add(send, have->next, told, flags);
		if (r < 0)
			return r;
		/* A long look shall end when it is of no use any more. */
		if (link_ended(send->link))
			return send_lost(send, -EPIPE);
	}
	have->fills = accept->fills;
	return 0;
}

/* One ACCEPT. Returns 1 when another one follows, 0 or -errno. */
static int have_part(struct send *send, struct have *have, bool begun)
{
	struct link_record *record;
	struct wire_accept accept;
	int r = send_await(send, WIRE_TYPE_ACCEPT, &record);

	if (r < 0)
		return r;
	r = wire_accept_get(record->payload, record->length, &accept);
	if (r < 0)
		r = send_fail(send, r, "the receiver's ACCEPT is damaged");
	else if (accept.refused)
		r = send_fail(send, -ECANCELED, "the receiver refused: %s", accept.sentence);
	else if (!begun)
		r = have_begin(send, have, accept.first);
	if (r == 0)
		r = have_take(send, have, &accept);
	free(record);
	return r < 0 ? r : accept.more;
}

/* Has the source go on at the chunk that the receiver wants. */
static int have_seek(struct send *send, uint64_t first)
{
	/* At its end there may be nothing more to read, not even that it is the end. */
	bool there = first == send->next && first < chunk_count(send->map);
	struct digest given;
	int r = 0;

	if (source_is_stream(send->source)) {
		digest_read(&send->root.state, &given);
		r = source_go_on(send->source, first, &given);
	} else if (!there) {
		r = source_seek(send->source, first);
	}
	return r < 0 ? send_fail(send, r, "%s", source_why(send->source)) : 0;
}

static int have_end(struct send *send, const struct have *have)
{
	struct mend *mend = send->options->mend;
	struct mend_state state = {
		.name = source_name(send->source),
		.done = have->first,
		.begun = true,
		.map = send->map,
	};

	if (have->next != have->first)
		return send_fail(send, -EPROTO,
				 "the receiver's ACCEPT lacks the digests of what it has");
	int r = have_seek(send, have->first);

	send->next = send->first = have->first;
	/* Only one stretch is remembered: what else this run has read counts as another's. */
	if (have->first > send->to || have->first < send->from)
		send->from = send->to = have->first;
	if (r == 0)
		send_missing_retries(send->source, have->fills, !send->begun);
	send->begun = true;
	if (r < 0)
		return r;
	if (send->safe > have->first)
		send->safe = have->first;
	if (mend && (have->first || mend->breaks))
		mend_tell(mend, &state);
	return 0;
}

int send_accepted(struct send *send)
{
	struct have have = {0};
	bool begun = false;
	int r;

	do {
		r = have_part(send, &have, begun);
		begun = true;
	} while (r > 0);
	if (r == 0)
		r = have_end(send, &have);
	landmarks_clear(&have.landmarks);
	send->accepted = r == 0;
	return r;
}

static bool lost_is_ours(const struct send *send, uint64_t index)
{
	return index >= send->from && index < send->to;
}

/* Whether more of chunk INDEX was read, or might be, than the receiver has. */
static int lost_is(struct send *send, uint64_t index)
{
	struct image_entry told, sent;
	int r = root_get(&send->root, index, &told);

	/* Chunk 0 never comes again. */
	if (r <= 0 || index == 0 || !(told.flags & IMAGE_ENTRY_SLOT) ||
	    source_lost(send->source, index))
		return r < 0 ? r : 0;
	bool lacks = told.flags & IMAGE_ENTRY_UNREADABLE;

	if (!lost_is_ours(send, index))
		return lacks;
	r = root_get(&send->before, index, &sent);
	if (r < 0)
		return r;
	/* The same zeros may have been read since. */
	return (r == 1 && !digest_equal(&told.digest, &sent.digest)) ||
	       (lacks && !source_lacks(send->source, index));
}

int send_lost_chunks(struct send *send)
{
	struct source_chunk chunk;
	int r;

	if (!source_comes_again(send->source))
		return 0;
	for (uint64_t i = send->root.first; i < send->first; i++) {
		r = lost_is(send, i);
		if (r < 0)
			return send_root_failed(send, r);
		if (r == 0)
			continue;
		r = source_reread(send->source, i, lost_is_ours(send, i), &chunk);
		if (r < 0)
			return send_fail(send, r, "%s", source_why(send->source));
		if (r == 1)
			r = send_data_again(send, &chunk);
		if (r < 0)
			return r;
		/* This can take long. */
		if (link_ended(send->link))
			return send_lost(send, -EPIPE);
	}
	return 0;
}

int send_wait_confirmed(struct send *send)
{
	uint64_t acked = link_acked(send->link);
	struct link_record *record;
	/* It confirms what it has, not what we count. */
	int r = send_zeros(send);

	if (r < 0)
		return r;
	r = link_wait_acked(send->link, acked, stop_deadline(STOP_SECOND / 5));
	if (r == 0 && link_get(send->link, stop_now(), &record) == 0)
		return send_skip(send, record, WIRE_TYPE_ACK);
	return link_ended(send->link) ? send_lost(send, -EPIPE) : 0;
}

int send_mend(struct send *send, int error)
{
	struct mend *mend = send->options->mend;
	struct mend_state state = {
		.name = source_name(send->source),
		.done = send->safe,
		.begun = true,
		.stream = source_is_stream(send->source),
		.map = send->map,
	};

	bool mends = link_mends(send->link);

	/* What the receiver said last may be why. */
	link_why(send->link, send->why, send->why_len);
	send->lost = false;
	if (!mend || !mends)
		return error;
	return mend_link(mend, send->link, &state, mend->options->timeout, send->why,
			 send->why_len);
}
