// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/link_internal.h"

#define LINK_TELL (STOP_SECOND / 2) /* a wait this short is not worth a word */

#define LINK_ERRORS 5 /* of a device while we greet: more in a row are no accident */

/* The greeting of one opened stream after the other. */
struct greeting {
	struct link *link;
	const struct stream_options *options;
	int64_t foreign; /* when something came that is no record, 0: nothing did */
	bool records;	 /* something did that is one */
	bool strange;	 /* a stream before this one ended for that */
	bool told;
	unsigned int errors;
	int64_t patience;		  /* with a stream over which no HELLO comes */
	char other[WIRE_STREAM_MOST + 1]; /* the stream that somebody else looked for */
	char *why;
	size_t why_len;
};

/* Begins with a stream that was just opened. */
static int greeting_begin(struct greeting *greeting)
{
	struct link *link = greeting->link;
	struct link_record *record = link_record_hello(&link->hello);

	link_reader_clear(&link->reader);
	link_reader_setup(&link->reader);
	link_writer_clear(&link->writer);
	link->opened = stop_now();
	greeting->foreign = 0;
	greeting->records = false;
	if (!record) {
		snprintf(greeting->why, greeting->why_len, "cannot say HELLO: a field is too long");
		return -EINVAL;
	}
	link_writer_put(&link->writer, record);
	return 0;
}

/* What a role is there for, and what has to be started at the other side. */
static const struct greeting_role {
	const char *wants, *start;
} greeting_roles[] = {
	[WIRE_SENDER] = {"send", "tbrecv"},
	[WIRE_RECEIVER] = {"receive", "tbsend"},
	[WIRE_ATTACHER] = {"attach to a shell", "tbstream shell --serve"},
	[WIRE_SERVER] = {"serve a shell", "tbstream shell"},
};

static const char *greeting_start(const struct greeting *greeting)
{
	return greeting_roles[greeting->link->hello.role].start;
}

/* Roles come in twos: 1 talks with 2, 3 with 4. */
static uint8_t greeting_other_role(uint8_t role)
{
	return role % 2 ? role + 1 : role - 1;
}

static int greeting_check(struct greeting *greeting, const struct wire_hello *peer)
{
	const struct wire_hello *hello = &greeting->link->hello;

	if (peer->version_most < hello->version_least ||
	    peer->version_least > hello->version_most) {
		snprintf(
			greeting->why, greeting->why_len,
			"%s on %s speaks versions %d to %d of the protocol, and we %d to %d: use the "
			"same program on both machines",
			peer->program, peer->host, peer->version_least, peer->version_most,
			hello->version_least, hello->version_most);
		return -EPROTONOSUPPORT;
	}
	if (peer->role == hello->role) {
		snprintf(greeting->why, greeting->why_len,
			 "both sides want to %s: start %s on one "
			 "of the two machines",
			 greeting_roles[hello->role].wants, greeting_start(greeting));
		return -EPROTOTYPE;
	}
	if (peer->role != greeting_other_role(hello->role)) {
		snprintf(greeting->why, greeting->why_len,
			 "%s wants to %s over this stream, and we to %s: give them streams of "
			 "different names",
			 peer->host[0] ? peer->host : "the other side",
			 greeting_roles[peer->role].wants, greeting_roles[hello->role].wants);
		return -EPROTOTYPE;
	}
	return 0;
}

static int greeting_foreign(struct greeting *greeting)
{
	snprintf(greeting->why, greeting->why_len,
		 "the other side of %s does not speak records: is it dd or cat, or has it --plain "
		 "or --raw? Then give the same here",
		 stream_name(greeting->link->stream));
	return -EBADMSG;
}

/* Reads on. Returns 1 with the peer's HELLO, 0 when there is nothing more now, or -errno. */
static int greeting_read(struct greeting *greeting, struct wire_hello *ret)
{
	struct link *link = greeting->link;
	struct link_record *record;
	const char *what;
	int err;

	for (;;) {
		bool hello;

		err = link_reader_step(&link->reader, link->stream, &record, &what);
		if (err <= 0)
			break;
		/* Others are what an earlier program left in the stream. */
		greeting->records = true;
		hello = record->type == WIRE_TYPE_HELLO &&
			wire_hello_get(record->payload, record->length, ret) == 0;
		free(record);
		if (hello)
			return 1;
	}
	if (link->reader.skipped && !greeting->foreign)
		greeting->foreign = stop_now();
	if (link->reader.record || greeting->records)
		greeting->foreign = 0;
	if (err == -EPIPE && !greeting->records && !link_reader_begins(&link->reader))
		return greeting_foreign(greeting);
	if (greeting->foreign && (link->reader.skipped > WIRE_HEADER + WIRE_PAYLOAD_MOST ||
				  stop_now() - greeting->foreign >= link->limits.record))
		return greeting_foreign(greeting);
	if (err < 0 && err != -EPIPE)
		snprintf(greeting->why, greeting->why_len, "cannot read from %s: %s",
			 stream_name(link->stream), strerror(-err));
	return err;
}

static int greeting_write(struct greeting *greeting)
{
	struct link *link = greeting->link;
	int err = link->writer.record ? link_writer_step(&link->writer, link->stream) : 0;

	if (err < 0 && err != -EPIPE)
		snprintf(greeting->why, greeting->why_len, "cannot write to %s: %s",
			 stream_name(link->stream), strerror(-err));
	return err < 0 ? err : 0;
}

/* Waits for the stream, and tells. Returns 0, or -EINTR or -ETIMEDOUT with a sentence. */
static int greeting_wait(struct greeting *greeting, int64_t until)
{
	struct link *link = greeting->link;
	const struct stop_waiting *waiting = &greeting->options->waiting;
	struct link_events events = {.in = true, .out = link->writer.record, .stop = true};
	int64_t now = stop_now();
	char sentence[400];
	int err;

	if (now >= greeting->options->deadline) {
		snprintf(
			greeting->why, greeting->why_len,
			"timed out waiting for an answer on %s: start %s at the other side, with the "
			"same stream%s%s",
			stream_name(link->stream), greeting_start(greeting),
			greeting->other[0] ? "; it has only " : "", greeting->other);
		return -ETIMEDOUT;
	}
	if (!greeting->told && now - link->opened >= LINK_TELL && waiting->tell) {
		snprintf(sentence, sizeof(sentence), "waiting for %s to answer on %s",
			 greeting_start(greeting), stream_name(link->stream));
		waiting->tell(waiting->arg, sentence);
		greeting->told = true;
	}
	if (!greeting->told && link->opened + LINK_TELL < until)
		until = link->opened + LINK_TELL;
	err = link_poll(link, &events,
			until < greeting->options->deadline ? until : greeting->options->deadline);
	if (err || events.stop) {
		err = err ? err : -EINTR;
		snprintf(greeting->why, greeting->why_len, "%s while waiting for an answer on %s",
			 err == -EINTR ? "stopped by a signal" : strerror(-err),
			 stream_name(link->stream));
	}
	return err;
}

int link_reopen(struct link *link, const struct stream_options *options,
		int (*again)(struct stream *, int64_t, char *, size_t), char *ret_why, size_t len)
{
	int64_t pause = link->opened + link->limits.pause;

	/* Whoever closes at once shall not make us open without end. */
	if (stop_now() < pause && stop_poll(-1, 0, pause) == -EINTR) {
		snprintf(ret_why, len, "stopped by a signal");
		return -EINTR;
	}
	return again(link->stream, options->deadline, ret_why, len);
}

/*
 * Opens the stream again, by AGAIN: it ended and was never ours (a peer that was just closing,
 * somebody who knocked), it is stuck, or it is another's.
 */
static int greeting_again(struct greeting *greeting,
			  int (*again)(struct stream *, int64_t, char *, size_t))
{
	return link_reopen(greeting->link, greeting->options, again, greeting->why,
			   greeting->why_len);
}

/*
 * Whether PEER looks for a stream of another name: both sides took the same HopIDs for their own
 * names, each before it knew of the other's.
 */
static bool greeting_other(struct greeting *greeting, const struct wire_hello *peer)
{
	const struct stop_waiting *waiting = &greeting->options->waiting;
	const char *ours = greeting->link->hello.stream;
	char sentence[400];

	if (!ours[0] || !peer->stream[0] || strcmp(ours, peer->stream) == 0)
		return false;
	snprintf(sentence, sizeof(sentence), "waiting for the stream %s: %s has only %s so far",
		 ours, peer->host, peer->stream);
	if (waiting->tell && strcmp(greeting->other, peer->stream) != 0)
		waiting->tell(waiting->arg, sentence);
	strcpy(greeting->other, peer->stream);
	return true;
}

/*
 * Whether what came, and was no record, is the rest of what the peer sent to a program before us:
 * it is where records were spoken before, and may be once on a driver that gives it to the next
 * reader (usb4stream.md).
 */
static bool greeting_leftover(struct greeting *greeting)
{
	const struct stop_waiting *waiting = &greeting->options->waiting;
	bool strange = greeting->strange;
	char sentence[400];

	greeting->strange = true;
	if (greeting->link->greeted)
		return true;
	if (strange || !stream_lossy(greeting->link->stream))
		return false;
	snprintf(sentence, sizeof(sentence),
		 "opening %s again: what came was no record, but the rest of something else",
		 stream_name(greeting->link->stream));
	if (waiting->tell)
		waiting->tell(waiting->arg, sentence);
	return true;
}

/* Whether another stream may go better than the one that failed with ERR. */
static bool greeting_retries(struct greeting *greeting, int err)
{
	if (err == -EBADMSG)
		return greeting_leftover(greeting);
	return err < 0 && err != -ENOMEM && stream_reopens(greeting->link->stream) &&
	       greeting->errors++ < LINK_ERRORS;
}

/*
 * Whether no HELLO will come over this stream: the peer's can be stuck in a driver's reader that is
 * behind by what arrived while it opened, and ours can have gone to the program before the peer.
 * Each says it only once, so that both would wait. Opening again ends both; ever more seldom, since
 * mostly nobody has been there yet.
 */
static bool greeting_stuck(struct greeting *greeting)
{
	const struct link *link = greeting->link;

	if (!stream_lossy(link->stream) || stop_now() - link->opened < greeting->patience)
		return false;
	greeting->patience *= 2;
	return true;
}

/* Greets over one opened stream. Returns 1 with the peer's HELLO, 0 for another try, or -errno. */
static int greeting_try(struct greeting *greeting, struct wire_hello *ret)
{
	struct link *link = greeting->link;
	int64_t deadline = greeting->options->deadline;
	int written, err = greeting_begin(greeting);

	while (!err) {
		/* First, since a peer that does not suit us must hear why from our HELLO. */
		written = greeting_write(greeting);
		err = written && written != -EPIPE ? written : greeting_read(greeting, ret);
		if (!err)
			err = written;
		if (err == -EPIPE || greeting_retries(greeting, err))
			return greeting_again(greeting, stream_reopen);
		if (err > 0 && greeting_other(greeting, ret))
			return greeting_again(greeting, stream_refuse);
		if (err)
			break;
		if (greeting_stuck(greeting))
			return greeting_again(greeting, stream_reopen);
		if (!link->reader.bytes) {
			err = stream_renew(link->stream, deadline, greeting->why,
					   greeting->why_len);
			if (err != -EALREADY)
				break;
		}
		err = greeting_wait(greeting, stop_deadline(link->limits.renew));
	}
	return err;
}

int link_greet(struct link *link, const struct stream_options *options, char *ret_why, size_t len)
{
	struct greeting greeting = {
		.link = link,
		.options = options,
		.patience = link->limits.again,
		.why = ret_why,
		.why_len = len,
	};
	struct link_record *answer;
	int err;

	do {
		err = greeting_try(&greeting, &link->peer);
	} while (!err);
	if (err < 0)
		return err;
	err = greeting_check(&greeting, &link->peer);
	if (err)
		return err;
	/* Ours may have gone into what the peer's side was just closing. */
	answer = link_record_hello(&link->hello);
	if (!answer)
		return -ENOMEM;
	queue_put(&link->out, answer);
	link->reader.hunting = false;
	link->greeted = true;
	return 0;
}
