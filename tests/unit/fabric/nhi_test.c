// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nhi.h"

/* The registers by the kernel's names (nhi_regs.h). */
#define REG_TX_RING_BASE    0x00000
#define REG_RX_RING_BASE    0x08000
#define REG_TX_OPTIONS_BASE 0x19800
#define REG_RX_OPTIONS_BASE 0x29800
#define REG_RING_NOTIFY	    0x37800
#define REG_RING_INT_CLEAR  0x37808
#define REG_RING_INTERRUPT  0x38200
#define REG_MASK_CLEAR	    0x38208
#define REG_THROTTLING	    0x38c00
#define REG_INT_VEC_ALLOC   0x38c40
#define REG_CAPS	    0x39640
#define REG_DMA_MISC	    0x39864
#define REG_RESET	    0x39898

static struct irq irq;
static struct nhi nhi;
static unsigned int tx_ready, rx_ready, resets;
static unsigned int last_ring;

static void on_tx_ready(void *ctx, unsigned int ring)
{
	(void)ctx;
	tx_ready++;
	last_ring = ring;
}

static void on_rx_ready(void *ctx, unsigned int ring)
{
	(void)ctx;
	rx_ready++;
	last_ring = ring;
}

static void on_reset(void *ctx)
{
	(void)ctx;
	resets++;
	nhi_reset(&nhi);
}

static const struct nhi_ops ops = {
	.tx_ready = on_tx_ready,
	.rx_ready = on_rx_ready,
	.reset = on_reset,
};

static int setup(void **state)
{
	(void)state;
	tx_ready = rx_ready = resets = 0;
	irq_init(&irq);
	nhi_init(&nhi, &irq, &ops, NULL);
	return 0;
}

static void test_reset_values(void **state)
{
	(void)state;
	for (uint32_t offset = 0; offset < NHI_BAR_SIZE; offset += 4)
		assert_int_equal(nhi_read(&nhi, offset), offset == REG_CAPS ? 16 : 0);
}

/* Every register that keeps what is written keeps exactly its writable bits. */
static void test_writable_masks(void **state)
{
	static const struct {
		uint32_t offset;
		uint32_t mask;
	} expected[] = {
		{REG_TX_RING_BASE, 0xfffffff0},
		{REG_TX_RING_BASE + 15 * 16 + 4, 0xffffffff},
		{REG_RX_RING_BASE + 12, 0xffffffff},
		{REG_TX_OPTIONS_BASE, 0xffffffff},
		{REG_TX_OPTIONS_BASE + 4, 0},
		{REG_RX_OPTIONS_BASE + 15 * 32 + 4, 0xffffffff},
		{REG_RX_OPTIONS_BASE + 16 * 32, 0},
		{REG_TX_RING_BASE + 16 * 16, 0},
		{REG_RING_NOTIFY, 0},
		{REG_RING_INT_CLEAR, 0},
		{REG_RING_INTERRUPT, 0xffffffff},
		{REG_RING_INTERRUPT + 4, 0},
		{REG_THROTTLING + 4 * 15, 0xffff},
		{REG_INT_VEC_ALLOC + 4 * 3, 0xffffffff},
		{REG_INT_VEC_ALLOC + 4 * 4, 0},
		{REG_DMA_MISC, 0xffffffff},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		nhi_write(&nhi, expected[i].offset, UINT32_MAX);
		assert_int_equal(nhi_read(&nhi, expected[i].offset), expected[i].mask);
	}
	nhi_write(&nhi, REG_CAPS, 0);
	assert_int_equal(nhi_read(&nhi, REG_CAPS), 16);
}

/* As the driver starts a ring, in its order. */
static void test_ring_setup(void **state)
{
	(void)state;
	nhi_write(&nhi, REG_TX_RING_BASE + 16, 0x89abcdef);
	nhi_write(&nhi, REG_TX_RING_BASE + 20, 0x01234567);
	nhi_write(&nhi, REG_TX_RING_BASE + 28, 256);
	nhi_write(&nhi, REG_TX_OPTIONS_BASE + 36, 0);
	nhi_write(&nhi, REG_TX_OPTIONS_BASE + 32, RING_OPT_ENABLE);
	nhi_write(&nhi, REG_TX_OPTIONS_BASE + 32, RING_OPT_ENABLE | RING_OPT_E2E);
	assert_true(nhi.tx[1].base == UINT64_C(0x0123456789abcde0));
	assert_int_equal(nhi.tx[1].size, 256);
	assert_int_equal(tx_ready, 0);
	nhi_write(&nhi, REG_TX_RING_BASE + 24, 5 << 16);
	assert_int_equal(tx_ready, 1);
	assert_int_equal(last_ring, 1);
	assert_int_equal(nhi_read(&nhi, REG_TX_RING_BASE + 24), 5 << 16);

	nhi_write(&nhi, REG_RX_RING_BASE + 12, 0x100 << 16 | 10);
	nhi_write(&nhi, REG_RX_OPTIONS_BASE + 4, 0x0002000c);
	nhi_write(&nhi, REG_RX_RING_BASE + 8, 9);
	assert_int_equal(rx_ready, 0);
	nhi_write(&nhi, REG_RX_OPTIONS_BASE, RING_OPT_ENABLE);
	assert_int_equal(rx_ready, 1); /* filled before it was enabled */
	assert_int_equal(nhi.rx[0].frame_max, 0x100);
	assert_int_equal(nhi.rx[0].sof_mask, 2);
	assert_int_equal(nhi.rx[0].eof_mask, 0xc);
}

static void test_size_resets_indices(void **state)
{
	(void)state;
	nhi_write(&nhi, REG_TX_RING_BASE + 12, 256);
	nhi_write(&nhi, REG_TX_RING_BASE + 8, 200 << 16);
	nhi_write(&nhi, REG_TX_RING_BASE + 12, 256);
	assert_int_equal(nhi_read(&nhi, REG_TX_RING_BASE + 8), 0);
}

static void test_status_clear(void **state)
{
	(void)state;
	nhi_write(&nhi, REG_DMA_MISC, 1 << 17);
	irq_raise(&irq, IRQ_TX(0));
	irq_raise(&irq, IRQ_RX(0));
	irq_raise(&irq, IRQ_OVERRUN(15));
	assert_int_equal(nhi_read(&nhi, REG_RING_NOTIFY), 0x00010001);
	nhi_write(&nhi, REG_RING_INT_CLEAR, 1);
	assert_int_equal(nhi_read(&nhi, REG_RING_NOTIFY), 0x00010000);
	assert_int_equal(nhi_read(&nhi, REG_RING_NOTIFY + 4), 0x8000);
	nhi_write(&nhi, REG_RING_INT_CLEAR + 4, UINT32_MAX);
	assert_int_equal(nhi_read(&nhi, REG_RING_NOTIFY + 4), 0);
	nhi_write(&nhi, REG_DMA_MISC, 0);
	assert_int_equal(nhi_read(&nhi, REG_RING_NOTIFY), 0x00010000);
	assert_int_equal(nhi_read(&nhi, REG_RING_NOTIFY), 0); /* cleared by reading */
}

static void test_mask_clear(void **state)
{
	(void)state;
	nhi_write(&nhi, REG_RING_INTERRUPT, 0x00030003);
	nhi_write(&nhi, REG_MASK_CLEAR, 0x00010001);
	assert_int_equal(nhi_read(&nhi, REG_RING_INTERRUPT), 0x00020002);
	assert_int_equal(irq.mask, 0x00020002);
}

static void test_vector_allocation(void **state)
{
	(void)state;
	nhi_write(&nhi, REG_INT_VEC_ALLOC + 8, 0x00000010);
	assert_int_equal(irq.alloc[2], 0x10);
}

static void test_host_reset(void **state)
{
	(void)state;
	nhi_write(&nhi, REG_TX_OPTIONS_BASE, RING_OPT_ENABLE);
	nhi_write(&nhi, REG_RESET, 2);
	assert_int_equal(resets, 0);
	nhi_write(&nhi, REG_RESET, 1);
	assert_int_equal(resets, 1);
	assert_int_equal(nhi_read(&nhi, REG_RESET), 0); /* done at once */
	assert_int_equal(nhi_read(&nhi, REG_TX_OPTIONS_BASE), 0);
}

#define test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_reset_values),	test(test_writable_masks), test(test_ring_setup),
		test(test_size_resets_indices), test(test_status_clear),   test(test_mask_clear),
		test(test_vector_allocation),	test(test_host_reset),
	};

	return cmocka_run_group_tests_name("nhi", tests, NULL, NULL);
}
