/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ring0: the control traffic of one host: requests of its connection manager on TX ring 0; replies,
 * plug events and XDomain packets to it on RX ring 0 (USB4 spec, "Control Packet Protocol" and
 * "Hot Plug and Hot Unplug"; kernel drivers/thunderbolt/ctl.c).
 *
 * Ring 0 is raw: frames carry their CRC, the PDF at their end is the packet's type. A plug event is
 * sent only once the router is valid and the lane's hot plug is enabled, unplug before plug, and
 * again until it is acknowledged.
 */
#ifndef RING0_H
#define RING0_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl.h"
#include "router.h"

#define RING0_QUEUE 32u /* packets that wait for a free descriptor */

struct host;

struct ring0_event {
	bool unplug; /* to be told, in this order */
	bool plug;
	uint64_t due; /* ms: send (again) then */
};

struct ring0 {
	struct ctl_packet queue[RING0_QUEUE];
	unsigned int head;
	unsigned int count;
	struct ring0_event events[ROUTER_PORTS_MAX];
};

void ring0_reset(struct ring0 *ring0);

/* Queues a packet to the host. Dropped if the queue is full: the sender repeats it. */
void ring0_send(struct ring0 *ring0, const struct ctl_packet *packet);

/* The link of port came up or went down: the connection manager is to be told. */
void ring0_plug(struct ring0 *ring0, unsigned int port, enum ctl_plug plug);
void ring0_plug_acked(struct ring0 *ring0, unsigned int port, enum ctl_plug plug);

/* Handles a bounded number of the host's packets and fills its RX ring. True: there is more to do
 * at once. */
bool ring0_pump(struct host *host);

/* Sends the plug events that are due at now (ms); returns when the next one will be. */
uint64_t ring0_tick(struct host *host, uint64_t now);

#endif
