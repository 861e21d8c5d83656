/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fault: a bad cable. It wraps what carries frames with the same interface, and loses, spoils,
 * doubles or holds up the frames that its rules name; the rest passes through.
 *
 * Frames are numbered from 0 per cable and direction as they pass, and, for a rule with a HopID,
 * per HopID. A rule takes effect on the first count frames from number at on that match it. Random
 * faults depend on the seed, the cable, the direction and the frame's number alone, so that a run
 * with the same frames has the same faults.
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "fabric.h"
#include "path.h"

#define FAULT_RULES_MAX 64u
#define FAULT_ANY	UINT32_MAX

enum fault_kind {
	FAULT_DROP,
	FAULT_CORRUPT, /* one bit flips, and the CRC does not tell */
	FAULT_CRC,     /* one bit flips, and the frame is marked as a CRC error */
	FAULT_DUPLICATE,
	FAULT_DELAY,  /* the frame, and what comes behind it, waits ms */
	FAULT_STALL,  /* the same; without ms until the faults are cleared */
	FAULT_UNPLUG, /* the frame is lost with the cable; with ms it is plugged in again then */
	FAULT_KINDS,
};

struct fault_rule {
	enum fault_kind kind;
	unsigned int cable;
	unsigned int direction; /* 0, 1, FAULT_ANY */
	unsigned int pdf;	/* of the frame's end, FAULT_ANY */
	unsigned int hop;	/* HopID on the cable, FAULT_ANY */
	uint64_t at[2];		/* by direction */
	uint64_t count;
	uint64_t ms;
	uint64_t taken; /* how often it took effect */
};

struct fault_random {
	uint32_t threshold; /* of 2^32; 0: off */
	unsigned int kinds; /* bit per enum fault_kind */
	uint64_t ms;
	uint64_t taken;
};

/* One direction of one cable. */
struct fault_lane {
	uint64_t seen; /* frames that have passed or were taken */
	uint64_t seen_hop[PATH_HOPS_MAX];
	uint64_t held_until; /* ms; 0: not held, CLOCK_NEVER: until cleared */
	bool was_held;	     /* the frame at the head has waited already */
};

struct fault {
	struct carrier inner;
	void (*plug)(void *ctx, unsigned int cable, bool plugged);
	void (*wake)(void *ctx); /* frames that were held may be offered again */
	void *ctx;
	uint64_t seed;
	uint64_t now; /* ms */
	struct fault_rule rules[FAULT_RULES_MAX];
	unsigned int rule_count;
	struct fault_random random;
	struct fault_lane lanes[FABRIC_CABLES_MAX][2];
	uint64_t replug[FABRIC_CABLES_MAX]; /* ms, CLOCK_NEVER */
};

/* Wraps inner. plug and wake are called from fault_carrier()'s carry and from fault_tick(). */
void fault_init(struct fault *fault, struct carrier inner, uint64_t seed,
		void (*plug)(void *ctx, unsigned int cable, bool plugged), void (*wake)(void *ctx),
		void *ctx);

struct carrier fault_carrier(struct fault *fault);

/* -ENOSPC. */
int fault_add(struct fault *fault, const struct fault_rule *rule);

/* Forgets the rules and the random faults, and lets go of what is held. */
void fault_clear(struct fault *fault);

/* Ends waits that are over at now (ms); returns when to call it again. */
uint64_t fault_tick(struct fault *fault, uint64_t now);

const char *fault_kind_name(enum fault_kind kind);

/* FAULT_KINDS if there is no such kind. */
enum fault_kind fault_kind_parse(const char *name);

#endif
