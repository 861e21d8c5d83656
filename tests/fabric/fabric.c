// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "clock.h"
#include "fabric.h"
#include "link.h"

#define RING_BUDGET 64u /* frames of one ring before the next one's turn */

void fabric_init(struct fabric *fabric, struct host *hosts, unsigned int host_count,
		 struct cable *cables, unsigned int cable_count)
{
	*fabric = (struct fabric){
		.hosts = hosts,
		.host_count = host_count,
		.cables = cables,
		.cable_count = cable_count,
	};
	fabric->carrier = fabric_carrier(fabric);
	for (unsigned int i = 0; i < cable_count; i++) {
		cables[i].trained = CLOCK_NEVER;
		for (unsigned int end = 0; end < 2; end++)
			cables[i].end[end].host->cable_of[cables[i].end[end].port] = (int)i;
	}
}

static void wake_host(struct host *host)
{
	host->tx_active |= host->tx_waiting;
	host->tx_waiting = 0;
}

void fabric_wake(struct fabric *fabric)
{
	for (unsigned int i = 0; i < fabric->host_count; i++)
		wake_host(&fabric->hosts[i]);
}

void fabric_plug(struct fabric *fabric, unsigned int cable, bool plugged)
{
	fabric->cables[cable].plugged = plugged;
	link_update(&fabric->cables[cable], clock_now());
}

static struct cable *cable_at(struct fabric *fabric, const struct host *host, unsigned int port)
{
	int index = host->cable_of[port];

	return index < 0 ? NULL : &fabric->cables[index];
}

static unsigned int direction_from(const struct cable *cable, const struct host *host,
				   unsigned int port)
{
	return cable->end[0].host == host && cable->end[0].port == port ? 0 : 1;
}

static void ops_tx_ready(void *ctx, struct host *host, unsigned int ring)
{
	(void)ctx;
	host->tx_active |= 1u << ring;
}

static void ops_rx_ready(void *ctx, struct host *host)
{
	struct fabric *fabric = ctx;

	for (unsigned int port = 0; port < host->router.ports; port++) {
		struct cable *cable = cable_at(fabric, host, port);

		if (cable)
			wake_host(cable->end[1 - direction_from(cable, host, port)].host);
	}
}

static void ops_configured(void *ctx, struct host *host)
{
	for (unsigned int port = 0; port < ROUTER_PORTS_MAX; port++) {
		struct cable *cable = cable_at(ctx, host, port);

		if (cable)
			link_update(cable, clock_now());
	}
	ops_rx_ready(ctx, host);
	wake_host(host);
}

static void ops_port_changed(void *ctx, struct host *host, unsigned int port)
{
	struct cable *cable = cable_at(ctx, host, port);

	if (!cable)
		return;
	link_update(cable, clock_now());
	link_update_lanes(cable);
}

static bool ops_port_linked(void *ctx, struct host *host, unsigned int port)
{
	struct cable *cable = cable_at(ctx, host, port);

	return cable && cable->linked;
}

static void ops_xdomain(void *ctx, struct host *host, unsigned int port, struct ctl_packet *packet)
{
	struct cable *cable = cable_at(ctx, host, port);
	const struct cable_end *peer;

	if (!cable || !cable->linked)
		return;
	peer = &cable->end[1 - direction_from(cable, host, port)];
	ctl_forward_xdomain(packet, router_lane_number(peer->port));
	ring0_send(&peer->host->ring0, packet);
}

static void ops_reset(void *ctx, struct host *host)
{
	struct fabric *fabric = ctx;

	for (unsigned int port = 0; port < host->router.ports; port++) {
		struct cable *cable = cable_at(fabric, host, port);

		if (!cable)
			continue;
		link_drop(cable);
		link_update(cable, clock_now());
	}
}

const struct host_ops fabric_host_ops = {
	.tx_ready = ops_tx_ready,
	.rx_ready = ops_rx_ready,
	.configured = ops_configured,
	.port_changed = ops_port_changed,
	.port_linked = ops_port_linked,
	.xdomain = ops_xdomain,
	.reset = ops_reset,
};

static int frame_lost(struct cable_count *count)
{
	count->dropped++;
	return 0;
}

/* The end of the way: lane, hop table, RX ring. */
static int cable_carry(void *ctx, const struct frame *frame)
{
	struct fabric *fabric = ctx;
	struct cable *cable = &fabric->cables[frame->cable];
	struct cable_count *count = &cable->count[frame->direction];
	const struct cable_end *to = &cable->end[1 - frame->direction];
	struct host *host = to->host;
	struct adapter *lane = router_lane(&host->router, to->port, 0);
	struct ring_desc desc;
	struct path_hop hop;
	struct ring *ring;
	bool wanted;
	int ret;

	if (!cable->linked || !path_lookup(&lane->paths, frame->hop, &hop) || !hop.next_hop ||
	    hop.next_hop >= RING_COUNT ||
	    &host->router.adapters[hop.out_adapter % ROUTER_ADAPTERS_MAX] !=
		    router_host_adapter(&host->router))
		return frame->flow_control ? -EAGAIN : frame_lost(count);

	ring = &host->nhi.rx[hop.next_hop];
	ret = ring_peek(ring, &host->dma, &desc);
	if (ret) {
		if (frame->flow_control)
			return -EAGAIN;
		host_complete(host, IRQ_OVERRUN(hop.next_hop));
		return frame_lost(count);
	}
	if ((!(ring->options & RING_OPT_RAW) && !ring_accepts(ring, frame->sof, frame->eof)) ||
	    frame->length > ring->frame_max ||
	    dma_write(&host->dma, desc.addr, frame->data, frame->length))
		return frame_lost(count);

	wanted = desc.flags & RING_FLAG_INTERRUPT;
	desc.length = frame->length;
	desc.sof = frame->sof;
	desc.eof = frame->eof;
	desc.flags = frame->crc_error ? RING_FLAG_CRC_ERROR : 0;
	if (ring_complete(ring, &host->dma, &desc))
		return frame_lost(count);
	if (wanted)
		host_complete(host, IRQ_RX(hop.next_hop));
	count->frames++;
	count->bytes += frame->length;
	return 0;
}

struct carrier fabric_carrier(struct fabric *fabric)
{
	return (struct carrier){.carry = cable_carry, .ctx = fabric};
}

/* Where the frames of a TX ring leave the host; false while there is no path over a link. */
static bool tx_route(struct fabric *fabric, struct host *host, unsigned int ring,
		     struct frame *frame)
{
	struct path_hop hop;
	struct cable *cable;
	unsigned int port;

	if (!path_lookup(&router_host_adapter(&host->router)->paths, ring, &hop) ||
	    !router_port_of(&host->router, hop.out_adapter, &port))
		return false;
	cable = cable_at(fabric, host, port);
	if (!cable || !cable->linked)
		return false;
	frame->cable = (unsigned int)(cable - fabric->cables);
	frame->direction = direction_from(cable, host, port);
	frame->hop = hop.next_hop;
	return true;
}

/* Sends one frame. 0, or -EAGAIN: the ring has to wait. */
static int send_frame(struct fabric *fabric, struct host *host, unsigned int index,
		      const struct ring_desc *desc)
{
	static uint8_t bounce[RING_FRAME_MAX]; /* for a buffer that lies across two regions */
	const struct ring *ring = &host->nhi.tx[index];
	struct frame frame = {
		.length = desc->length,
		.sof = desc->sof,
		.eof = desc->eof,
		.flow_control = ring->options & RING_OPT_E2E,
	};
	size_t contiguous;

	if (!tx_route(fabric, host, index, &frame))
		return frame.flow_control ? -EAGAIN : 0;
	frame.data = dma_access(&host->dma, desc->addr, desc->length, DMA_READ, &contiguous);
	if (!frame.data || contiguous < desc->length) {
		if (dma_read(&host->dma, desc->addr, bounce, desc->length))
			return 0;
		frame.data = bounce;
	}
	return fabric->carrier.carry(fabric->carrier.ctx, &frame);
}

/* A turn of one TX ring: it stays active only if its budget ran out. */
static void pump_ring(struct fabric *fabric, struct host *host, unsigned int index)
{
	struct ring *ring = &host->nhi.tx[index];

	for (unsigned int i = 0; i < RING_BUDGET; i++) {
		struct ring_desc desc;
		int ret = ring_peek(ring, &host->dma, &desc);

		if (!ret && send_frame(fabric, host, index, &desc) == -EAGAIN) {
			host->tx_waiting |= 1u << index;
			ret = -EAGAIN;
		}
		if (!ret)
			ret = ring_complete(ring, &host->dma, &desc);
		if (ret) {
			host->tx_active &= ~(1u << index);
			return;
		}
		fabric->moved = true;
		if (desc.flags & RING_FLAG_INTERRUPT)
			host_complete(host, IRQ_TX(index));
	}
}

static bool pump_host(struct fabric *fabric, struct host *host)
{
	bool more = false;

	if (!host->powered)
		return false;
	for (unsigned int ring = 1; ring < RING_COUNT; ring++) {
		if (host->tx_active & 1u << ring)
			pump_ring(fabric, host, ring);
	}
	more = ring0_pump(host);
	return more || host->tx_active & ~1u;
}

int fabric_turn(struct fabric *fabric)
{
	const uint64_t now = clock_now();
	uint64_t next = CLOCK_NEVER;
	bool more = false;

	fabric->moved = false;
	for (unsigned int i = 0; i < fabric->cable_count; i++) {
		struct cable *cable = &fabric->cables[i];

		if (link_tick(cable, now))
			fabric_wake(fabric);
		next = clock_earlier(next, cable->trained);
	}
	for (unsigned int i = 0; i < fabric->host_count; i++)
		next = clock_earlier(next, ring0_tick(&fabric->hosts[i], now));
	for (unsigned int i = 0; i < fabric->host_count; i++)
		more |= pump_host(fabric, &fabric->hosts[i]);
	for (unsigned int i = 0; i < fabric->host_count; i++)
		host_flush(&fabric->hosts[i]);

	if (more)
		return 0;
	if (next == CLOCK_NEVER)
		return -1;
	return next > now ? (int)(next - now) : 0;
}
