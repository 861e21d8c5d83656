/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nhi: the memory-mapped registers of the host interface, BAR 0 (USB4 spec, "Host Interface
 * Registers"; kernel drivers/thunderbolt/nhi_regs.h, nhi.c).
 *
 * The registers are one table: where, how many, what they read after power on, which bits can be
 * written, which bits a written 1 clears, and what a write starts. Everything else reads as zero
 * and ignores writes.
 */
#ifndef NHI_H
#define NHI_H

#include <stddef.h>
#include <stdint.h>

#include "irq.h"
#include "ring.h"

#define NHI_BAR_SIZE  0x40000u
#define NHI_REG_SLOTS 256u

/* What the registers start elsewhere. */
struct nhi_ops {
	/* TX ring has descriptors to send, or may have them since it was enabled. */
	void (*tx_ready)(void *ctx, unsigned int ring);
	/* RX ring can take frames that it could not take before. */
	void (*rx_ready)(void *ctx, unsigned int ring);
	/* The driver asked for a host router reset. */
	void (*reset)(void *ctx);
};

struct nhi {
	struct ring tx[RING_COUNT];
	struct ring rx[RING_COUNT];
	struct irq *irq;
	const struct nhi_ops *ops;
	void *ctx;
	uint32_t slots[NHI_REG_SLOTS]; /* the values of the table's registers, in its order */
};

/* irq stays the caller's and must outlive nhi. */
void nhi_init(struct nhi *nhi, struct irq *irq, const struct nhi_ops *ops, void *ctx);

/* Every register, ring and interrupt as after power on. */
void nhi_reset(struct nhi *nhi);

/* One 32-bit access at a multiple of four. */
uint32_t nhi_read(struct nhi *nhi, uint32_t offset);
void nhi_write(struct nhi *nhi, uint32_t offset, uint32_t value);

#endif
