/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host: one emulated machine's USB4 host controller: the PCI device that the machine sees, joined
 * from its parts (pci, nhi, irq, dma, router), and its place in the fabric.
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl.h"
#include "dma.h"
#include "irq.h"
#include "nhi.h"
#include "pci.h"
#include "ring0.h"
#include "router.h"
#include "vfio_user.h"

#define HOST_NAME_SIZE 32u

/* What a host tells the fabric. */
struct host_ops {
	void (*tx_ready)(void *ctx, struct host *host, unsigned int ring);
	void (*rx_ready)(void *ctx, struct host *host);
	void (*configured)(void *ctx, struct host *host);
	void (*port_changed)(void *ctx, struct host *host, unsigned int port);
	bool (*port_linked)(void *ctx, struct host *host, unsigned int port);
	void (*xdomain)(void *ctx, struct host *host, unsigned int port, struct ctl_packet *packet);
	/* The machine was reset: its links drop, and train again. */
	void (*reset)(void *ctx, struct host *host);
};

struct host {
	char name[HOST_NAME_SIZE];
	bool powered; /* a machine is connected */
	struct dma dma;
	struct irq irq;
	struct pci pci;
	struct nhi nhi;
	struct router router;
	struct ring0 ring0;
	uint32_t tx_active;		/* TX rings that may have frames to move */
	uint32_t tx_waiting;		/* TX rings that wait for the other side */
	uint64_t completed;		/* interrupt sources to raise at the end of the turn */
	int cable_of[ROUTER_PORTS_MAX]; /* set by the fabric, -1: none */
	const struct host_ops *ops;
	void *ctx;
};

/* ports and lanes as in router_init(). */
void host_init(struct host *host, const char *name, unsigned int ports, unsigned int lanes,
	       uint64_t unique_id, const struct host_ops *ops, void *ctx);

/* Closes and unmaps everything. */
void host_release(struct host *host);

/* The device to serve over vfio-user; its context is the host. */
extern const struct vfio_user_device host_device;

/* A machine came or went. Going takes its memory and interrupts along. */
void host_power(struct host *host, bool on);

/* Notes a completion; host_flush() raises all that were noted as one interrupt each. */
void host_complete(struct host *host, unsigned int source);
void host_flush(struct host *host);

#endif
