// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdbool.h>

#include "nhi.h"

#define DMA_MISC_NO_AUTO_CLEAR (UINT32_C(1) << 17)
#define RESET_HOST_ROUTER      (UINT32_C(1) << 0)

enum nhi_reg_id {
	REG_TX_BASE_LOW,
	REG_TX_BASE_HIGH,
	REG_TX_INDEX,
	REG_TX_SIZE,
	REG_RX_BASE_LOW,
	REG_RX_BASE_HIGH,
	REG_RX_INDEX,
	REG_RX_SIZE,
	REG_TX_OPTIONS,
	REG_RX_OPTIONS,
	REG_RX_PDF_MASKS,
	REG_STATUS,
	REG_STATUS_CLEAR,
	REG_MASK,
	REG_MASK_CLEAR,
	REG_THROTTLING,
	REG_VECTOR_ALLOC,
	REG_CAPS,
	REG_DMA_MISC,
	REG_RESET,
	REG_IDS,
};

struct nhi_reg {
	uint32_t offset;
	uint32_t stride;
	uint32_t count;
	uint32_t reset;
	uint32_t writable;
	uint32_t write_1_clear;
	/* After a write: value is what was written, the slot has been changed already. */
	void (*written)(struct nhi *nhi, unsigned int index, uint32_t value);
	/* Instead of the slot, where a register shows state kept elsewhere. */
	uint32_t (*read)(struct nhi *nhi, unsigned int index);
};

static uint32_t *reg_slot(struct nhi *nhi, enum nhi_reg_id id, unsigned int index);

static uint64_t base_join(struct nhi *nhi, enum nhi_reg_id low, unsigned int index)
{
	return (uint64_t)*reg_slot(nhi, low + 1, index) << 32 | *reg_slot(nhi, low, index);
}

static void tx_base_written(struct nhi *nhi, unsigned int index, uint32_t value)
{
	(void)value;
	nhi->tx[index].base = base_join(nhi, REG_TX_BASE_LOW, index);
}

static void rx_base_written(struct nhi *nhi, unsigned int index, uint32_t value)
{
	(void)value;
	nhi->rx[index].base = base_join(nhi, REG_RX_BASE_LOW, index);
}

static void tx_ready(struct nhi *nhi, unsigned int index)
{
	if (ring_ready(&nhi->tx[index]))
		nhi->ops->tx_ready(nhi->ctx, index);
}

static void rx_ready(struct nhi *nhi, unsigned int index)
{
	if (ring_ready(&nhi->rx[index]))
		nhi->ops->rx_ready(nhi->ctx, index);
}

static void tx_index_written(struct nhi *nhi, unsigned int index, uint32_t value)
{
	ring_set_index(&nhi->tx[index], value);
	tx_ready(nhi, index);
}

static void rx_index_written(struct nhi *nhi, unsigned int index, uint32_t value)
{
	ring_set_index(&nhi->rx[index], value);
	rx_ready(nhi, index);
}

static uint32_t tx_index_read(struct nhi *nhi, unsigned int index)
{
	return ring_index(&nhi->tx[index]);
}

static uint32_t rx_index_read(struct nhi *nhi, unsigned int index)
{
	return ring_index(&nhi->rx[index]);
}

static void tx_size_written(struct nhi *nhi, unsigned int index, uint32_t value)
{
	ring_set_size(&nhi->tx[index], value);
}

static void rx_size_written(struct nhi *nhi, unsigned int index, uint32_t value)
{
	ring_set_size(&nhi->rx[index], value);
}

static void tx_options_written(struct nhi *nhi, unsigned int index, uint32_t value)
{
	nhi->tx[index].options = value;
	tx_ready(nhi, index);
}

static void rx_options_written(struct nhi *nhi, unsigned int index, uint32_t value)
{
	nhi->rx[index].options = value;
	rx_ready(nhi, index);
}

static void rx_masks_written(struct nhi *nhi, unsigned int index, uint32_t value)
{
	nhi->rx[index].eof_mask = (uint16_t)value;
	nhi->rx[index].sof_mask = (uint16_t)(value >> 16);
}

/* Cleared by reading, unless the driver has switched that off (it writes the clear register). */
static uint32_t status_read(struct nhi *nhi, unsigned int index)
{
	uint32_t status = irq_status(nhi->irq, index);

	if (!(*reg_slot(nhi, REG_DMA_MISC, 0) & DMA_MISC_NO_AUTO_CLEAR))
		irq_clear(nhi->irq, index, status);
	return status;
}

static void status_clear_written(struct nhi *nhi, unsigned int index, uint32_t value)
{
	irq_clear(nhi->irq, index, value);
}

static void mask_written(struct nhi *nhi, unsigned int index, uint32_t value)
{
	(void)index;
	irq_set_mask(nhi->irq, value);
}

static void mask_clear_written(struct nhi *nhi, unsigned int index, uint32_t value)
{
	uint32_t *mask = reg_slot(nhi, REG_MASK, 0);

	(void)index;
	*mask &= ~value;
	irq_set_mask(nhi->irq, *mask);
}

static void vector_alloc_written(struct nhi *nhi, unsigned int index, uint32_t value)
{
	nhi->irq->alloc[index] = value;
}

static void reset_written(struct nhi *nhi, unsigned int index, uint32_t value)
{
	(void)index;
	if (value & RESET_HOST_ROUTER)
		nhi->ops->reset(nhi->ctx);
}

#define ALL UINT32_MAX

static const struct nhi_reg regs[REG_IDS] = {
	/* clang-format off */
	/*                      offset  stride count   reset  writable    w1c  written, read */
	[REG_TX_BASE_LOW] =  { 0x00000, 16, RING_COUNT, 0, ~UINT32_C(0xf), 0, tx_base_written, NULL },
	[REG_TX_BASE_HIGH] = { 0x00004, 16, RING_COUNT, 0, ALL,            0, tx_base_written, NULL },
	[REG_TX_INDEX] =     { 0x00008, 16, RING_COUNT, 0, 0,   0, tx_index_written, tx_index_read },
	[REG_TX_SIZE] =      { 0x0000c, 16, RING_COUNT, 0, ALL, 0, tx_size_written, NULL },
	[REG_RX_BASE_LOW] =  { 0x08000, 16, RING_COUNT, 0, ~UINT32_C(0xf), 0, rx_base_written, NULL },
	[REG_RX_BASE_HIGH] = { 0x08004, 16, RING_COUNT, 0, ALL,            0, rx_base_written, NULL },
	[REG_RX_INDEX] =     { 0x08008, 16, RING_COUNT, 0, 0,   0, rx_index_written, rx_index_read },
	[REG_RX_SIZE] =      { 0x0800c, 16, RING_COUNT, 0, ALL, 0, rx_size_written, NULL },
	[REG_TX_OPTIONS] =   { 0x19800, 32, RING_COUNT, 0, ALL, 0, tx_options_written, NULL },
	[REG_RX_OPTIONS] =   { 0x29800, 32, RING_COUNT, 0, ALL, 0, rx_options_written, NULL },
	[REG_RX_PDF_MASKS] = { 0x29804, 32, RING_COUNT, 0, ALL, 0, rx_masks_written, NULL },
	[REG_STATUS] =       { 0x37800, 4, IRQ_STATUS_WORDS, 0, 0, 0, NULL, status_read },
	[REG_STATUS_CLEAR] = { 0x37808, 4, IRQ_STATUS_WORDS, 0, 0, ALL, status_clear_written, NULL },
	[REG_MASK] =         { 0x38200, 4, 1, 0, ALL, 0, mask_written, NULL },
	[REG_MASK_CLEAR] =   { 0x38208, 4, 1, 0, 0, ALL, mask_clear_written, NULL },
	[REG_THROTTLING] =   { 0x38c00, 4, IRQ_VECTORS, 0, 0xffff, 0, NULL, NULL },
	[REG_VECTOR_ALLOC] = { 0x38c40, 4, IRQ_VECTOR_WORDS, 0, ALL, 0, vector_alloc_written, NULL },
	[REG_CAPS] =         { 0x39640, 4, 1, RING_COUNT, 0, 0, NULL, NULL },
	[REG_DMA_MISC] =     { 0x39864, 4, 1, 0, ALL, 0, NULL, NULL },
	[REG_RESET] =        { 0x39898, 4, 1, 0, 0, 0, reset_written, NULL },
	/* clang-format on */
};

static uint32_t *reg_slot(struct nhi *nhi, enum nhi_reg_id id, unsigned int index)
{
	unsigned int first = 0;

	for (unsigned int i = 0; i < id; i++)
		first += regs[i].count;
	return &nhi->slots[first + index];
}

/* The register at offset: its table entry and its index in it. */
static bool reg_find(uint32_t offset, enum nhi_reg_id *ret_id, unsigned int *ret_index)
{
	for (unsigned int id = 0; id < REG_IDS; id++) {
		const struct nhi_reg *reg = &regs[id];
		uint32_t distance = offset - reg->offset;

		if (offset < reg->offset || distance % reg->stride ||
		    distance / reg->stride >= reg->count)
			continue;
		*ret_id = (enum nhi_reg_id)id;
		*ret_index = distance / reg->stride;
		return true;
	}
	return false;
}

void nhi_init(struct nhi *nhi, struct irq *irq, const struct nhi_ops *ops, void *ctx)
{
	*nhi = (struct nhi){.irq = irq, .ops = ops, .ctx = ctx};
	nhi_reset(nhi);
}

void nhi_reset(struct nhi *nhi)
{
	uint32_t *slot = nhi->slots;

	for (unsigned int i = 0; i < RING_COUNT; i++) {
		ring_reset(&nhi->tx[i], true);
		ring_reset(&nhi->rx[i], false);
	}
	for (unsigned int id = 0; id < REG_IDS; id++) {
		for (unsigned int i = 0; i < regs[id].count; i++)
			*slot++ = regs[id].reset;
	}
	irq_reset(nhi->irq);
}

uint32_t nhi_read(struct nhi *nhi, uint32_t offset)
{
	enum nhi_reg_id id;
	unsigned int index;

	if (!reg_find(offset, &id, &index))
		return 0;
	return regs[id].read ? regs[id].read(nhi, index) : *reg_slot(nhi, id, index);
}

void nhi_write(struct nhi *nhi, uint32_t offset, uint32_t value)
{
	const struct nhi_reg *reg;
	enum nhi_reg_id id;
	unsigned int index;
	uint32_t *slot;

	if (!reg_find(offset, &id, &index))
		return;
	reg = &regs[id];
	slot = reg_slot(nhi, id, index);
	*slot = (*slot & ~reg->writable & ~(value & reg->write_1_clear)) | (value & reg->writable);
	if (reg->written)
		reg->written(nhi, index, value);
}
