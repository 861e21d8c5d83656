// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "dma.h"

void dma_init(struct dma *dma)
{
	*dma = (struct dma){0};
}

/* A page that nobody may touch lies before and behind each map: a check that fails stops there. */
static int region_map(struct dma_region *region, int fd, uint64_t offset)
{
	int prot = (region->prot & DMA_READ ? PROT_READ : 0) |
		   (region->prot & DMA_WRITE ? PROT_WRITE : 0);
	size_t whole;
	uint8_t *guard;

	if (__builtin_add_overflow(region->size, 2 * DMA_PAGE, &whole))
		return -EINVAL;
	guard = mmap(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (guard == MAP_FAILED)
		return -errno;
	if (mmap(guard + DMA_PAGE, region->size, prot, MAP_SHARED | MAP_FIXED, fd, (off_t)offset) ==
	    MAP_FAILED) {
		int ret = -errno;

		munmap(guard, whole);
		return ret;
	}
	region->host = guard + DMA_PAGE;
	return 0;
}

static void region_release(struct dma_region *region)
{
	if (region->host)
		munmap(region->host - DMA_PAGE, region->size + 2 * DMA_PAGE);
}

void dma_reset(struct dma *dma)
{
	for (size_t i = 0; i < dma->count; i++)
		region_release(&dma->regions[i]);
	free(dma->regions);
	dma_init(dma);
}

static bool page_aligned(uint64_t value)
{
	return value % DMA_PAGE == 0;
}

static bool range_valid(uint64_t iova, uint64_t size)
{
	uint64_t end;

	return size && page_aligned(iova) && page_aligned(size) &&
	       !__builtin_add_overflow(iova, size, &end);
}

/* A file shorter than its map would turn a guest address into SIGBUS. */
static bool file_covers(int fd, uint64_t offset, uint64_t size)
{
	uint64_t end;
	struct stat st;

	return page_aligned(offset) && !__builtin_add_overflow(offset, size, &end) &&
	       !fstat(fd, &st) && st.st_size >= 0 && end <= (uint64_t)st.st_size;
}

/* The index of the first region that ends above iova. */
static size_t region_search(const struct dma *dma, uint64_t iova)
{
	size_t low = 0, high = dma->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct dma_region *region = &dma->regions[mid];

		if (region->iova + region->size <= iova)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int region_insert(struct dma *dma, size_t at, const struct dma_region *region)
{
	struct dma_region *grown;

	if (dma->count >= DMA_REGIONS_MAX)
		return -ENOSPC;
	grown = reallocarray(dma->regions, dma->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	dma->regions = grown;
	memmove(&grown[at + 1], &grown[at], (dma->count - at) * sizeof(*grown));
	grown[at] = *region;
	dma->count++;
	dma->last = at;
	return 0;
}

int dma_map(struct dma *dma, uint64_t iova, uint64_t size, int fd, uint64_t offset,
	    unsigned int prot)
{
	struct dma_region region = {.iova = iova, .size = size, .prot = prot};
	size_t at;
	int ret;

	if (!range_valid(iova, size) || !prot || prot & ~(DMA_READ | DMA_WRITE))
		return -EINVAL;
	if (fd >= 0 && !file_covers(fd, offset, size))
		return -EINVAL;

	at = region_search(dma, iova);
	if (at < dma->count && dma->regions[at].iova < iova + size)
		return -EEXIST;

	if (fd >= 0) {
		ret = region_map(&region, fd, offset);
		if (ret)
			return ret;
	}
	ret = region_insert(dma, at, &region);
	if (ret)
		region_release(&region);
	return ret;
}

int dma_unmap(struct dma *dma, uint64_t iova, uint64_t size)
{
	size_t first, end;

	if (!range_valid(iova, size))
		return -EINVAL;

	first = region_search(dma, iova);
	for (end = first; end < dma->count && dma->regions[end].iova < iova + size; end++) {
		const struct dma_region *region = &dma->regions[end];

		if (region->iova < iova || region->iova + region->size > iova + size)
			return -EINVAL;
	}
	if (first == end)
		return -ENOENT;

	for (size_t i = first; i < end; i++)
		region_release(&dma->regions[i]);
	memmove(&dma->regions[first], &dma->regions[end],
		(dma->count - end) * sizeof(*dma->regions));
	dma->count -= end - first;
	dma->last = 0;
	return 0;
}

static bool region_holds(const struct dma_region *region, uint64_t iova)
{
	return iova >= region->iova && iova - region->iova < region->size;
}

void *dma_access(struct dma *dma, uint64_t iova, size_t len, unsigned int prot, size_t *ret_len)
{
	const struct dma_region *region;
	uint64_t offset;

	if (!len || !dma->count)
		return NULL;
	if (!region_holds(&dma->regions[dma->last], iova)) {
		size_t at = region_search(dma, iova);

		if (at == dma->count || !region_holds(&dma->regions[at], iova))
			return NULL;
		dma->last = at;
	}
	region = &dma->regions[dma->last];
	if (!region->host || (region->prot & prot) != prot)
		return NULL;

	offset = iova - region->iova;
	*ret_len = len < region->size - offset ? len : (size_t)(region->size - offset);
	return region->host + offset;
}

int dma_read(struct dma *dma, uint64_t iova, void *buf, size_t len)
{
	uint8_t *to = buf;
	size_t part;

	for (; len; len -= part, to += part, iova += part) {
		const void *from = dma_access(dma, iova, len, DMA_READ, &part);

		if (!from)
			return -EFAULT;
		memcpy(to, from, part);
	}
	return 0;
}

int dma_write(struct dma *dma, uint64_t iova, const void *buf, size_t len)
{
	const uint8_t *from = buf;
	size_t part;

	for (; len; len -= part, from += part, iova += part) {
		void *to = dma_access(dma, iova, len, DMA_WRITE, &part);

		if (!to)
			return -EFAULT;
		memcpy(to, from, part);
	}
	return 0;
}
