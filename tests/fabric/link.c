// SPDX-License-Identifier: GPL-2.0-or-later
#include "clock.h"
#include "fabric.h"
#include "link.h"
#include "log.h"

#define TRAINING_MS 50u

static struct adapter *end_lane(struct cable *cable, unsigned int end, unsigned int lane)
{
	return router_lane(&cable->end[end].host->router, cable->end[end].port, lane);
}

static void set_lanes(struct cable *cable, enum adapter_state state, unsigned int width)
{
	for (unsigned int end = 0; end < 2; end++) {
		for (unsigned int lane = 0; lane < 2; lane++) {
			struct adapter *adapter = end_lane(cable, end, lane);
			bool disabled;

			if (adapter->kind == ADAPTER_ABSENT)
				continue;
			disabled = adapter_lane_disabled(adapter);
			adapter_set_link(adapter, disabled ? ADAPTER_DISABLED : state, width);
		}
	}
}

static void tell(struct cable *cable, enum ctl_plug plug)
{
	for (unsigned int end = 0; end < 2; end++) {
		if (cable->end[end].host->powered)
			ring0_plug(&cable->end[end].host->ring0, cable->end[end].port, plug);
	}
}

static void log_link(const struct cable *cable)
{
	log_event("cable %d: %s", cable->end[0].host->cable_of[cable->end[0].port],
		  cable->linked ? "linked" : "down");
}

void link_drop(struct cable *cable)
{
	cable->trained = CLOCK_NEVER;
	set_lanes(cable, ADAPTER_UNPLUGGED, 1);
	if (!cable->linked)
		return;
	cable->linked = false;
	tell(cable, CTL_UNPLUG);
	log_link(cable);
}

static bool host_answers(const struct host *host)
{
	return host->powered && router_valid(&host->router);
}

static bool link_possible(struct cable *cable)
{
	return cable->plugged && host_answers(cable->end[0].host) &&
	       host_answers(cable->end[1].host) && !adapter_port_reset(end_lane(cable, 0, 0)) &&
	       !adapter_port_reset(end_lane(cable, 1, 0));
}

void link_update(struct cable *cable, uint64_t now)
{
	if (!link_possible(cable)) {
		link_drop(cable);
		return;
	}
	if (cable->linked || cable->trained != CLOCK_NEVER)
		return;
	cable->trained = now + TRAINING_MS;
	set_lanes(cable, ADAPTER_TRAINING, 1);
}

bool link_tick(struct cable *cable, uint64_t now)
{
	if (cable->trained > now)
		return false;
	cable->trained = CLOCK_NEVER;
	cable->linked = true;
	set_lanes(cable, ADAPTER_UP, 1);
	tell(cable, CTL_PLUG);
	log_link(cable);
	return true;
}

/* Both sides must want two lanes, and the one that leads must ask for the bond. */
static bool link_bonded(struct cable *cable)
{
	bool asked = false;

	for (unsigned int end = 0; end < 2; end++) {
		for (unsigned int lane = 0; lane < 2; lane++) {
			const struct adapter *adapter = end_lane(cable, end, lane);

			if (adapter->kind == ADAPTER_ABSENT || !adapter_wants_dual(adapter) ||
			    adapter_lane_disabled(adapter))
				return false;
		}
		asked |= adapter_bonding(end_lane(cable, end, 0));
	}
	return asked;
}

void link_update_lanes(struct cable *cable)
{
	if (cable->linked)
		set_lanes(cable, ADAPTER_UP, link_bonded(cable) ? 2 : 1);
}
