// SPDX-License-Identifier: GPL-2.0-or-later
#include "clock.h"
#include "host.h"
#include "ring0.h"

#define PUMP_BUDGET	16u
#define EVENT_REPEAT_MS 250u /* the notification timeout that the kernel sets is 255 ms */

void ring0_reset(struct ring0 *ring0)
{
	*ring0 = (struct ring0){0};
}

void ring0_send(struct ring0 *ring0, const struct ctl_packet *packet)
{
	if (ring0->count == RING0_QUEUE)
		return;
	ring0->queue[(ring0->head + ring0->count++) % RING0_QUEUE] = *packet;
}

void ring0_plug(struct ring0 *ring0, unsigned int port, enum ctl_plug plug)
{
	struct ring0_event *event = &ring0->events[port];

	if (plug == CTL_PLUG) {
		event->plug = true;
		if (event->unplug) /* its turn comes when the unplug is acknowledged */
			return;
	} else {
		event->unplug = true;
		event->plug = false; /* a plug that was not seen yet has become void */
	}
	event->due = 0;
}

void ring0_plug_acked(struct ring0 *ring0, unsigned int port, enum ctl_plug plug)
{
	struct ring0_event *event = &ring0->events[port];

	if (plug == CTL_UNPLUG)
		event->unplug = false;
	else if (!event->unplug)
		event->plug = false;
	event->due = 0;
}

/* One request. False if there is none. */
static bool receive_one(struct host *host)
{
	struct ring *ring = &host->nhi.tx[0];
	uint8_t frame[CTL_FRAME_MAX];
	struct ctl_packet packet;
	struct ring_desc desc;

	if (ring_peek(ring, &host->dma, &desc))
		return false;
	if (desc.length <= sizeof(frame) && !dma_read(&host->dma, desc.addr, frame, desc.length) &&
	    !ctl_parse(desc.eof, frame, desc.length, &packet) &&
	    router_handle(&host->router, &packet))
		ring0_send(&host->ring0, &packet);

	/* The packet may have reset the host: then the ring is empty and this fails. */
	if (ring_complete(ring, &host->dma, &desc))
		return false;
	if (desc.flags & RING_FLAG_INTERRUPT)
		host_complete(host, IRQ_TX(0));
	return true;
}

/* One packet to the host. False if it has none or no room. */
static bool deliver_one(struct host *host)
{
	struct ring *ring = &host->nhi.rx[0];
	struct ring0 *ring0 = &host->ring0;
	uint8_t frame[CTL_FRAME_MAX];
	struct ring_desc desc;
	unsigned int wanted;
	size_t len;

	if (!ring0->count || ring_peek(ring, &host->dma, &desc))
		return false;
	wanted = desc.flags & RING_FLAG_INTERRUPT;
	len = ctl_build(&ring0->queue[ring0->head], frame);
	desc.length = (unsigned int)len;
	desc.sof = 0;
	desc.eof = ring0->queue[ring0->head].type;
	desc.flags = 0;
	ring0->head = (ring0->head + 1) % RING0_QUEUE;
	ring0->count--;
	if (len > ring->frame_max || dma_write(&host->dma, desc.addr, frame, len) ||
	    ring_complete(ring, &host->dma, &desc))
		return false;
	if (wanted)
		host_complete(host, IRQ_RX(0));
	return true;
}

bool ring0_pump(struct host *host)
{
	unsigned int budget = PUMP_BUDGET;

	while (deliver_one(host))
		;
	/* Replies must find room, so requests wait while the queue is filling up. */
	while (budget && host->ring0.count < RING0_QUEUE / 2 && receive_one(host)) {
		budget--;
		while (deliver_one(host))
			;
	}
	return !budget;
}

/* Whether the connection manager wants to know of plugs. */
static bool event_allowed(struct host *host, unsigned int port)
{
	return router_valid(&host->router) &&
	       adapter_hotplug_enabled(router_lane(&host->router, port, 0));
}

uint64_t ring0_tick(struct host *host, uint64_t now)
{
	uint64_t next = CLOCK_NEVER;

	for (unsigned int port = 0; port < host->router.ports; port++) {
		struct ring0_event *event = &host->ring0.events[port];
		struct ctl_packet packet;

		if ((!event->unplug && !event->plug) || !event_allowed(host, port))
			continue;
		if (!ring_ready(&host->nhi.rx[0])) { /* suspended, or the ring is full */
			pci_raise_pme(&host->pci);
			continue;
		}
		if (event->due <= now) {
			ctl_make_plug_event(&packet, router_lane_number(port),
					    event->unplug ? CTL_UNPLUG : CTL_PLUG);
			ring0_send(&host->ring0, &packet);
			event->due = now + EVENT_REPEAT_MS;
		}
		next = clock_earlier(next, event->due);
	}
	return next;
}
