/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * router: a host router, its configuration space and the control packets that it answers (USB4
 * spec, "Router Configuration Space", "TMU Router Configuration Capability", "Router Operations";
 * kernel drivers/thunderbolt/tb_regs.h, ctl.c, switch.c, usb4.c).
 *
 * Adapters of a router with P ports: 0 control, 2p+1 and 2p+2 the lanes of port p, 2P+1 the host
 * interface. The route string of the host behind port p is the number of its first lane.
 */
#ifndef ROUTER_H
#define ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "adapter.h"
#include "ctl.h"

/*
 * A walk over capabilities ends by reading word 0 as a capability header, so byte 1 of the vendor
 * must not be a capability's number.
 */
#define ROUTER_VENDOR UINT32_C(0x1234)
#define ROUTER_DEVICE UINT32_C(0x5b44)

#define ROUTER_PORTS_MAX    8u
#define ROUTER_ADAPTERS_MAX (2 * ROUTER_PORTS_MAX + 2)
#define ROUTER_WORDS	    0x3cu

struct router;

/* What a router tells its surroundings. */
struct router_ops {
	/* Whether the link of port is up. */
	bool (*port_linked)(void *ctx, unsigned int port);
	/* Registers of port changed that the link depends on: reset, lanes, hot plug, paths. */
	void (*port_changed)(void *ctx, unsigned int port);
	/* Paths or the router itself were configured. */
	void (*configured)(void *ctx);
	/* An XDomain packet for the host behind port. */
	void (*xdomain)(void *ctx, unsigned int port, struct ctl_packet *packet);
	/* The connection manager has seen the plug event of port. */
	void (*plug_acked)(void *ctx, unsigned int port, enum ctl_plug plug);
};

struct router {
	uint32_t words[ROUTER_WORDS];
	struct adapter adapters[ROUTER_ADAPTERS_MAX];
	unsigned int ports;
	unsigned int lanes; /* per port, 1 or 2 */
	uint64_t unique_id;
	const struct router_ops *ops;
	void *ctx;
};

/* ports 1..ROUTER_PORTS_MAX, lanes 1 or 2. */
void router_init(struct router *router, unsigned int ports, unsigned int lanes, uint64_t unique_id,
		 const struct router_ops *ops, void *ctx);

/* Everything as after power on. */
void router_reset(struct router *router);

/* Handles a packet that the host has sent. True if there is a reply, in *packet. */
bool router_handle(struct router *router, struct ctl_packet *packet);

/* Whether the connection manager has set the router up. */
bool router_valid(const struct router *router);

struct adapter *router_lane(struct router *router, unsigned int port, unsigned int lane);
struct adapter *router_host_adapter(struct router *router);
unsigned int router_lane_number(unsigned int port);

/* The port whose lane has this adapter number; false for other adapters. */
bool router_port_of(const struct router *router, unsigned int adapter, unsigned int *ret_port);

#endif
