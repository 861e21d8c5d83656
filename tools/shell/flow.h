/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many bytes may be on their way: WIRE_BYTES_AHEAD each way beyond what the other side's TAKEN
 * counts. So whatever a program writes, and however slow its reader is, nobody keeps more than
 * that, and the link always has room for what is short. Pure.
 */
#ifndef SHELL_FLOW_H
#define SHELL_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/wire_shell.h"

struct flow {
	uint64_t sent, acked; /* by us, and of that taken there */
	uint64_t taken, told; /* here, and of that told in TAKEN */
	size_t first, end;    /* what of buffer came and was not taken yet */
	uint8_t buffer[WIRE_BYTES_AHEAD];
};

/* Bytes that the next BYTES may have: 0 to WIRE_BYTES_MOST. */
size_t flow_room(const struct flow *flow);
/* LEN bytes, no more than flow_room, were sent. */
void flow_sent(struct flow *flow, size_t len);
/* TAKEN came. Returns 0, or -EPROTO where it counts what was never sent, or less than before. */
int flow_acked(struct flow *flow, uint64_t bytes);
/* BYTES came. Returns 0, or -EPROTO where it is more than may be on its way. */
int flow_put(struct flow *flow, const void *data, size_t len);
/* What came and was not taken yet: an address in the flow, and how much. */
const uint8_t *flow_get(const struct flow *flow, size_t *ret_len);
void flow_take(struct flow *flow, size_t len);
/* Whether it is time for a TAKEN, which is of flow->taken; flow_told says that it was sent. */
bool flow_due(const struct flow *flow);
void flow_told(struct flow *flow);

#endif
