/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * irq: interrupt status, mask and vector allocation of the host interface, and the eventfds that
 * carry MSI-X vectors to the machine (USB4 spec, host interface "Interrupt Status", "Interrupt
 * Enable", "Interrupt Vector Allocation"; kernel drivers/thunderbolt/nhi_regs.h).
 *
 * Sources are numbered as the status bits are: TX rings 0..15, RX rings 16..31, RX overflow 32..47.
 * A vector fires when (status & mask) of a source rises, also when the mask bit goes 0 -> 1 while
 * the status bit is set: the polling of a network driver depends on it.
 *
 * The machine posts its register writes, so a clear can arrive after further completions and would
 * erase their bit. A completion whose status bit was already set is therefore remembered, and the
 * clear raises the bit again.
 */
#ifndef IRQ_H
#define IRQ_H

#include <stdint.h>

#define IRQ_VECTORS	  16u
#define IRQ_RINGS	  16u
#define IRQ_TX(ring)	  (ring)
#define IRQ_RX(ring)	  (IRQ_RINGS + (ring))
#define IRQ_OVERRUN(ring) (2 * IRQ_RINGS + (ring))
#define IRQ_MASKABLE	  (2 * IRQ_RINGS) /* overflow bits have a status but no interrupt */
#define IRQ_SOURCES	  (3 * IRQ_RINGS)
#define IRQ_STATUS_WORDS  2u
#define IRQ_VECTOR_WORDS  4u /* 4 bits per maskable source */

struct irq {
	int fd[IRQ_VECTORS];
	uint64_t status;
	uint64_t again; /* completions that came while their status bit was set */
	uint32_t mask;
	uint32_t lost; /* vectors that fired while they had no eventfd */
	uint32_t alloc[IRQ_VECTOR_WORDS];
};

void irq_init(struct irq *irq);

/* Status, mask and allocation as after power on; the eventfds stay. */
void irq_reset(struct irq *irq);

/* Closes the eventfds. */
void irq_release(struct irq *irq);

/* Gives vector its eventfd, or takes it away (fd -1). Takes ownership of fd. A vector that fired
 * in the meantime fires now. */
void irq_set_fd(struct irq *irq, unsigned int vector, int fd);

/* A completion of source. */
void irq_raise(struct irq *irq, unsigned int source);

/* Registers; word counts 32-bit words from the first. */
uint32_t irq_status(const struct irq *irq, unsigned int word);
void irq_clear(struct irq *irq, unsigned int word, uint32_t bits);
void irq_set_mask(struct irq *irq, uint32_t mask);

#endif
