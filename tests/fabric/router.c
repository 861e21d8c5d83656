// SPDX-License-Identifier: GPL-2.0-or-later
#include "router.h"

#define ROUTER_CS_1		 1u
#define ROUTER_CS_1_UPSTREAM	 8
#define ROUTER_CS_1_MAX		 14
#define ROUTER_CS_2		 2u
#define ROUTER_CS_3		 3u
#define ROUTER_CS_3_VALID	 (UINT32_C(1) << 31)
#define ROUTER_CS_4		 4u
#define ROUTER_CS_4_VERSION	 (UINT32_C(0x20) << 24) /* USB4 1.0 */
#define ROUTER_CS_5		 5u
#define ROUTER_CS_5_SLEEP	 (UINT32_C(1) << 0)
#define ROUTER_CS_5_VALID	 (UINT32_C(1) << 31)
#define ROUTER_CS_6		 6u
#define ROUTER_CS_6_SLEEPING	 (UINT32_C(1) << 0)
#define ROUTER_CS_6_READY	 (UINT32_C(1) << 24)
#define ROUTER_CS_6_VALID	 (UINT32_C(1) << 25)
#define ROUTER_CS_7		 7u
#define ROUTER_CS_8		 8u
#define ROUTER_CS_9		 9u    /* router operation data, 16 words */
#define ROUTER_CS_25		 0x19u /* router operation metadata */
#define ROUTER_CS_26		 0x1au /* router operation */
#define ROUTER_CS_26_OPCODE	 UINT32_C(0xffff)
#define ROUTER_CS_26_UNSUPPORTED (UINT32_C(1) << 30)
#define ROUTER_CS_26_START	 (UINT32_C(1) << 31)

#define OPERATION_BUFFER_ALLOC 0x33u
#define BUFFER_MIN_DP_AUX      UINT32_C(2)
#define BUFFER_MIN_DP_MAIN     UINT32_C(3)
#define BUFFER_MAX_HI	       UINT32_C(5)
#define BUFFER_VALUE	       16

#define TMU_CAP	      0x20u
#define TMU_CAP_ID    0x03u
#define TMU_CS_0_UCAP (UINT32_C(1) << 30)
#define TMU_WORDS     26u

void router_init(struct router *router, unsigned int ports, unsigned int lanes, uint64_t unique_id,
		 const struct router_ops *ops, void *ctx)
{
	*router = (struct router){
		.ports = ports,
		.lanes = lanes,
		.unique_id = unique_id,
		.ops = ops,
		.ctx = ctx,
	};
	router_reset(router);
}

unsigned int router_lane_number(unsigned int port)
{
	return 2 * port + 1;
}

static unsigned int host_number(const struct router *router)
{
	return 2 * router->ports + 1;
}

struct adapter *router_lane(struct router *router, unsigned int port, unsigned int lane)
{
	return &router->adapters[router_lane_number(port) + lane];
}

struct adapter *router_host_adapter(struct router *router)
{
	return &router->adapters[host_number(router)];
}

bool router_port_of(const struct router *router, unsigned int adapter, unsigned int *ret_port)
{
	if (!adapter || adapter >= host_number(router))
		return false;
	*ret_port = (adapter - 1) / 2;
	return true;
}

bool router_valid(const struct router *router)
{
	return router->words[ROUTER_CS_3] & ROUTER_CS_3_VALID;
}

void router_reset(struct router *router)
{
	const unsigned int host = host_number(router);
	const bool dual = router->lanes == 2;
	uint32_t *words = router->words;

	for (unsigned int i = 0; i < ROUTER_WORDS; i++)
		words[i] = 0;
	words[0] = ROUTER_VENDOR | ROUTER_DEVICE << 16;
	words[ROUTER_CS_1] = TMU_CAP | host << ROUTER_CS_1_UPSTREAM | host << ROUTER_CS_1_MAX;
	words[ROUTER_CS_4] = ROUTER_CS_4_VERSION;
	words[ROUTER_CS_6] = ROUTER_CS_6_READY;
	words[ROUTER_CS_7] = (uint32_t)router->unique_id;
	words[ROUTER_CS_8] = (uint32_t)(router->unique_id >> 32);
	words[TMU_CAP] = TMU_CAP_ID << 8 | TMU_CS_0_UCAP;

	adapter_init(&router->adapters[0], ADAPTER_ABSENT, 0, false);
	for (unsigned int port = 0; port < router->ports; port++) {
		unsigned int number = router_lane_number(port);

		adapter_init(router_lane(router, port, 0), ADAPTER_LANE0, number, dual);
		adapter_init(router_lane(router, port, 1), dual ? ADAPTER_LANE1 : ADAPTER_ABSENT,
			     number + 1, dual);
	}
	adapter_init(router_host_adapter(router), ADAPTER_HOST, host, false);
}

/* A router operation is done as soon as it is asked for. */
static void run_operation(struct router *router)
{
	uint32_t *operation = &router->words[ROUTER_CS_26];
	uint32_t *data = &router->words[ROUTER_CS_9];

	*operation &= ROUTER_CS_26_OPCODE;
	if (*operation != OPERATION_BUFFER_ALLOC) {
		*operation |= ROUTER_CS_26_UNSUPPORTED;
		return;
	}
	data[0] = BUFFER_MAX_HI | UINT32_C(14) << BUFFER_VALUE;
	data[1] = BUFFER_MIN_DP_AUX | UINT32_C(1) << BUFFER_VALUE;
	data[2] = BUFFER_MIN_DP_MAIN | UINT32_C(18) << BUFFER_VALUE;
	router->words[ROUTER_CS_25] = 3;
}

static uint32_t router_writable(unsigned int word)
{
	if (word >= TMU_CAP + 1 && word < TMU_CAP + TMU_WORDS)
		return UINT32_MAX;
	if (word >= ROUTER_CS_9 && word <= ROUTER_CS_26)
		return UINT32_MAX;
	switch (word) {
	case ROUTER_CS_2:
	case ROUTER_CS_3:
	case ROUTER_CS_5: return UINT32_MAX;
	case ROUTER_CS_4: return UINT32_C(0xffff); /* notification timeout, CM's USB4 version */
	case TMU_CAP: return UINT32_C(0x0fff0000);
	default: return 0;
	}
}

static void router_written(struct router *router, unsigned int word)
{
	uint32_t value = router->words[word];

	switch (word) {
	case ROUTER_CS_3: router->ops->configured(router->ctx); break;
	case ROUTER_CS_5:
		router->words[ROUTER_CS_6] =
			ROUTER_CS_6_READY | (value & ROUTER_CS_5_SLEEP ? ROUTER_CS_6_SLEEPING : 0) |
			(value & ROUTER_CS_5_VALID ? ROUTER_CS_6_VALID : 0);
		break;
	case ROUTER_CS_26:
		if (value & ROUTER_CS_26_START)
			run_operation(router);
		break;
	}
}

static bool space_read(struct router *router, const struct ctl_request *request, unsigned int word,
		       uint32_t *ret_value)
{
	switch (request->space) {
	case CTL_SPACE_ROUTER:
		if (word >= ROUTER_WORDS)
			return false;
		*ret_value = router->words[word];
		return true;
	case CTL_SPACE_ADAPTER:
		return adapter_read(&router->adapters[request->adapter], word, ret_value);
	case CTL_SPACE_PATH:
		return path_read(&router->adapters[request->adapter].paths, word, ret_value);
	default: return false;
	}
}

static bool space_write(struct router *router, const struct ctl_request *request, unsigned int word,
			uint32_t value)
{
	uint32_t writable;

	switch (request->space) {
	case CTL_SPACE_ROUTER:
		if (word >= ROUTER_WORDS)
			return false;
		writable = router_writable(word);
		router->words[word] = (router->words[word] & ~writable) | (value & writable);
		router_written(router, word);
		return true;
	case CTL_SPACE_ADAPTER:
		return adapter_write(&router->adapters[request->adapter], word, value);
	case CTL_SPACE_PATH:
		return path_write(&router->adapters[request->adapter].paths, word, value);
	default: return false;
	}
}

static void handle_access(struct router *router, struct ctl_packet *packet)
{
	uint32_t data[CTL_DATA_MAX] = {0};
	const bool writing = packet->type == CTL_WRITE;
	const uint32_t *from = ctl_request_data(packet);
	struct ctl_request request;
	unsigned int port, shown;
	bool valid = true;

	if (!ctl_parse_request(packet, &request)) {
		ctl_make_error(packet, 0, host_number(router), CTL_ERROR_INVALID_SPACE);
		return;
	}
	shown = request.space == CTL_SPACE_ROUTER ? host_number(router) : request.adapter;
	if (request.adapter > host_number(router)) {
		ctl_make_error(packet, 0, shown, CTL_ERROR_NO_SUCH_ADAPTER);
		return;
	}
	for (unsigned int i = 0; valid && i < request.length; i++) {
		unsigned int word = request.offset + i;

		valid = writing ? space_write(router, &request, word, from[i])
				: space_read(router, &request, word, &data[i]);
	}
	if (!valid) {
		ctl_make_error(packet, 0, shown, CTL_ERROR_INVALID_SPACE);
		return;
	}
	ctl_make_reply(packet, &request, shown, writing ? NULL : data);
	if (!writing)
		return;
	if (request.space == CTL_SPACE_PATH)
		router->ops->configured(router->ctx);
	else if (request.space == CTL_SPACE_ADAPTER &&
		 router_port_of(router, request.adapter, &port))
		router->ops->port_changed(router->ctx, port);
}

/*
 * A read beyond a port over a live link reaches another host's router, which refuses to be
 * enumerated: from this error the connection manager learns to look for an XDomain.
 */
static void refuse_routed(struct router *router, struct ctl_packet *packet, uint64_t route)
{
	const unsigned int adapter = (unsigned int)(route & 0x3f);
	enum ctl_error error = CTL_ERROR_NOT_CONNECTED;
	unsigned int port;

	if (!router_port_of(router, adapter, &port))
		error = CTL_ERROR_NO_SUCH_ADAPTER;
	else if (router->ops->port_linked(router->ctx, port))
		error = CTL_ERROR_LOOP;
	ctl_make_error(packet, route, adapter, error);
}

static void handle_plug_ack(struct router *router, const struct ctl_packet *packet)
{
	unsigned int adapter, port;
	enum ctl_plug plug;

	if (ctl_parse_plug_ack(packet, &adapter, &plug) && router_port_of(router, adapter, &port))
		router->ops->plug_acked(router->ctx, port, plug);
}

bool router_handle(struct router *router, struct ctl_packet *packet)
{
	const uint64_t route = ctl_route(packet);
	unsigned int port;

	switch (packet->type) {
	case CTL_READ:
	case CTL_WRITE:
		if (route)
			refuse_routed(router, packet, route);
		else
			handle_access(router, packet);
		return true;
	case CTL_RESET: ctl_make_reset_reply(packet, route); return true;
	case CTL_XDOMAIN_REQUEST:
	case CTL_XDOMAIN_RESPONSE:
		if (route <= 0xff && router_port_of(router, (unsigned int)route, &port))
			router->ops->xdomain(router->ctx, port, packet);
		return false;
	case CTL_ERROR: handle_plug_ack(router, packet); return false;
	default: return false;
	}
}
