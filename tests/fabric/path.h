/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * path: the path configuration space of one adapter, its hop table (USB4 spec, "Path Configuration
 * Space"; kernel drivers/thunderbolt/tb_regs.h, struct tb_regs_hop).
 *
 * Two words per input HopID: next HopID 10:0, output adapter 16:11, path credits 23:17, valid 31;
 * the second word holds priority, weight and flow control. Its "pending packets" bit reads 0: the
 * fabric keeps nothing in flight.
 */
#ifndef PATH_H
#define PATH_H

#include <stdbool.h>
#include <stdint.h>

#define PATH_HOPS_MAX	     32u
#define PATH_HOP_MIN	     8u /* HopIDs 0..7 of a lane are reserved, 0 is the control path */
#define PATH_LANE_HOPS	     32u
#define PATH_HOST_HOPS	     16u
#define PATH_CONTROL_CREDITS 2u

struct path_table {
	uint32_t words[2 * PATH_HOPS_MAX];
	unsigned int hops; /* HopIDs 0..hops-1 exist */
};

/* Where a valid entry leads. */
struct path_hop {
	unsigned int out_adapter;
	unsigned int next_hop;
};

/* An empty table of hops entries; control_credits are shown in the entry of HopID 0. */
void path_init(struct path_table *table, unsigned int hops, unsigned int control_credits);

/* Word by word access; false outside the table. */
bool path_read(const struct path_table *table, unsigned int word, uint32_t *ret_value);
bool path_write(struct path_table *table, unsigned int word, uint32_t value);

/* Follows input HopID hop; false if it does not exist or is not valid. */
bool path_lookup(const struct path_table *table, unsigned int hop, struct path_hop *ret_hop);

#endif
