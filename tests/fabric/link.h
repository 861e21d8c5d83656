/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link: the state of one cable's link: whether it is up, how wide, and what the two connection
 * managers are told of it (USB4 spec, "Lane Initialization", "Lane Bonding", "Downstream Port
 * Reset"; kernel drivers/thunderbolt/{tb,usb4,xdomain}.c).
 *
 * A link is up while the cable is plugged, both machines are on and their connection managers have
 * enumerated the routers (ROUTER_CS_3.V), and neither has its downstream port reset asserted. It
 * comes up after a short training. An XDomain request that came before a router is enumerated would
 * find Linux without a root switch: after a read of the router that timed out, it is an error
 * pointer that tb_xdp_handle_request follows (7.3.4, seen). When a host resets its port, unplug and
 * then plug must reach both hosts, or neither would look for the other again.
 */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stdint.h>

struct cable;

/* Something that the link depends on may have changed. now is in ms. */
void link_update(struct cable *cable, uint64_t now);

/* Takes the link down, whatever it depends on; it trains again at the next update. */
void link_drop(struct cable *cable);

/* Target widths, bonding or lane disables may have changed. */
void link_update_lanes(struct cable *cable);

/* True if training ended and the link came up. */
bool link_tick(struct cable *cable, uint64_t now);

#endif
