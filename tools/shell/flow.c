// SPDX-License-Identifier: GPL-2.0-or-later
#include "shell/flow.h"

#include <errno.h>
#include <string.h>

#define FLOW_TELL (WIRE_BYTES_AHEAD / 4) /* so much was taken and not told: often enough */

size_t flow_room(const struct flow *flow)
{
	uint64_t room = WIRE_BYTES_AHEAD - (flow->sent - flow->acked);

	return room < WIRE_BYTES_MOST ? room : WIRE_BYTES_MOST;
}

void flow_sent(struct flow *flow, size_t len)
{
	flow->sent += len;
}

int flow_acked(struct flow *flow, uint64_t bytes)
{
	if (bytes > flow->sent || bytes < flow->acked)
		return -EPROTO;
	flow->acked = bytes;
	return 0;
}

int flow_put(struct flow *flow, const void *data, size_t len)
{
	size_t held = flow->end - flow->first;

	if (len > WIRE_BYTES_AHEAD - held - (flow->taken - flow->told))
		return -EPROTO;
	if (len > sizeof(flow->buffer) - flow->end) {
		memmove(flow->buffer, flow->buffer + flow->first, held);
		flow->first = 0;
		flow->end = held;
	}
	memcpy(flow->buffer + flow->end, data, len);
	flow->end += len;
	return 0;
}

const uint8_t *flow_get(const struct flow *flow, size_t *ret_len)
{
	*ret_len = flow->end - flow->first;
	return flow->buffer + flow->first;
}

void flow_take(struct flow *flow, size_t len)
{
	flow->first += len;
	flow->taken += len;
}

bool flow_due(const struct flow *flow)
{
	return flow->taken - flow->told >= FLOW_TELL;
}

void flow_told(struct flow *flow)
{
	flow->told = flow->taken;
}
