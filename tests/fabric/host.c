// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>

#include "host.h"

_Static_assert(PCI_MSIX_VECTORS == IRQ_VECTORS, "one eventfd per MSI-X vector");
_Static_assert(RING_COUNT == IRQ_RINGS, "one interrupt source per ring and direction");

static void nhi_tx_ready(void *ctx, unsigned int ring)
{
	struct host *host = ctx;

	host->ops->tx_ready(host->ctx, host, ring);
}

static void nhi_rx_ready(void *ctx, unsigned int ring)
{
	struct host *host = ctx;

	if (ring)
		host->ops->rx_ready(host->ctx, host);
}

static void reset_all(struct host *host)
{
	host->tx_active = 0;
	host->tx_waiting = 0;
	host->completed = 0;
	pci_reset(&host->pci);
	nhi_reset(&host->nhi);
	router_reset(&host->router);
	ring0_reset(&host->ring0);
	host->ops->reset(host->ctx, host);
}

static void nhi_reset_asked(void *ctx)
{
	reset_all(ctx);
}

static const struct nhi_ops nhi_ops = {
	.tx_ready = nhi_tx_ready,
	.rx_ready = nhi_rx_ready,
	.reset = nhi_reset_asked,
};

static bool router_port_linked(void *ctx, unsigned int port)
{
	struct host *host = ctx;

	return host->ops->port_linked(host->ctx, host, port);
}

static void router_port_changed(void *ctx, unsigned int port)
{
	struct host *host = ctx;

	host->ops->port_changed(host->ctx, host, port);
}

static void router_configured(void *ctx)
{
	struct host *host = ctx;

	host->ops->configured(host->ctx, host);
}

static void router_xdomain(void *ctx, unsigned int port, struct ctl_packet *packet)
{
	struct host *host = ctx;

	host->ops->xdomain(host->ctx, host, port, packet);
}

static void router_plug_acked(void *ctx, unsigned int port, enum ctl_plug plug)
{
	struct host *host = ctx;

	ring0_plug_acked(&host->ring0, port, plug);
}

static const struct router_ops router_ops = {
	.port_linked = router_port_linked,
	.port_changed = router_port_changed,
	.configured = router_configured,
	.xdomain = router_xdomain,
	.plug_acked = router_plug_acked,
};

void host_init(struct host *host, const char *name, unsigned int ports, unsigned int lanes,
	       uint64_t unique_id, const struct host_ops *ops, void *ctx)
{
	*host = (struct host){.ops = ops, .ctx = ctx};
	snprintf(host->name, sizeof(host->name), "%s", name);
	dma_init(&host->dma);
	irq_init(&host->irq);
	pci_reset(&host->pci);
	nhi_init(&host->nhi, &host->irq, &nhi_ops, host);
	router_init(&host->router, ports, lanes, unique_id, &router_ops, host);
	ring0_reset(&host->ring0);
	for (unsigned int i = 0; i < ROUTER_PORTS_MAX; i++)
		host->cable_of[i] = -1;
}

void host_release(struct host *host)
{
	irq_release(&host->irq);
	dma_reset(&host->dma);
}

void host_power(struct host *host, bool on)
{
	host->powered = on;
	if (!on)
		host_release(host);
	reset_all(host);
}

void host_complete(struct host *host, unsigned int source)
{
	host->completed |= UINT64_C(1) << source;
}

void host_flush(struct host *host)
{
	for (; host->completed; host->completed &= host->completed - 1)
		irq_raise(&host->irq, (unsigned int)__builtin_ctzll(host->completed));
}

/* Registers are 32 bits wide; smaller reads get a part, smaller writes are ignored. */
static void bar_read(struct host *host, uint64_t offset, uint8_t *buf, uint32_t count)
{
	while (count) {
		uint32_t value = nhi_read(&host->nhi, (uint32_t)offset & ~3u);
		uint32_t skip = (uint32_t)offset & 3, part = 4 - skip < count ? 4 - skip : count;

		memcpy(buf, (uint8_t *)&value + skip, part);
		offset += part;
		buf += part;
		count -= part;
	}
}

static void bar_write(struct host *host, uint64_t offset, const uint8_t *buf, uint32_t count)
{
	if (offset % 4 || count % 4)
		return;
	for (; count; count -= 4, buf += 4, offset += 4) {
		uint32_t value;

		memcpy(&value, buf, sizeof(value));
		nhi_write(&host->nhi, (uint32_t)offset, value);
	}
}

static int device_region_read(void *ctx, unsigned int region, uint64_t offset, void *buf,
			      uint32_t count)
{
	struct host *host = ctx;

	memset(buf, 0, count);
	switch (region) {
	case VFIO_PCI_BAR0_REGION_INDEX: bar_read(host, offset, buf, count); return 0;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return pci_read(&host->pci, offset, buf, count) ? 0 : -EINVAL;
	default: return 0; /* QEMU keeps the MSI-X table itself */
	}
}

static int device_region_write(void *ctx, unsigned int region, uint64_t offset, const void *buf,
			       uint32_t count)
{
	struct host *host = ctx;

	switch (region) {
	case VFIO_PCI_BAR0_REGION_INDEX: bar_write(host, offset, buf, count); return 0;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return pci_write(&host->pci, offset, buf, count) ? 0 : -EINVAL;
	default: return 0;
	}
}

static int device_dma_map(void *ctx, uint64_t iova, uint64_t size, int fd, uint64_t offset,
			  unsigned int prot)
{
	struct host *host = ctx;

	return dma_map(&host->dma, iova, size, fd, offset, prot);
}

static int device_dma_unmap(void *ctx, uint64_t iova, uint64_t size)
{
	struct host *host = ctx;

	return dma_unmap(&host->dma, iova, size);
}

static void device_dma_unmap_all(void *ctx)
{
	struct host *host = ctx;

	dma_reset(&host->dma);
}

static void device_set_vector(void *ctx, unsigned int vector, int fd)
{
	struct host *host = ctx;

	irq_set_fd(&host->irq, vector, fd);
}

static void device_reset(void *ctx)
{
	reset_all(ctx);
}

const struct vfio_user_device host_device = {
	.region_size =
		{
			[VFIO_PCI_BAR0_REGION_INDEX] = NHI_BAR_SIZE,
			[PCI_MSIX_BAR] = PCI_MSIX_BAR_SIZE,
			[VFIO_PCI_CONFIG_REGION_INDEX] = PCI_CONFIG_SIZE,
		},
	.vectors = PCI_MSIX_VECTORS,
	.region_read = device_region_read,
	.region_write = device_region_write,
	.dma_map = device_dma_map,
	.dma_unmap = device_dma_unmap,
	.dma_unmap_all = device_dma_unmap_all,
	.set_vector = device_set_vector,
	.reset = device_reset,
};
