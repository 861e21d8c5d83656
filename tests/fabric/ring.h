/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ring: one transmit or receive descriptor ring of the host interface (USB4 spec, "Descriptor
 * Rings"; kernel drivers/thunderbolt/nhi.c, nhi_regs.h).
 *
 * A descriptor is 16 little-endian bytes: u64 address; then length 11:0 (0 means 4096),
 * end-of-frame PDF 15:12, start-of-frame PDF 19:16, flags 31:20; then a word that is written as
 * zero. The machine owns the descriptors that it has not passed on and may change any of them at
 * any time, so each is read once, into a local, and only that copy is believed.
 */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stdint.h>

#include "dma.h"

#define RING_COUNT     16u
#define RING_FRAME_MAX 4096u
#define RING_SIZE_MAX  8192u /* descriptors; the driver takes up to 4096 */
#define RING_DESC_SIZE 16u

/* Ring options, word 0. */
#define RING_OPT_ENABLE	 (UINT32_C(1) << 31)
#define RING_OPT_RAW	 (UINT32_C(1) << 30)
#define RING_OPT_E2E	 (UINT32_C(1) << 28)
#define RING_OPT_E2E_HOP 12 /* RX: bits 22:12, the TX ring that returns the credits */

/* Descriptor flags. */
#define RING_FLAG_CRC_ERROR 0x1u /* RX */
#define RING_FLAG_DONE	    0x2u
#define RING_FLAG_OVERRUN   0x4u /* RX; the driver sets it when it posts a descriptor */
#define RING_FLAG_INTERRUPT 0x8u

struct ring {
	bool tx;
	uint64_t base;
	unsigned int size;	/* descriptors */
	unsigned int frame_max; /* RX: bytes that fit a buffer */
	uint32_t options;
	uint16_t sof_mask; /* RX: PDFs that may start and end a frame */
	uint16_t eof_mask;
	uint16_t driver; /* the driver's index: TX producer, RX consumer */
	uint16_t device; /* ours: TX consumer, RX producer */
};

struct ring_desc {
	uint64_t addr;
	unsigned int length;
	unsigned int sof;
	unsigned int eof;
	unsigned int flags;
};

/* As after power on. */
void ring_reset(struct ring *ring, bool tx);

/* The size register: descriptor count 15:0, RX frame size 31:16 (0: 4096). Resets the indices. */
void ring_set_size(struct ring *ring, uint32_t value);

/* The driver's half of the index register. An index outside the ring is ignored. */
void ring_set_index(struct ring *ring, uint32_t value);

/* The index register as it reads: consumer 15:0, producer 31:16. */
uint32_t ring_index(const struct ring *ring);

/* Enabled, and with a descriptor that the device may use. */
bool ring_ready(const struct ring *ring);

/* Reads the next descriptor. -EAGAIN if there is none, -EFAULT. */
int ring_peek(const struct ring *ring, struct dma *dma, struct ring_desc *ret_desc);

/* Gives the descriptor of ring_peek() back, done, and moves on. An RX descriptor is told length,
 * PDFs and the error flag of desc. -EFAULT, -EAGAIN (the ring was reset since). */
int ring_complete(struct ring *ring, struct dma *dma, const struct ring_desc *desc);

/* Whether an RX ring that is not raw takes a frame with these PDFs. */
bool ring_accepts(const struct ring *ring, unsigned int sof, unsigned int eof);

#endif
