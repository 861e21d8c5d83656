/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB4STREAM over configfs: finds the peers in sysfs, pairs a stream by its name (design: the host
 * with the lower router UUID leads), opens its device.
 * Source of the files: Documentation/ABI/testing/configfs-thunderbolt_stream and
 * sysfs-bus-thunderbolt of the kernel.
 */
#ifndef IO_PAIR_H
#define IO_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/stop.h"

#define PAIR_NAME_MOST 8

struct pair_peer {
	char uuid[37];	  /* of the peer's router (sysfs unique_id) */
	char host[37];	  /* of our own router in that domain */
	char xdomain[24]; /* "0-1" */
	char service[32]; /* "0-1.2": the service with key `stream`, "" when the peer offers none */
	char name[65], vendor[65]; /* as the peer announces itself */
	char speed[24];		   /* "20.0 Gb/s", "" where the kernel does not say */
	int lanes;
};

struct pair_state {
	bool controller; /* a Thunderbolt/USB4 host router is there */
	bool configfs;	 /* thunderbolt/stream is there */
	char driver[24]; /* "thunderbolt_stream", "tbstream" or "" */
	struct pair_peer *peers;
	size_t peers_count;
};

/*
 * Looks, after loading thunderbolt and thunderbolt_stream (else tbstream) and mounting configfs
 * where they are missing and we may. Returns 0 and the state (pair_state_clear) or -errno.
 */
int pair_look(struct pair_state *ret);
void pair_state_clear(struct pair_state *state);

/* A stream that exists in configfs, for `tbstream status`. */
struct pair_local {
	char name[PAIR_NAME_MOST + 1];
	char service[32];
	int index, in_hopid, out_hopid;
	char user[64]; /* "tbsend (812)" when a process has its device open, else "" */
};
/* Returns 0, an array (free) and its length, or -errno. */
int pair_list(struct pair_local **ret, size_t *ret_count);

/*
 * Whether PEER announces a stream NAME: 1 or 0, or -errno. Makes and removes a directory for the
 * look; -EEXIST where the name is configured here already, which hides what the peer says.
 */
int pair_announced(const struct pair_peer *peer, const char *name);

/* A paired stream: its configfs directory, which is ours to remove, and its open device. */
struct pair;

struct pair_options {
	char peer[37]; /* "" for the only one */
	int64_t deadline;
	const char *there; /* what to start at the other side; NULL: tbsend or tbrecv */
	struct stop_waiting waiting;
};

/*
 * Pairs NAME and opens its device, non-blocking and locked (flock). Returns 0 and a pair
 * (pair_close), or -errno with a sentence in RET_WHY: -ENODEV no controller, -ENXIO no driver,
 * -EBUSY another process has the stream (named), -ENOTUNIQ several peers and none chosen (listed),
 * -ETIMEDOUT (which part was missing), -EINTR.
 */
int pair_open(const char *name, const struct pair_options *options, struct pair **ret,
	      char *ret_why, size_t len);
int pair_fd(const struct pair *pair);
const struct pair_peer *pair_peer(const struct pair *pair);
/* The stream NAME to PEER, for people: who that is, its router's UUID, and which way it lies. */
void pair_describe(const char *name, const struct pair_peer *peer, char *ret, size_t len);
/*
 * Nothing came over the stream yet: undoes and pairs again where that may help. The side with the
 * higher router UUID does so when it had taken over old HopIDs, either side when the peer has
 * changed what it announces since (somebody configures it by hand). Else -EALREADY: we stay. Cheap:
 * ask often.
 */
int pair_renew(struct pair *pair, int64_t deadline, char *ret_why, size_t len);
/*
 * Who answers is not whom we look for: a stream of another name that took the same HopIDs. The side
 * with the higher router UUID pairs again with others, the other side only opens again.
 */
int pair_refuse(struct pair *pair, int64_t deadline, char *ret_why, size_t len);
/* The stream ended, or the cable went: closes the device. What is configured stays. */
void pair_hang_up(struct pair *pair);
/* The same, and opens it again, once it is attached. */
int pair_reopen(struct pair *pair, int64_t deadline, char *ret_why, size_t len);
/* Closes the device and removes what we made in configfs, empty parents included. NULL is fine. */
void pair_close(struct pair *pair);

#endif
