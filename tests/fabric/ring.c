// SPDX-License-Identifier: GPL-2.0-or-later
#include <endian.h>
#include <errno.h>

#include "ring.h"

struct wire_desc {
	uint64_t addr;
	uint32_t word;
	uint32_t zero;
};
_Static_assert(sizeof(struct wire_desc) == RING_DESC_SIZE, "descriptor layout");

#define WORD_OFFSET __builtin_offsetof(struct wire_desc, word)

void ring_reset(struct ring *ring, bool tx)
{
	*ring = (struct ring){.tx = tx, .frame_max = RING_FRAME_MAX};
}

void ring_set_size(struct ring *ring, uint32_t value)
{
	unsigned int size = value & 0xffff, frame_max = value >> 16;

	ring->size = size <= RING_SIZE_MAX ? size : 0;
	ring->frame_max = frame_max && frame_max < RING_FRAME_MAX ? frame_max : RING_FRAME_MAX;
	ring->driver = 0;
	ring->device = 0;
}

void ring_set_index(struct ring *ring, uint32_t value)
{
	uint16_t index = (uint16_t)(ring->tx ? value >> 16 : value);

	if (index < ring->size)
		ring->driver = index;
}

uint32_t ring_index(const struct ring *ring)
{
	return ring->tx ? (uint32_t)ring->driver << 16 | ring->device
			: (uint32_t)ring->device << 16 | ring->driver;
}

bool ring_ready(const struct ring *ring)
{
	return ring->options & RING_OPT_ENABLE && ring->size && ring->driver != ring->device;
}

static uint64_t desc_addr(const struct ring *ring)
{
	return ring->base + (uint64_t)ring->device * RING_DESC_SIZE;
}

int ring_peek(const struct ring *ring, struct dma *dma, struct ring_desc *ret_desc)
{
	struct wire_desc desc;
	uint32_t word;
	int ret;

	if (!ring_ready(ring))
		return -EAGAIN;
	ret = dma_read(dma, desc_addr(ring), &desc, sizeof(desc));
	if (ret)
		return ret;

	word = le32toh(desc.word);
	*ret_desc = (struct ring_desc){
		.addr = le64toh(desc.addr),
		.length = word & 0xfff ? word & 0xfff : RING_FRAME_MAX,
		.eof = word >> 12 & 0xf,
		.sof = word >> 16 & 0xf,
		.flags = word >> 20,
	};
	return 0;
}

int ring_complete(struct ring *ring, struct dma *dma, const struct ring_desc *desc)
{
	uint32_t flags = RING_FLAG_DONE, *word;
	size_t len;

	if (!ring_ready(ring)) /* what was sent reset the ring it came from */
		return -EAGAIN;
	/*
	 * The base is 16-byte aligned and regions are whole pages, so the word lies in one piece.
	 * The machine watches it: it is stored at once, after the frame's data.
	 */
	word = dma_access(dma, desc_addr(ring) + WORD_OFFSET, sizeof(*word), DMA_WRITE, &len);
	if (!word || len < sizeof(*word))
		return -EFAULT;
	flags |= desc->flags &
		 (ring->tx ? RING_FLAG_INTERRUPT | RING_FLAG_OVERRUN : RING_FLAG_CRC_ERROR);
	__atomic_store_n(
		word,
		htole32((desc->length & 0xfff) | desc->eof << 12 | desc->sof << 16 | flags << 20),
		__ATOMIC_RELEASE);
	ring->device = (uint16_t)((ring->device + 1u) % ring->size);
	return 0;
}

bool ring_accepts(const struct ring *ring, unsigned int sof, unsigned int eof)
{
	return ring->sof_mask & 1u << sof && ring->eof_mask & 1u << eof;
}
