// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "io/link_internal.h"

bool link_fate_mends(int fate)
{
	switch (fate) {
	case 0:
	case -EINTR:
	case -ECANCELED:
	case -EPROTO:
	case -ENOMEM: return false;
	default: return true;
	}
}

/*
 * Writing ends before reading does: what the peer still said may be why. Nobody takes its records
 * any more, which must not keep the thread from reading. Lock held.
 */
static void link_wait_end(struct link *link)
{
	int64_t deadline = stop_deadline(link->limits.words);

	while (!link->in_ended) {
		queue_clear(&link->in);
		link_wake(link);
		if (link_wait(link, deadline))
			return;
	}
}

bool link_mends(struct link *link)
{
	bool mends = false;

	pthread_mutex_lock(&link->lock);
	if (link->fate && link->reopens) {
		link_wait_end(link);
		mends = link_fate_mends(link->fate);
	}
	pthread_mutex_unlock(&link->lock);
	return mends;
}

int link_renew(struct link *link, const struct stream_options *options, struct wire_hello *ret_peer,
	       char *ret_why, size_t len)
{
	char why[sizeof(link->why)];
	int err, fate;

	link_stop(link);
	fate = link->fate;
	memcpy(why, link->why, sizeof(why));
	queue_clear(&link->in);
	queue_clear(&link->out);
	err = link_reopen(link, options, stream_reopen, ret_why, len);
	if (!err)
		err = link_begin(link, options, ret_why, len);
	if (err) {
		link->fate = fate;
		memcpy(link->why, why, sizeof(why));
		link->in_ended = link->dead = true;
		return err;
	}
	*ret_peer = link->peer;
	return 0;
}
