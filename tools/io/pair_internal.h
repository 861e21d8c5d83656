/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pair.c (the calls and the waiting) and pair_step.c (what is done once) share. */
#ifndef IO_PAIR_INTERNAL_H
#define IO_PAIR_INTERNAL_H

#include "io/pair.h"

/* How long the side that follows waits to be led. */
#define PAIR_GRACE (5 * STOP_SECOND)
/* From a change at the peer to our doubt; longer each time, lest two doubters chase each other. */
#define PAIR_SETTLE	 (3 * STOP_SECOND)
#define PAIR_SETTLE_MOST (60 * STOP_SECOND)
/* A look without an event, should one have been lost. */
#define PAIR_TICK (5 * STOP_SECOND)
/* The same while other streams are in our way: their end is no event. */
#define PAIR_TICK_CROWDED STOP_SECOND
/* One change comes as several events. */
#define PAIR_QUIET (STOP_SECOND / 20)

struct pair {
	char name[PAIR_NAME_MOST + 1];
	struct pair_options options;
	int devices, config, uevents; /* descriptors; uevents is -1 where there is no netlink */
	int fd;
	struct pair_peer peer;
	char label[96];	 /* "debian (0-1)" */
	bool configured; /* the directory peer.service/name is there and has HopIDs */
	bool made;	 /* we made it, and remove it */
	bool lent;	 /* it was there without HopIDs: we take ours out at the end */
	bool reused;	 /* it was there with HopIDs: they may be out of date */
	bool crowded;	 /* other streams of ours have what the device needs */
	bool fresh;	 /* the next look makes it anew whatever it has */
	uint32_t avoid;	 /* HopIDs that a stream of the peer has, a bit each */
	int64_t grace;	 /* until when to wait to be led, 0: not begun */
	int64_t opened;	 /* when the device was */
	int64_t changed; /* when the peer's properties did since, 0: they did not */
	int64_t settle;	 /* how long after that we doubt */
	char told[256];
};

/* What to do about a name that was looked up. */
enum pair_step { PAIR_FOLLOW, PAIR_LEAD, PAIR_WAIT };

/* Whether HOST leads PEER: its router UUID is the lower one. */
bool pair_leads(const char *host, const char *peer);
/* The step for a name that the peer announces or not, as leader or not, within GRACE or not. */
enum pair_step pair_decide(bool announced, bool leads, bool grace);
/*
 * Chooses the peer with UUID, or the only one that offers streams where UUID is "". Returns 0 and
 * its index, -ENOTUNIQ, or -EAGAIN: none there, or it (whose index is in RET then, else COUNT)
 * offers none.
 */
int pair_choose(const struct pair_peer *peers, size_t count, const char *uuid, size_t *ret);
/*
 * Whether a pairing that was never answered is to be undone: the peer changed what it announces
 * since, and had the time to answer; or we, the side that yields, took over old HopIDs.
 */
bool pair_due(const struct pair *pair, int64_t now);

/*
 * One step each: 0 when it is done; -EAGAIN when something must happen first, which RET_WHY then
 * names as what we wait for ("the peer ..."); else -errno with a sentence.
 */
int pair_step_find(struct pair *pair, char *ret_why, size_t len);
int pair_step_configure(struct pair *pair, char *ret_why, size_t len);
int pair_step_attach(struct pair *pair, char *ret_why, size_t len);
/* Closes the device and takes back what was configured. */
void pair_step_undo(struct pair *pair);

#endif
