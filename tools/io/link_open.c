// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "io/link_internal.h"

static int link_start(struct link *link)
{
	sigset_t all, old;
	int err;

	link->sent = link->heard = stop_now();
	link->lossy = stream_lossy(link->stream);
	link->reopens = stream_reopens(link->stream);
	link->paused = link->stopped = link->in_ended = link->dead = link->quit = false;
	link->busy = link->ack_due = link->told = false;
	link->acked_here = link->acked_there = 0;
	link->fate = 0;
	link->why[0] = '\0';
	snprintf(link->name, sizeof(link->name), "%s", stream_name(link->stream));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = -pthread_create(&link->thread, NULL, link_pump, link);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	link->running = !err;
	return err;
}

int link_begin(struct link *link, const struct stream_options *options, char *ret_why, size_t len)
{
	int err = link_greet(link, options, ret_why, len);

	if (err)
		return err;
	err = link_start(link);
	if (err)
		snprintf(ret_why, len, "cannot start a thread: %s", strerror(-err));
	return err;
}

static struct link *link_new(const struct wire_hello *hello, const struct link_limits *limits)
{
	struct link *link = calloc(1, sizeof(*link));
	pthread_condattr_t monotonic;

	if (!link)
		return NULL;
	link->limits = *limits;
	link->hello = *hello;
	link->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	link->watch = -1;
	queue_setup(&link->in, LINK_QUEUE);
	queue_setup(&link->out, LINK_QUEUE);
	pthread_mutex_init(&link->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&link->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return link;
}

int link_open_limits(const struct stream_address *address, const struct stream_options *options,
		     const struct wire_hello *hello, const struct link_limits *limits,
		     struct link **ret, struct wire_hello *ret_peer, char *ret_why, size_t len)
{
	struct link *link = link_new(hello, limits);
	int err = 0;

	if (!link || link->wake < 0) {
		err = link ? -EMFILE : -ENOMEM;
		snprintf(ret_why, len, "cannot open the stream: %s", strerror(-err));
	}
	if (!err && options->records) {
		queue_setup(&link->in, options->records);
		queue_setup(&link->out, options->records);
	}
	if (!err)
		err = stream_open(address, options, &link->stream, ret_why, len);
	if (!err)
		err = link_begin(link, options, ret_why, len);
	if (err) {
		link_close(link);
		return err;
	}
	*ret_peer = link->peer;
	*ret = link;
	return 0;
}

int link_open(const struct stream_address *address, const struct stream_options *options,
	      const struct wire_hello *hello, struct link **ret, struct wire_hello *ret_peer,
	      char *ret_why, size_t len)
{
	return link_open_limits(address, options, hello, &link_limits_default, ret, ret_peer,
				ret_why, len);
}
