// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/pair_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/pair_config.h"
#include "io/pair_holder.h"
#include "io/pair_sysfs.h"

#define PAIR_HOPID_LIMIT 2047 /* the field has 11 bits */

bool pair_leads(const char *host, const char *peer)
{
	return strcasecmp(host, peer) < 0;
}

enum pair_step pair_decide(bool announced, bool leads, bool grace)
{
	if (announced)
		return PAIR_FOLLOW;
	return leads || !grace ? PAIR_LEAD : PAIR_WAIT;
}

int pair_choose(const struct pair_peer *peers, size_t count, const char *uuid, size_t *ret)
{
	size_t offers = 0, last = count;

	for (size_t i = 0; i < count; i++) {
		if (uuid[0] && strcasecmp(peers[i].uuid, uuid) != 0)
			continue;
		if (peers[i].service[0])
			offers++;
		if (peers[i].service[0] || last == count)
			last = i;
	}
	if (offers > 1 && !uuid[0])
		return -ENOTUNIQ;
	*ret = last;
	return offers ? 0 : -EAGAIN;
}

bool pair_due(const struct pair *pair, int64_t now)
{
	bool leads = pair_leads(pair->peer.host, pair->peer.uuid);

	/* The side that leads is slower to doubt: where both do, one must stay. */
	if (pair->changed)
		return now - pair->changed >= (leads ? 2 : 1) * pair->settle;
	return pair->reused && !leads && now - pair->opened >= PAIR_GRACE;
}

/* "A (uuid), B (uuid)" of the peers that offer streams. */
static void pair_list_peers(const struct pair_peer *peers, size_t count, char *ret, size_t len)
{
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < count && used < len; i++) {
		if (peers[i].service[0])
			used += snprintf(ret + used, len - used, "%s%s %s", used ? ", " : "",
					 peers[i].uuid, peers[i].name);
	}
}

static int pair_find_explain(const struct pair *pair, const struct pair_peer *peers, size_t count,
			     size_t chosen, int err, char *ret_why, size_t len)
{
	char list[512];

	if (err == -ENOTUNIQ) {
		pair_list_peers(peers, count, list, sizeof(list));
		snprintf(ret_why, len,
			 "there are several machines at the other end: choose one "
			 "with --peer: %s",
			 list);
	} else if (chosen < count) {
		snprintf(ret_why, len,
			 "%s (%s) to offer streams (thunderbolt_stream or "
			 "tbstream must be loaded there)",
			 peers[chosen].name, peers[chosen].xdomain);
	} else if (pair->options.peer[0]) {
		snprintf(ret_why, len,
			 "the machine %s at the other end of a Thunderbolt/USB4 cable",
			 pair->options.peer);
	} else {
		snprintf(ret_why, len, "a machine at the other end of a Thunderbolt/USB4 cable");
	}
	return err;
}

int pair_step_find(struct pair *pair, char *ret_why, size_t len)
{
	struct pair_peer *peers, *peer;
	size_t count, chosen = 0;
	int err;

	err = pair_sysfs_peers(pair->devices, &peers, &count);
	if (err) {
		snprintf(ret_why, len, "cannot read the Thunderbolt/USB4 peers from /sys: %s",
			 strerror(-err));
		return err;
	}
	/* Several peers are a question only as long as none was paired with. */
	err = pair_choose(peers, count, pair->configured ? pair->peer.uuid : pair->options.peer,
			  &chosen);
	if (err) {
		err = pair_find_explain(pair, peers, count, chosen, err, ret_why, len);
		free(peers);
		return err;
	}
	peer = &peers[chosen];
	if (strcmp(pair->peer.service, peer->service) != 0 ||
	    strcmp(pair->peer.uuid, peer->uuid) != 0) {
		/* Services are numbered anew when they come back: the old directory is nobody's. */
		pair_step_undo(pair);
		pair->grace = 0;
	}
	pair->peer = *peer;
	snprintf(pair->label, sizeof(pair->label), "%s (%s)", peer->name, peer->xdomain);
	free(peers);
	return 0;
}

/* The device file of the stream with INDEX. */
static void pair_device(int index, char *ret, size_t len)
{
	snprintf(ret, len, "/dev/tbstream%d", index);
}

static int pair_busy_explain(const struct pair *pair, const char *holder, char *ret_why, size_t len)
{
	snprintf(ret_why, len,
		 "the stream %s is in use by %s: end it first, or choose another name", pair->name,
		 holder);
	return -EBUSY;
}

static int pair_refuse_busy(const struct pair *pair, const struct pair_local *local, char *ret_why,
			    size_t len)
{
	char device[32], holder[64] = "another process";
	struct stat st;

	pair_device(local->index, device, sizeof(device));
	if (stat(device, &st) == 0 && !pair_holder_find(st.st_rdev, holder, sizeof(holder)))
		snprintf(holder, sizeof(holder), "another process");
	return pair_busy_explain(pair, holder, ret_why, len);
}

static int pair_configure_explain(const struct pair *pair, int err, char *ret_why, size_t len)
{
	if (err == -EACCES || err == -EPERM)
		snprintf(ret_why, len, "cannot configure the stream %s: only root may", pair->name);
	else if (err == -ENOSPC)
		snprintf(ret_why, len,
			 "every HopID of the cable to %s is in use: end another "
			 "stream first",
			 pair->label);
	else
		snprintf(ret_why, len, "cannot configure the stream %s in configfs for %s: %s",
			 pair->name, pair->peer.service, strerror(-err));
	return err;
}

/*
 * Makes the directory so that the driver has just looked for the peer's announcement, or takes over
 * one that has HopIDs and that nobody holds.
 */
static int pair_configure_look(struct pair *pair, struct pair_local *ret, char *ret_why, size_t len)
{
	const char *service = pair->peer.service;
	int err = pair_config_add(pair->config, service, pair->name);

	if (!err) {
		pair->made = true;
	} else if (err == -EEXIST) {
		err = pair_config_read(pair->config, service, pair->name, ret);
		if (!err)
			err = pair_config_busy(pair->config, service, pair->name);
		if (err > 0)
			return pair_refuse_busy(pair, ret, ret_why, len);
		if (!err)
			err = pair_config_interrupts(pair->config, service, pair->name);
		if (!err && !pair->fresh && ret->in_hopid > 0 && ret->out_hopid > 0) {
			pair->reused = true;
			return 0;
		}
		pair->lent = true;
		if (!err)
			err = pair_config_again(pair->config, service, pair->name);
	}
	if (!err)
		err = pair_config_read(pair->config, service, pair->name, ret);
	return err ? pair_configure_explain(pair, err, ret_why, len) : 0;
}

static bool pair_hopid_valid(int hopid)
{
	return hopid >= PAIR_HOPID_LEAST && hopid <= PAIR_HOPID_LIMIT;
}

/* Removes the directory again until the peer leads: an old look would hide what it announces. */
static int pair_configure_wait(struct pair *pair, char *ret_why, size_t len)
{
	if (pair->made) {
		pair_config_remove(pair->config, pair->peer.service, pair->name);
		pair->made = false;
	}
	snprintf(ret_why, len, "%s to announce the stream %s (start %s there)", pair->label,
		 pair->name, pair->options.there ? pair->options.there : "tbsend or tbrecv");
	return -EAGAIN;
}

int pair_step_configure(struct pair *pair, char *ret_why, size_t len)
{
	struct pair_local local;
	bool announced, leads;
	int err;

	if (pair->configured)
		return 0;
	if (!pair->grace)
		pair->grace = stop_deadline(PAIR_GRACE);
	err = pair_configure_look(pair, &local, ret_why, len);
	if (err)
		return err;
	announced = pair_hopid_valid(local.in_hopid) && pair_hopid_valid(local.out_hopid);
	leads = pair_leads(pair->peer.host, pair->peer.uuid);
	switch (pair_decide(announced, leads, stop_now() < pair->grace)) {
	case PAIR_FOLLOW: break;
	case PAIR_WAIT: return pair_configure_wait(pair, ret_why, len);
	case PAIR_LEAD:
		err = pair_config_allocate(pair->config, pair->peer.service, pair->name,
					   pair_sysfs_maxhopid(pair->devices, &pair->peer), leads,
					   pair->avoid);
		if (err)
			return pair_configure_explain(pair, err, ret_why, len);
		break;
	}
	pair->configured = true;
	pair->fresh = false;
	return 0;
}

int pair_step_attach(struct pair *pair, char *ret_why, size_t len)
{
	char device[32], holder[64];
	struct pair_local local;
	int err;

	err = pair_config_read(pair->config, pair->peer.service, pair->name, &local);
	if (err)
		return pair_configure_explain(pair, err, ret_why, len);
	pair_device(local.index, device, sizeof(device));
	err = pair_holder_open(device, holder, sizeof(holder));
	if (err >= 0) {
		pair->fd = err;
		pair->opened = stop_now();
		pair->changed = 0;
		return 0;
	}
	if (err == -ENXIO) {
		snprintf(ret_why, len, "the cable to %s", pair->label);
		return -EAGAIN;
	}
	if (err == -EBUSY)
		return pair_busy_explain(pair, holder, ret_why, len);
	pair->crowded = err == -ENOMEM;
	if (pair->crowded) {
		/* What the driver says too when it took over a HopID that we use elsewhere. */
		pair_step_undo(pair);
		pair->fresh = true;
		snprintf(ret_why, len, "other streams of this machine to leave room for %s",
			 pair->name);
		return -EAGAIN;
	}
	snprintf(ret_why, len, "cannot open %s, the stream %s to %s: %s", device, pair->name,
		 pair->label, strerror(-err));
	return err;
}

void pair_step_undo(struct pair *pair)
{
	if (pair->fd >= 0)
		close(pair->fd);
	pair->fd = -1;
	if (pair->made)
		pair_config_remove(pair->config, pair->peer.service, pair->name);
	else if (pair->lent)
		pair_config_withdraw(pair->config, pair->peer.service, pair->name);
	pair->made = pair->lent = pair->reused = pair->configured = false;
}
