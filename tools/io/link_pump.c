// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "io/link_internal.h"

#define LINK_ENDED "the other side ended, or the cable was pulled"

const struct link_limits link_limits_default = {
	.keepalive = STOP_SECOND * 8 / 100, /* 100 ms are promised */
	.record = 3 * STOP_SECOND,
	.silence = 10 * STOP_SECOND,
	.renew = STOP_SECOND,
	.again = 3 * STOP_SECOND,
	.words = 2 * STOP_SECOND,
	.pause = STOP_SECOND / 5,
};

int link_poll(struct link *link, struct link_events *events, int64_t until)
{
	struct pollfd fds[4] = {
		{.fd = events->in ? stream_in(link->stream) : -1, .events = POLLIN},
		{.fd = events->out ? stream_out(link->stream) : -1, .events = POLLOUT},
		{.fd = events->stop ? stop_fd() : -1, .events = POLLIN},
		{.fd = events->wake ? link->wake : -1, .events = POLLIN},
	};
	int64_t left = until == STOP_NEVER ? 0 : until - stop_now();
	struct timespec timeout = {0};

	if (left > 0) {
		timeout.tv_sec = left / STOP_SECOND;
		timeout.tv_nsec = left % STOP_SECOND;
	}
	if (ppoll(fds, 4, until == STOP_NEVER ? NULL : &timeout, NULL) < 0 && errno != EINTR)
		return -errno;
	events->in = fds[0].revents != 0;
	events->out = fds[1].revents != 0;
	events->stop = fds[2].revents != 0;
	events->wake = fds[3].revents != 0;
	return 0;
}

/*
 * An end that was found here. The peer shall hear why, unless another stream may mend it: then it
 * only sees this one end. Lock held.
 */
static void link_fail(struct link *link, int fate, const char *why)
{
	link_end(link, fate, "%s", why);
	link->in_ended = true;
	if (link->reopens && link_fate_mends(fate))
		link->dead = true;
	else
		link_say(link, why);
	link_change(link);
}

static void link_take_acks(struct link *link, const struct link_record *record)
{
	struct wire_ack ack;

	if (wire_ack_get(record->payload, record->length, &ack))
		link_fail(link, -EPROTO, "a malformed acknowledgement came");
	else if (ack.chunks > link->acked_there)
		link->acked_there = ack.chunks;
	link_change(link);
}

/* It is for a summary: what is malformed is as if nothing had come. */
static void link_take_time(struct link *link, const struct link_record *record)
{
	if (wire_time_get(record->payload, record->length, &link->time_there) == 0)
		link->time_came = true;
}

static void link_take_abort(struct link *link, const struct link_record *record)
{
	char sentence[WIRE_SENTENCE_MOST + 1];

	if (wire_abort_get(record->payload, record->length, sentence))
		strcpy(sentence, "it gave no reason");
	link_end(link, -ECANCELED, "the other side gave up: %s", sentence);
	link->in_ended = link->dead = true;
	link_change(link);
}

/* The peer answers our HELLO with its own again; another one than before is another program. */
static void link_take_hello(struct link *link, const struct link_record *record)
{
	struct wire_hello hello;

	if (wire_hello_get(record->payload, record->length, &hello) ||
	    hello.role != link->peer.role || strcmp(hello.host, link->peer.host) != 0 ||
	    memcmp(hello.transfer_id, link->peer.transfer_id, sizeof(hello.transfer_id)) != 0)
		link_fail(link, -EPROTO, "a second and different HELLO came");
}

/* Does with RECORD what its type asks for. Lock held. */
static void link_take(struct link *link, struct link_record *record)
{
	/* After the end it is read only so that the peer is not stuck in writing. */
	if (!link->in_ended) {
		switch (record->type) {
		case WIRE_TYPE_ACK:
		case WIRE_TYPE_KEEPALIVE: link_take_acks(link, record); break;
		case WIRE_TYPE_TIME: link_take_time(link, record); break;
		case WIRE_TYPE_ABORT: link_take_abort(link, record); break;
		case WIRE_TYPE_HELLO: link_take_hello(link, record); break;
		default:
			if (record->type & WIRE_TYPE_OPTIONAL)
				break;
			/* Here, in order with the counts that came before it. */
			if (record->type == WIRE_TYPE_ACCEPT) {
				link->acked_there = 0;
				link->time_came = false;
			}
			queue_put(&link->in, record);
			link_change(link);
			return;
		}
	}
	free(record);
}

/* Reads what there is, up to a record. Returns whether there was something. */
static bool link_read(struct link *link)
{
	uint64_t bytes = link->reader.bytes;
	struct link_record *record = NULL;
	const char *what = "";
	char why[160];
	int err;

	err = link_reader_step(&link->reader, link->stream, &record, &what);
	/* On a stream that loses bytes, what never becomes a record is silence. */
	if (err > 0 || (!link->lossy && link->reader.bytes != bytes))
		link->heard = stop_now();
	if (err == 0)
		return link->reader.bytes != bytes;
	pthread_mutex_lock(&link->lock);
	if (err > 0) {
		link_take(link, record);
	} else if (err == -EBADMSG) {
		snprintf(why, sizeof(why), "the stream is damaged: %s", what);
		link_fail(link, err, why);
	} else if (err == -EPIPE || err == -ESTALE) {
		link_end(link, -EPIPE,
			 err == -EPIPE ? LINK_ENDED : "the other side ended and was started anew");
		link->in_ended = link->dead = true;
	} else {
		link_end(link, err, "cannot read from the stream: %s", strerror(-err));
		link->in_ended = link->dead = true;
	}
	link_change(link);
	pthread_mutex_unlock(&link->lock);
	return true;
}

/* Takes what to send next to the writer. Returns whether it has something. Lock held. */
static bool link_choose(struct link *link, int64_t now)
{
	struct link_record *record = NULL;

	if (link->dead)
		return false;
	if (link->writer.record)
		return true;
	if (link->words) {
		record = link->words;
		link->words = NULL;
	} else if (!queue_empty(&link->out)) {
		record = queue_get(&link->out);
		link_change(link);
	} else if (link->ack_due && !link->told) {
		/* Behind an ACCEPT that is queued, which begins the peer's count anew. */
		record = link_record_acks(WIRE_TYPE_ACK, link->acked_here);
		link->ack_due = false;
	} else if (now - link->sent >= link->limits.keepalive && !link->told) {
		record = link_record_acks(WIRE_TYPE_KEEPALIVE, link->acked_here);
	}
	if (record)
		link_writer_put(&link->writer, record);
	link->busy = record != NULL;
	return record != NULL;
}

static void link_write(struct link *link)
{
	int err = link_writer_step(&link->writer, link->stream);

	link->sent = stop_now();
	if (err == 0)
		return;
	pthread_mutex_lock(&link->lock);
	link->busy = false;
	/* What the peer sent before it went is still to be read: so only writing ends. */
	if (err < 0) {
		link_end(link, err, "%s%s",
			 err == -EPIPE ? LINK_ENDED : "cannot write to the stream: ",
			 err == -EPIPE ? "" : strerror(-err));
		link->dead = true;
	}
	link_change(link);
	pthread_mutex_unlock(&link->lock);
}

/* Whether the peer took too long, counted only while we read. */
static void link_check_silence(struct link *link, int64_t now)
{
	const char *why = NULL;
	int fate = -ETIMEDOUT;

	if (link->reader.record && link->lossy && now - link->reader.began >= link->limits.record) {
		why = "the stream is damaged: the end of a record did not come";
		fate = -EBADMSG;
	} else if (now - link->heard >= link->limits.silence) {
		why = "nothing came from the other side any more: it hangs, or the cable was pulled";
	}
	if (!why)
		return;
	pthread_mutex_lock(&link->lock);
	link_fail(link, fate, why);
	pthread_mutex_unlock(&link->lock);
}

/* When the thread must look again though nothing happens. Lock held. */
static int64_t link_until(const struct link *link, const struct link_events *events)
{
	int64_t until = STOP_NEVER, next;

	if (!events->out && !link->dead && !link->told)
		until = link->sent + link->limits.keepalive;
	if (!events->in || link->in_ended)
		return until;
	next = link->heard + link->limits.silence;
	if (link->reader.record && link->lossy && link->reader.began + link->limits.record < next)
		next = link->reader.began + link->limits.record;
	return next < until ? next : until;
}

/* What the thread waits for next, and until when. Returns false at its end. */
static bool link_prepare(struct link *link, struct link_events *events, int64_t *ret_until)
{
	int64_t now = stop_now();
	bool go;

	pthread_mutex_lock(&link->lock);
	go = !link->quit && !(link->dead && link->in_ended);
	events->out = link_choose(link, now);
	events->in = link->in_ended || !queue_full(&link->in);
	events->stop = !link->stopped;
	events->wake = true;
	if (link->paused && events->in)
		link->heard = link->reader.began = now;
	link->paused = !events->in;
	*ret_until = link_until(link, events);
	pthread_mutex_unlock(&link->lock);
	return go;
}

/* One turn. Returns false at the end. */
static bool link_turn(struct link *link)
{
	struct link_events events;
	bool reading, heard, more;
	eventfd_t count;
	int64_t until;
	int err;

	if (!link_prepare(link, &events, &until))
		return false;
	reading = events.in;
	more = reading && link->reader.more;
	err = link_poll(link, &events, more ? stop_now() : until);
	events.in |= more;
	pthread_mutex_lock(&link->lock);
	if (err) {
		link_end(link, err, "cannot wait for the stream: %s", strerror(-err));
		link->in_ended = link->dead = true;
	}
	if (events.stop) {
		link->stopped = true;
		link_fail(link, -EINTR, "stopped by a signal");
	}
	pthread_mutex_unlock(&link->lock);
	if (events.wake)
		eventfd_read(link->wake, &count);
	if (err)
		return false;
	if (events.out)
		link_write(link);
	heard = events.in && link_read(link);
	if (reading && !heard && !link->in_ended)
		link_check_silence(link, stop_now());
	return true;
}

void *link_pump(void *arg)
{
	struct link *link = arg;

	while (link_turn(link))
		;
	/* A device that has ended must be closed at once: it looks alive and is dead. */
	stream_hang_up(link->stream);
	pthread_mutex_lock(&link->lock);
	link->dead = link->in_ended = true;
	link_end(link, -EPIPE, "the link was closed");
	link_change(link);
	pthread_mutex_unlock(&link->lock);
	return NULL;
}
