// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/link.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/link_internal.h"

void link_wake(struct link *link)
{
	eventfd_write(link->wake, 1);
}

void link_change(struct link *link)
{
	pthread_cond_broadcast(&link->changed);
	if (link->watch >= 0)
		eventfd_write(link->watch, 1);
}

int link_wait(struct link *link, int64_t deadline)
{
	struct timespec until = {
		.tv_sec = deadline / STOP_SECOND,
		.tv_nsec = deadline % STOP_SECOND,
	};

	if (deadline == STOP_NEVER)
		return -pthread_cond_wait(&link->changed, &link->lock);
	return -pthread_cond_timedwait(&link->changed, &link->lock, &until);
}

void link_end(struct link *link, int fate, const char *format, ...)
{
	va_list args;

	/* What the peer says is worth more than that it cannot be written to. */
	if (link->fate && !(link->fate == -EPIPE && fate == -ECANCELED))
		return;
	link->fate = fate;
	va_start(args, format);
	vsnprintf(link->why, sizeof(link->why), format, args);
	va_end(args);
	link_change(link);
}

void link_say(struct link *link, const char *sentence)
{
	if (link->told || link->dead)
		return;
	queue_clear(&link->out);
	link->words = link_record_abort(sentence);
	link->told = true;
	link_change(link);
}

int link_put(struct link *link, struct link_record *record)
{
	int fate;

	/* Here, not in the thread: it has the stream to serve. */
	record->hash = wire_payload_hash(record->payload, record->length);
	pthread_mutex_lock(&link->lock);
	while (!link->fate && queue_full(&link->out))
		link_wait(link, STOP_NEVER);
	fate = link->fate;
	if (!fate) {
		/* No old count may follow it. */
		if (record->type == WIRE_TYPE_ACCEPT) {
			link->acked_here = 0;
			link->ack_due = false;
		}
		queue_put(&link->out, record);
	}
	pthread_mutex_unlock(&link->lock);
	if (fate)
		free(record);
	else
		link_wake(link);
	return fate;
}

int link_get(struct link *link, int64_t deadline, struct link_record **ret)
{
	struct link_record *record;
	int err = 0;

	pthread_mutex_lock(&link->lock);
	while (!err && queue_empty(&link->in) && !link->in_ended)
		err = link_wait(link, deadline);
	record = queue_get(&link->in);
	if (record)
		err = 0;
	else if (link->in_ended)
		err = link->fate;
	pthread_mutex_unlock(&link->lock);
	if (!record)
		return err;
	link_wake(link);
	*ret = record;
	return 0;
}

int link_flush(struct link *link, int64_t deadline)
{
	int err = 0;

	pthread_mutex_lock(&link->lock);
	while (!err && !link->fate && (link->busy || !queue_empty(&link->out)))
		err = link_wait(link, deadline);
	if (link->fate)
		err = link->fate;
	pthread_mutex_unlock(&link->lock);
	return err;
}

int link_wait_acked(struct link *link, uint64_t chunks, int64_t deadline)
{
	int err = 0;

	pthread_mutex_lock(&link->lock);
	while (!err && link->acked_there <= chunks && queue_empty(&link->in) && !link->in_ended)
		err = link_wait(link, deadline);
	if (link->acked_there > chunks || !queue_empty(&link->in))
		err = 0;
	else if (link->in_ended)
		err = link->fate;
	pthread_mutex_unlock(&link->lock);
	return err;
}

void link_acknowledge(struct link *link, uint64_t chunks)
{
	bool more;

	pthread_mutex_lock(&link->lock);
	more = chunks > link->acked_here;
	if (more) {
		link->acked_here = chunks;
		link->ack_due = true;
	}
	pthread_mutex_unlock(&link->lock);
	if (more)
		link_wake(link);
}

uint64_t link_acked(struct link *link)
{
	uint64_t chunks;

	pthread_mutex_lock(&link->lock);
	chunks = link->acked_there;
	pthread_mutex_unlock(&link->lock);
	return chunks;
}

bool link_time(struct link *link, struct wire_time *ret)
{
	bool came;

	pthread_mutex_lock(&link->lock);
	came = link->time_came;
	if (came)
		*ret = link->time_there;
	pthread_mutex_unlock(&link->lock);
	return came;
}

/* Waits until the last words are out, or cannot be. Lock held. */
static void link_wait_words(struct link *link)
{
	int64_t deadline = stop_deadline(link->limits.words);

	while (link->told && !link->dead && (link->words || link->busy)) {
		if (link_wait(link, deadline))
			return;
	}
}

void link_abort(struct link *link, const char *sentence)
{
	pthread_mutex_lock(&link->lock);
	link_say(link, sentence);
	link_end(link, -ECANCELED, "%s", sentence);
	pthread_mutex_unlock(&link->lock);
	link_wake(link);
	pthread_mutex_lock(&link->lock);
	link_wait_words(link);
	pthread_mutex_unlock(&link->lock);
}

void link_why(struct link *link, char *ret, size_t len)
{
	pthread_mutex_lock(&link->lock);
	snprintf(ret, len, "%s", link->why);
	pthread_mutex_unlock(&link->lock);
}

bool link_ended(struct link *link)
{
	bool ended;

	pthread_mutex_lock(&link->lock);
	ended = link->fate != 0;
	pthread_mutex_unlock(&link->lock);
	return ended;
}

int link_watch(struct link *link)
{
	int fd;

	pthread_mutex_lock(&link->lock);
	if (link->watch < 0)
		link->watch = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fd = link->watch < 0 ? -errno : link->watch;
	pthread_mutex_unlock(&link->lock);
	return fd;
}

void link_watched(struct link *link)
{
	eventfd_t count;

	eventfd_read(link->watch, &count);
}

bool link_ready(struct link *link)
{
	bool ready;

	pthread_mutex_lock(&link->lock);
	ready = link->in_ended || !queue_empty(&link->in);
	pthread_mutex_unlock(&link->lock);
	return ready;
}

bool link_room(struct link *link)
{
	bool room;

	pthread_mutex_lock(&link->lock);
	room = !link->fate && !queue_full(&link->out);
	pthread_mutex_unlock(&link->lock);
	return room;
}

const char *link_name(const struct link *link)
{
	return link->name;
}

void link_stop(struct link *link)
{
	if (!link->running)
		return;
	pthread_mutex_lock(&link->lock);
	link_wait_words(link);
	link->quit = true;
	pthread_mutex_unlock(&link->lock);
	link_wake(link);
	pthread_join(link->thread, NULL);
	link->running = false;
}

void link_close(struct link *link)
{
	if (!link)
		return;
	link_stop(link);
	stream_close(link->stream);
	link_reader_clear(&link->reader);
	link_writer_clear(&link->writer);
	queue_clear(&link->in);
	queue_clear(&link->out);
	free(link->words);
	if (link->wake >= 0)
		close(link->wake);
	if (link->watch >= 0)
		close(link->watch);
	pthread_cond_destroy(&link->changed);
	pthread_mutex_destroy(&link->lock);
	free(link);
}
