// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/pair.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/pair_config.h"
#include "io/pair_internal.h"
#include "io/pair_module.h"
#include "io/pair_sysfs.h"
#include "io/uevent.h"

/* Takes what events there are. Returns whether one was about the bus of our peers. */
static bool pair_events(struct pair *pair)
{
	struct uevent event;
	bool ours = false;
	int err;

	if (pair->uevents < 0)
		return false;
	while ((err = uevent_read(pair->uevents, &event)) == 0 || err == -ENOBUFS) {
		if (err || strcmp(event.subsystem, "thunderbolt") == 0)
			ours = true;
	}
	return ours;
}

static void pair_tell(struct pair *pair, const char *what)
{
	char sentence[sizeof(pair->told)];

	snprintf(sentence, sizeof(sentence), "waiting for %.*s", (int)sizeof(sentence) - 16, what);
	if (!pair->options.waiting.tell || strcmp(sentence, pair->told) == 0)
		return;
	strcpy(pair->told, sentence);
	pair->options.waiting.tell(pair->options.waiting.arg, sentence);
}

/* Waits until something happens on the bus, or UNTIL. Returns 0 in both cases, or -EINTR. */
static int pair_wait(struct pair *pair, int64_t until)
{
	bool ours = false;

	for (;;) {
		/* After the first event only until it is quiet: the last one is the service's. */
		int64_t quiet = stop_deadline(PAIR_QUIET);
		int err = stop_poll(pair->uevents, POLLIN, ours && quiet < until ? quiet : until);

		if (err == -ETIMEDOUT)
			return 0;
		if (err < 0)
			return err;
		if (pair_events(pair))
			ours = true;
	}
}

static int pair_steps(struct pair *pair, char *ret_why, size_t len)
{
	int err = pair_step_find(pair, ret_why, len);

	if (!err)
		err = pair_step_configure(pair, ret_why, len);
	if (!err)
		err = pair_step_attach(pair, ret_why, len);
	return err;
}

static int pair_run(struct pair *pair, int64_t deadline, char *ret_why, size_t len)
{
	for (;;) {
		char what[768];
		int64_t until;
		int err;

		pair->crowded = false;
		err = pair_steps(pair, what, sizeof(what));
		until = stop_deadline(pair->crowded ? PAIR_TICK_CROWDED : PAIR_TICK);
		if (err != -EAGAIN) {
			if (err)
				snprintf(ret_why, len, "%s", what);
			return err;
		}
		if (stop_now() >= deadline) {
			snprintf(ret_why, len, "timed out waiting for %s", what);
			return -ETIMEDOUT;
		}
		pair_tell(pair, what);
		if (pair->grace > stop_now() && pair->grace < until)
			until = pair->grace;
		if (pair_wait(pair, until < deadline ? until : deadline)) {
			snprintf(ret_why, len, "stopped by a signal while waiting for %s", what);
			return -EINTR;
		}
	}
}

/* Opens what the steps work on. */
static int pair_prepare(struct pair *pair, char *ret_why, size_t len)
{
	pair_module_load();
	pair->devices = pair_sysfs_open();
	if (pair->devices < 0 || !pair_sysfs_controller(pair->devices)) {
		snprintf(ret_why, len,
			 "no Thunderbolt/USB4 host controller here: it may be off in "
			 "the firmware's setup, or the driver thunderbolt is missing");
		return -ENODEV;
	}
	pair->config = pair_config_open();
	if (pair->config < 0) {
		snprintf(
			ret_why, len,
			pair_module_driver()[0]
				? "no thunderbolt/stream in configfs: mount it with `mount -t configfs "
				  "configfs /sys/kernel/config`"
				: "no driver for USB4STREAM here: neither thunderbolt_stream (Linux 7.2 and "
				  "later) nor tbstream is loaded or can be");
		return -ENXIO;
	}
	/* Before the first look, so that nothing between it and a wait is missed. */
	pair->uevents = uevent_open();
	if (pair->uevents < 0)
		pair->uevents = -1;
	return 0;
}

int pair_open(const char *name, const struct pair_options *options, struct pair **ret,
	      char *ret_why, size_t len)
{
	struct pair *pair;
	int err;

	pair = calloc(1, sizeof(*pair));
	if (!pair || strlen(name) >= sizeof(pair->name)) {
		err = pair ? -EINVAL : -ENOMEM;
		snprintf(ret_why, len, "cannot pair the stream %s: %s", name, strerror(-err));
		free(pair);
		return err;
	}
	strcpy(pair->name, name);
	pair->options = *options;
	pair->settle = PAIR_SETTLE;
	pair->devices = pair->config = pair->uevents = pair->fd = -1;
	err = pair_prepare(pair, ret_why, len);
	if (!err)
		err = pair_run(pair, options->deadline, ret_why, len);
	if (err) {
		pair_close(pair);
		return err;
	}
	*ret = pair;
	return 0;
}

int pair_fd(const struct pair *pair)
{
	return pair->fd;
}

const struct pair_peer *pair_peer(const struct pair *pair)
{
	return &pair->peer;
}

void pair_describe(const char *name, const struct pair_peer *peer, char *ret, size_t len)
{
	snprintf(ret, len, "%s (peer %s, %s, route %s)", name, peer->name, peer->uuid,
		 peer->xdomain);
}

int pair_renew(struct pair *pair, int64_t deadline, char *ret_why, size_t len)
{
	int64_t now = stop_now();

	if (pair_events(pair))
		pair->changed = now;
	if (!pair_due(pair, now))
		return -EALREADY;
	if (pair->settle < PAIR_SETTLE_MOST)
		pair->settle *= 2;
	pair_step_undo(pair);
	pair->fresh = true;
	pair->grace = now;
	return pair_run(pair, deadline, ret_why, len);
}

int pair_refuse(struct pair *pair, int64_t deadline, char *ret_why, size_t len)
{
	struct pair_local local;

	if (pair_leads(pair->peer.host, pair->peer.uuid))
		return pair_reopen(pair, deadline, ret_why, len);
	if (pair_config_read(pair->config, pair->peer.service, pair->name, &local) == 0 &&
	    local.in_hopid >= PAIR_HOPID_LEAST && local.in_hopid <= PAIR_HOPID_MOST)
		pair->avoid |= 1u << local.in_hopid;
	pair_step_undo(pair);
	pair->fresh = true;
	pair->grace = stop_now();
	return pair_run(pair, deadline, ret_why, len);
}

void pair_hang_up(struct pair *pair)
{
	if (pair->fd >= 0)
		close(pair->fd);
	pair->fd = -1;
}

int pair_reopen(struct pair *pair, int64_t deadline, char *ret_why, size_t len)
{
	pair_hang_up(pair);
	return pair_run(pair, deadline, ret_why, len);
}

void pair_close(struct pair *pair)
{
	if (!pair)
		return;
	pair_step_undo(pair);
	if (pair->uevents >= 0)
		close(pair->uevents);
	if (pair->config >= 0)
		close(pair->config);
	if (pair->devices >= 0)
		close(pair->devices);
	free(pair);
}
