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

#include "dma.h"

#define RAM_SIZE (4 * DMA_PAGE)
#define BASE	 UINT64_C(0x100000)
#define BOTH	 (DMA_READ | DMA_WRITE)

static struct dma dma;
static int ram;

static int setup(void **state)
{
	(void)state;
	dma_init(&dma);
	ram = memfd_create("ram", MFD_CLOEXEC);
	return ram < 0 || ftruncate(ram, RAM_SIZE);
}

static int teardown(void **state)
{
	(void)state;
	dma_reset(&dma);
	close(ram);
	return 0;
}

static void test_bounds(void **state)
{
	uint8_t byte = 7;

	(void)state;
	assert_int_equal(dma_map(&dma, BASE, RAM_SIZE, ram, 0, BOTH), 0);
	assert_int_equal(dma_write(&dma, BASE, &byte, 1), 0);
	assert_int_equal(dma_write(&dma, BASE + RAM_SIZE - 1, &byte, 1), 0);
	assert_int_equal(dma_write(&dma, BASE - 1, &byte, 1), -EFAULT);
	assert_int_equal(dma_write(&dma, BASE + RAM_SIZE, &byte, 1), -EFAULT);
	assert_int_equal(dma_read(&dma, UINT64_MAX, &byte, 1), -EFAULT);
}

static void test_run_over_the_end(void **state)
{
	uint8_t buf[RAM_SIZE + 1];

	(void)state;
	assert_int_equal(dma_map(&dma, BASE, RAM_SIZE, ram, 0, BOTH), 0);
	assert_int_equal(dma_read(&dma, BASE, buf, RAM_SIZE), 0);
	assert_int_equal(dma_read(&dma, BASE, buf, RAM_SIZE + 1), -EFAULT);
	assert_int_equal(dma_read(&dma, BASE + 1, buf, RAM_SIZE), -EFAULT);
}

/* The top of the address space: nothing may wrap around to its start. */
static void test_top_of_addresses(void **state)
{
	const uint64_t top = -(uint64_t)DMA_PAGE;
	uint8_t buf[8];

	(void)state;
	assert_int_equal(dma_map(&dma, top, DMA_PAGE, ram, 0, BOTH), -EINVAL);
	assert_int_equal(dma_map(&dma, top - DMA_PAGE, DMA_PAGE, ram, 0, BOTH), 0);
	assert_int_equal(dma_map(&dma, 0, DMA_PAGE, ram, 0, BOTH), 0);
	assert_int_equal(dma_read(&dma, top - 8, buf, 8), 0);
	assert_int_equal(dma_read(&dma, top - 4, buf, 8), -EFAULT);
	assert_int_equal(dma_read(&dma, UINT64_MAX - 3, buf, 8), -EFAULT);
}

static void test_across_regions(void **state)
{
	uint8_t to[16], from[16];

	(void)state;
	memset(from, 0x5a, sizeof(from));
	assert_int_equal(dma_map(&dma, BASE, DMA_PAGE, ram, DMA_PAGE, BOTH), 0);
	assert_int_equal(dma_map(&dma, BASE + DMA_PAGE, DMA_PAGE, ram, 0, BOTH), 0);
	assert_int_equal(dma_write(&dma, BASE + DMA_PAGE - 8, from, sizeof(from)), 0);
	assert_int_equal(dma_read(&dma, BASE + DMA_PAGE - 8, to, sizeof(to)), 0);
	assert_memory_equal(to, from, sizeof(to));
	assert_int_equal(pread(ram, to, 8, 0), 8);
	assert_memory_equal(to, from, 8);
	assert_int_equal(pread(ram, to, 8, 2 * DMA_PAGE - 8), 8);
	assert_memory_equal(to, from, 8);
}

static void test_directions(void **state)
{
	size_t len;
	uint8_t byte = 0;

	(void)state;
	assert_int_equal(dma_map(&dma, BASE, DMA_PAGE, ram, 0, DMA_READ), 0);
	assert_int_equal(dma_read(&dma, BASE, &byte, 1), 0);
	assert_int_equal(dma_write(&dma, BASE, &byte, 1), -EFAULT);
	assert_null(dma_access(&dma, BASE, 1, BOTH, &len));
}

/* Announced without a file descriptor: it takes part in the list, but cannot be reached. */
static void test_without_memory(void **state)
{
	uint8_t byte;

	(void)state;
	assert_int_equal(dma_map(&dma, BASE, DMA_PAGE, -1, 0, BOTH), 0);
	assert_int_equal(dma_read(&dma, BASE, &byte, 1), -EFAULT);
	assert_int_equal(dma_map(&dma, BASE, DMA_PAGE, ram, 0, BOTH), -EEXIST);
	assert_int_equal(dma_unmap(&dma, BASE, DMA_PAGE), 0);
	assert_int_equal(dma_map(&dma, BASE, DMA_PAGE, ram, 0, BOTH), 0);
}

static void test_map_refuses(void **state)
{
	(void)state;
	assert_int_equal(dma_map(&dma, BASE, 0, ram, 0, BOTH), -EINVAL);
	assert_int_equal(dma_map(&dma, BASE + 1, DMA_PAGE, ram, 0, BOTH), -EINVAL);
	assert_int_equal(dma_map(&dma, BASE, DMA_PAGE - 1, ram, 0, BOTH), -EINVAL);
	assert_int_equal(dma_map(&dma, BASE, DMA_PAGE, ram, 1, BOTH), -EINVAL);
	assert_int_equal(dma_map(&dma, BASE, DMA_PAGE, ram, 0, 0), -EINVAL);
	assert_int_equal(dma_map(&dma, BASE, DMA_PAGE, ram, 0, 8), -EINVAL);
	/* a file that is too short, and an offset that wraps */
	assert_int_equal(dma_map(&dma, BASE, RAM_SIZE + DMA_PAGE, ram, 0, BOTH), -EINVAL);
	assert_int_equal(dma_map(&dma, BASE, RAM_SIZE, ram, DMA_PAGE, BOTH), -EINVAL);
	assert_int_equal(dma_map(&dma, BASE, DMA_PAGE, ram, -(uint64_t)DMA_PAGE, BOTH), -EINVAL);
	assert_int_equal(dma.count, 0);
}

static void test_overlap_refused(void **state)
{
	(void)state;
	assert_int_equal(dma_map(&dma, BASE, 2 * DMA_PAGE, ram, 0, BOTH), 0);
	assert_int_equal(dma_map(&dma, BASE + DMA_PAGE, DMA_PAGE, ram, 0, BOTH), -EEXIST);
	assert_int_equal(dma_map(&dma, BASE - DMA_PAGE, 2 * DMA_PAGE, ram, 0, BOTH), -EEXIST);
	assert_int_equal(dma_map(&dma, BASE - DMA_PAGE, DMA_PAGE, ram, 0, BOTH), 0);
	assert_int_equal(dma_map(&dma, BASE + 2 * DMA_PAGE, DMA_PAGE, ram, 0, BOTH), 0);
}

static void test_unmap(void **state)
{
	uint8_t byte;

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(dma_map(&dma, BASE + i * DMA_PAGE, DMA_PAGE, ram, 0, BOTH), 0);
	assert_int_equal(dma_unmap(&dma, BASE + DMA_PAGE, 2 * DMA_PAGE), 0);
	assert_int_equal(dma_read(&dma, BASE, &byte, 1), 0);
	assert_int_equal(dma_read(&dma, BASE + DMA_PAGE, &byte, 1), -EFAULT);
	assert_int_equal(dma_read(&dma, BASE + 2 * DMA_PAGE, &byte, 1), -EFAULT);
	assert_int_equal(dma_read(&dma, BASE + 3 * DMA_PAGE, &byte, 1), 0);
	assert_int_equal(dma_unmap(&dma, BASE + DMA_PAGE, DMA_PAGE), -ENOENT);
	assert_int_equal(dma_map(&dma, BASE + DMA_PAGE, 2 * DMA_PAGE, ram, 0, BOTH), 0);
	assert_int_equal(dma_unmap(&dma, BASE + DMA_PAGE, DMA_PAGE), -EINVAL);
	assert_int_equal(dma_unmap(&dma, BASE + 2 * DMA_PAGE, 2 * DMA_PAGE), -EINVAL);
	assert_int_equal(dma.count, 3);
}

static void test_limit(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < DMA_REGIONS_MAX; i++)
		assert_int_equal(dma_map(&dma, (i ^ 1) * 2 * DMA_PAGE, DMA_PAGE, -1, 0, BOTH), 0);
	assert_int_equal(dma_map(&dma, DMA_PAGE, DMA_PAGE, ram, 0, BOTH), -ENOSPC);
	for (size_t i = 1; i < dma.count; i++)
		assert_true(dma.regions[i - 1].iova < dma.regions[i].iova);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_bounds),	   test(test_run_over_the_end), test(test_top_of_addresses),
		test(test_across_regions), test(test_directions),	test(test_without_memory),
		test(test_map_refuses),	   test(test_overlap_refused),	test(test_unmap),
		test(test_limit),
	};

	return cmocka_run_group_tests_name("dma", tests, NULL, NULL);
}
