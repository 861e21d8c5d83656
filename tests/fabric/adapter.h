/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adapter: the configuration space of one adapter of a host router (USB4 spec, "Adapter
 * Configuration Space", "Lane Adapter Configuration Capability", "USB4 Port Capability", "TMU
 * Adapter Configuration Capability"; kernel drivers/thunderbolt/tb_regs.h).
 *
 * A router has the control adapter 0, two lane adapters per USB4 port (the second may be absent),
 * and last the host interface adapter.
 */
#ifndef ADAPTER_H
#define ADAPTER_H

#include <stdbool.h>
#include <stdint.h>

#include "path.h"

#define ADAPTER_WORDS 0x34u

enum adapter_kind {
	ADAPTER_ABSENT,
	ADAPTER_LANE0, /* carries the port's USB4 port capability */
	ADAPTER_LANE1,
	ADAPTER_HOST,
};

/* Lane states, as in the lane adapter capability. */
enum adapter_state {
	ADAPTER_DISABLED = 0,
	ADAPTER_TRAINING = 1,
	ADAPTER_UP = 2,
	ADAPTER_UNPLUGGED = 7,
};

struct adapter {
	enum adapter_kind kind;
	uint32_t words[ADAPTER_WORDS];
	uint32_t writable[ADAPTER_WORDS];
	struct path_table paths;
};

/* Everything as after power on. dual: the port has two lanes. */
void adapter_init(struct adapter *adapter, enum adapter_kind kind, unsigned int number, bool dual);

/* Word by word access; false outside the space. */
bool adapter_read(const struct adapter *adapter, unsigned int word, uint32_t *ret_value);
bool adapter_write(struct adapter *adapter, unsigned int word, uint32_t value);

/* What the connection manager has set. */
bool adapter_hotplug_enabled(const struct adapter *lane);
bool adapter_port_reset(const struct adapter *lane0); /* downstream port reset asserted */
bool adapter_lane_disabled(const struct adapter *lane);
bool adapter_wants_dual(const struct adapter *lane); /* target width */
bool adapter_bonding(const struct adapter *lane0);   /* the lane bonding bit */

/* What the connection manager sees of the link. width: 1 or 2 lanes. */
void adapter_set_link(struct adapter *lane, enum adapter_state state, unsigned int width);

#endif
