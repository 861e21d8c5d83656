/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dma: the guest memory a device may touch, as told by VFIO_USER_DMA_MAP.
 *
 * The list is the emulated machine's IOMMU: an address outside it does not exist, and every byte
 * that the fabric reads from or writes to a guest goes through dma_access(). The machine's BIOS
 * remaps low memory many times, so the list is kept sorted and takes maps and unmaps in any order.
 */
#ifndef DMA_H
#define DMA_H

#include <stddef.h>
#include <stdint.h>

#define DMA_PAGE	4096u
#define DMA_REGIONS_MAX 1024u

/* Directions that a region allows; the values of the vfio-user flags. */
enum dma_prot {
	DMA_READ = 1,
	DMA_WRITE = 2,
};

struct dma_region {
	uint64_t iova;
	uint64_t size;
	uint8_t *host; /* NULL: announced without a file descriptor, exists but cannot be reached */
	unsigned int prot;
};

struct dma {
	struct dma_region *regions; /* sorted by iova, never overlapping */
	size_t count;
	size_t last; /* the region that was hit last: frames come in runs */
};

void dma_init(struct dma *dma);

/* Unmaps everything. */
void dma_reset(struct dma *dma);

/*
 * Adds guest memory [iova, iova + size). With fd >= 0 it is mapped shared from offset; fd stays the
 * caller's. All of it page aligned, the file at least offset + size long.
 * -EINVAL, -EEXIST (overlaps), -ENOSPC (too many), or what mmap says.
 */
int dma_map(struct dma *dma, uint64_t iova, uint64_t size, int fd, uint64_t offset,
	    unsigned int prot);

/* Removes every region inside [iova, iova + size). -ENOENT if there is none, -EINVAL if one would
 * have to be split. */
int dma_unmap(struct dma *dma, uint64_t iova, uint64_t size);

/*
 * The one checked way into guest memory: the host address of iova if it lies in a region that
 * allows prot, and in *ret_len how many of the len bytes are contiguous there. NULL otherwise.
 * The pointer is good until the next map, unmap or reset.
 */
void *dma_access(struct dma *dma, uint64_t iova, size_t len, unsigned int prot, size_t *ret_len);

/* Copies len bytes out of or into guest memory, across adjacent regions. -EFAULT: nothing promised
 * about the bytes before the hole. */
int dma_read(struct dma *dma, uint64_t iova, void *buf, size_t len);
int dma_write(struct dma *dma, uint64_t iova, const void *buf, size_t len);

#endif
