/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fabric: the hosts and the cables between them. It decides when a link is up, tells both ends, and
 * carries frames from the TX ring at one end to the RX ring at the other, straight from guest
 * memory to guest memory (USB4 spec, "Lane Initialization", "Transport Layer", "Host Interface:
 * End-to-End Flow Control"; kernel drivers/thunderbolt/{nhi,tb,tunnel}.c).
 *
 * A frame takes TX ring -> host interface adapter's hop table -> lane -> cable -> lane's hop table
 * at the other end -> host interface adapter -> RX ring. A TX ring with end-to-end flow control
 * waits while there is no valid path or no free RX descriptor; without it the frame is dropped.
 */
#ifndef FABRIC_H
#define FABRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"

#define FABRIC_HOSTS_MAX  16u
#define FABRIC_CABLES_MAX 32u

/* A frame on its way through a cable. The data is in guest memory and can change at any time. */
struct frame {
	unsigned int cable;
	unsigned int direction; /* 0: from the cable's first end to its second */
	unsigned int hop;	/* HopID on the cable */
	const uint8_t *data;
	unsigned int length;
	unsigned int sof;
	unsigned int eof;
	bool crc_error;
	bool flow_control; /* end-to-end: may be asked to wait */
};

/*
 * What carries frames: the cable, or something wrapped around it. 0: the frame is gone, delivered
 * or lost; -EAGAIN: it must wait, and will be offered again.
 */
struct carrier {
	int (*carry)(void *ctx, const struct frame *frame);
	void *ctx;
};

struct cable_end {
	struct host *host;
	unsigned int port;
};

struct cable_count {
	uint64_t frames; /* delivered */
	uint64_t bytes;
	uint64_t dropped; /* no path, no descriptor, or not wanted by the RX ring */
};

struct cable {
	struct cable_end end[2];
	bool plugged;
	bool linked;
	uint64_t trained; /* ms: when training ends, CLOCK_NEVER while there is nothing to train */
	struct cable_count count[2]; /* by direction */
};

struct fabric {
	struct host *hosts;
	unsigned int host_count;
	struct cable *cables;
	unsigned int cable_count;
	struct carrier carrier; /* what frames are given to: the cables, or a wrapper around them */
	bool moved;		/* frames left a TX ring in the last turn */
};

/* Joins hosts and cables, which stay the caller's. The ends name host and port. */
void fabric_init(struct fabric *fabric, struct host *hosts, unsigned int host_count,
		 struct cable *cables, unsigned int cable_count);

/* The callbacks to give to host_init(); their context is the fabric. */
extern const struct host_ops fabric_host_ops;

/* The cables themselves, for a wrapper. */
struct carrier fabric_carrier(struct fabric *fabric);

void fabric_plug(struct fabric *fabric, unsigned int cable, bool plugged);

/* TX rings that wait try again: whatever held them may have gone. */
void fabric_wake(struct fabric *fabric);

/* Does a bounded amount of work; returns how long to wait before the next turn, in ms, 0: not at
 * all, -1: until something happens. */
int fabric_turn(struct fabric *fabric);

#endif
