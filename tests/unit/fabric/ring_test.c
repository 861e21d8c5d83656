// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "ring.h"

#define BASE  UINT64_C(0x40000000)
#define SLOTS 4u

static struct dma dma;
static struct ring ring;
static uint8_t *memory;
static int ram;

static int setup_ring(bool tx)
{
	dma_init(&dma);
	ram = memfd_create("ram", MFD_CLOEXEC);
	if (ram < 0 || ftruncate(ram, DMA_PAGE))
		return -1;
	memory = mmap(NULL, DMA_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ram, 0);
	ring_reset(&ring, tx);
	ring.base = BASE;
	ring.options = RING_OPT_ENABLE;
	ring_set_size(&ring, SLOTS);
	return memory == MAP_FAILED || dma_map(&dma, BASE, DMA_PAGE, ram, 0, DMA_READ | DMA_WRITE);
}

static int setup_tx(void **state)
{
	(void)state;
	return setup_ring(true);
}

static int setup_rx(void **state)
{
	(void)state;
	return setup_ring(false);
}

static int teardown(void **state)
{
	(void)state;
	dma_reset(&dma);
	munmap(memory, DMA_PAGE);
	close(ram);
	return 0;
}

/* Address 0x1122334455667788, 0x123 bytes, end PDF 3, start PDF 1, flags posted and interrupt. */
static const uint8_t descriptor[RING_DESC_SIZE] = {0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
						   0x23, 0x31, 0xc1, 0x00, 0x00, 0x00, 0x00, 0x00};

static void test_parse_tx(void **state)
{
	struct ring_desc desc;

	(void)state;
	memcpy(memory, descriptor, sizeof(descriptor));
	assert_int_equal(ring_peek(&ring, &dma, &desc), -EAGAIN);
	ring_set_index(&ring, 1 << 16);
	assert_int_equal(ring_peek(&ring, &dma, &desc), 0);
	assert_true(desc.addr == UINT64_C(0x1122334455667788));
	assert_int_equal(desc.length, 0x123);
	assert_int_equal(desc.eof, 3);
	assert_int_equal(desc.sof, 1);
	assert_int_equal(desc.flags, RING_FLAG_INTERRUPT | 4);
}

static void test_length_zero_is_4096(void **state)
{
	struct ring_desc desc;

	(void)state;
	ring_set_index(&ring, 1 << 16);
	assert_int_equal(ring_peek(&ring, &dma, &desc), 0);
	assert_int_equal(desc.length, 4096);
}

static void test_complete_tx_keeps_the_rest(void **state)
{
	static const uint8_t done[] = {0x23, 0x31, 0xe1, 0x00};
	struct ring_desc desc;

	(void)state;
	memcpy(memory, descriptor, sizeof(descriptor));
	ring_set_index(&ring, 1 << 16);
	assert_int_equal(ring_peek(&ring, &dma, &desc), 0);
	assert_int_equal(ring_complete(&ring, &dma, &desc), 0);
	assert_memory_equal(memory, descriptor, 8);
	assert_memory_equal(memory + 8, done, 4);
	assert_int_equal(ring_index(&ring), 1 << 16 | 1);
	assert_int_equal(ring_peek(&ring, &dma, &desc), -EAGAIN);
	assert_int_equal(ring_complete(&ring, &dma, &desc), -EAGAIN);
}

/* On an RX descriptor the flags are exactly done and error: 4 would mean an overrun. */
static void test_complete_rx_flags(void **state)
{
	static const uint8_t done[] = {0x00, 0x20, 0x21, 0x00}, bad[] = {0x0a, 0x20, 0x31, 0x00};
	struct ring_desc desc;

	(void)state;
	memcpy(memory, descriptor, sizeof(descriptor));
	memcpy(memory + 16, descriptor, sizeof(descriptor));
	ring_set_index(&ring, 2);
	assert_int_equal(ring_peek(&ring, &dma, &desc), 0);
	desc = (struct ring_desc){.length = 4096, .sof = 1, .eof = 2};
	assert_int_equal(ring_complete(&ring, &dma, &desc), 0);
	assert_memory_equal(memory + 8, done, 4);
	desc = (struct ring_desc){.length = 10, .sof = 1, .eof = 2, .flags = RING_FLAG_CRC_ERROR};
	assert_int_equal(ring_complete(&ring, &dma, &desc), 0);
	assert_memory_equal(memory + 24, bad, 4);
	assert_int_equal(ring_index(&ring), 2 << 16 | 2);
}

static void test_wraps(void **state)
{
	struct ring_desc desc;

	(void)state;
	for (unsigned int i = 0; i < 3 * SLOTS; i++) {
		memory[i % SLOTS * RING_DESC_SIZE] = (uint8_t)i;
		ring_set_index(&ring, (i + 1) % SLOTS << 16);
		assert_int_equal(ring_peek(&ring, &dma, &desc), 0);
		assert_int_equal(desc.addr, i);
		assert_int_equal(ring_complete(&ring, &dma, &desc), 0);
		assert_int_equal(ring_peek(&ring, &dma, &desc), -EAGAIN);
	}
}

static void test_index_outside_ignored(void **state)
{
	(void)state;
	ring_set_index(&ring, 3 << 16);
	ring_set_index(&ring, SLOTS << 16);
	ring_set_index(&ring, UINT32_MAX);
	assert_int_equal(ring_index(&ring), 3 << 16);
	ring_set_size(&ring, 2); /* a smaller ring starts over */
	assert_int_equal(ring_index(&ring), 0);
	assert_false(ring_ready(&ring));
}

static void test_sizes(void **state)
{
	(void)state;
	ring_set_size(&ring, 0);
	ring_set_index(&ring, 0);
	assert_false(ring_ready(&ring));
	ring_set_size(&ring, RING_SIZE_MAX + 1);
	ring_set_index(&ring, 1);
	assert_false(ring_ready(&ring));
	ring_set_size(&ring, 256u << 16 | 10);
	assert_int_equal(ring.frame_max, 256);
	ring_set_size(&ring, 10);
	assert_int_equal(ring.frame_max, 4096);
	ring_set_size(&ring, 0xffffu << 16 | 10);
	assert_int_equal(ring.frame_max, 4096);
}

static void test_disabled(void **state)
{
	struct ring_desc desc;

	(void)state;
	ring_set_index(&ring, 1 << 16);
	assert_true(ring_ready(&ring));
	ring.options = RING_OPT_E2E;
	assert_false(ring_ready(&ring));
	assert_int_equal(ring_peek(&ring, &dma, &desc), -EAGAIN);
}

/* Half of this ring lies behind the end of memory, and one at the very top would wrap around. */
static void test_outside_memory(void **state)
{
	struct ring_desc desc = {0};

	(void)state;
	ring.base = BASE + DMA_PAGE - RING_DESC_SIZE;
	ring_set_index(&ring, 2 << 16);
	assert_int_equal(ring_peek(&ring, &dma, &desc), 0);
	assert_int_equal(ring_complete(&ring, &dma, &desc), 0);
	assert_int_equal(ring_peek(&ring, &dma, &desc), -EFAULT);
	assert_int_equal(ring_complete(&ring, &dma, &desc), -EFAULT);
	ring.base = -(uint64_t)RING_DESC_SIZE;
	assert_int_equal(ring_peek(&ring, &dma, &desc), -EFAULT);
}

static void test_pdf_masks(void **state)
{
	(void)state;
	ring.sof_mask = 1 << 1;
	ring.eof_mask = 1 << 2 | 1 << 3;
	assert_true(ring_accepts(&ring, 1, 2));
	assert_true(ring_accepts(&ring, 1, 3));
	assert_false(ring_accepts(&ring, 1, 1));
	assert_false(ring_accepts(&ring, 2, 2));
	assert_false(ring_accepts(&ring, 0, 15));
}

#define test_tx(name) cmocka_unit_test_setup_teardown(name, setup_tx, teardown)
#define test_rx(name) cmocka_unit_test_setup_teardown(name, setup_rx, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_tx(test_parse_tx),
		test_tx(test_length_zero_is_4096),
		test_tx(test_complete_tx_keeps_the_rest),
		test_rx(test_complete_rx_flags),
		test_tx(test_wraps),
		test_tx(test_index_outside_ignored),
		test_rx(test_sizes),
		test_tx(test_disabled),
		test_tx(test_outside_memory),
		test_rx(test_pdf_masks),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
