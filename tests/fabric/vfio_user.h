/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio_user: the server's side of the vfio-user protocol (QEMU docs/interop/vfio-user.rst, version
 * 0.0; constants shared with <linux/vfio.h>). It frames, checks and answers messages for one PCI
 * device that it knows only through struct vfio_user_device, over a transport that it knows only
 * through struct vfio_user_transport: a socket in the fabric, a byte string in the fuzzer.
 */
#ifndef VFIO_USER_H
#define VFIO_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#define VFIO_USER_FDS_MAX     16u
#define VFIO_USER_MESSAGE_MAX 8192u
#define VFIO_USER_BUFFER_SIZE 65536u
#define VFIO_USER_REGIONS     9u    /* six BARs, ROM, configuration space, VGA */
#define VFIO_USER_IRQS	      5u    /* INTx, MSI, MSI-X, error, request */
#define VFIO_USER_DATA_MAX    4096u /* bytes in one region access */

struct vfio_user_header {
	uint16_t id;
	uint16_t command;
	uint32_t size; /* with this header */
	uint32_t flags;
	uint32_t error;
};
_Static_assert(sizeof(struct vfio_user_header) == 16, "header layout");

struct vfio_user_version {
	uint16_t major;
	uint16_t minor; /* NUL-terminated JSON follows */
};
_Static_assert(sizeof(struct vfio_user_version) == 4, "version layout");

struct vfio_user_dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset;
	uint64_t iova;
	uint64_t size;
};
_Static_assert(sizeof(struct vfio_user_dma_map) == 32, "DMA map layout");

struct vfio_user_dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t iova;
	uint64_t size;
};
_Static_assert(sizeof(struct vfio_user_dma_unmap) == 24, "DMA unmap layout");

struct vfio_user_device_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t regions;
	uint32_t irqs;
};
_Static_assert(sizeof(struct vfio_user_device_info) == 16, "device info layout");

struct vfio_user_region_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t cap_offset;
	uint64_t size;
	uint64_t offset;
};
_Static_assert(sizeof(struct vfio_user_region_info) == 32, "region info layout");

struct vfio_user_irq_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t count;
};
_Static_assert(sizeof(struct vfio_user_irq_info) == 16, "IRQ info layout");

struct vfio_user_irq_set {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count;
};
_Static_assert(sizeof(struct vfio_user_irq_set) == 20, "IRQ set layout");

struct vfio_user_region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count; /* that many bytes follow a write, and the reply to a read */
};
_Static_assert(sizeof(struct vfio_user_region_access) == 16, "region access layout");

struct vfio_user_posted_write {
	struct vfio_user_region_access access; /* count at most 8 */
	uint8_t data[8];
};
_Static_assert(sizeof(struct vfio_user_posted_write) == 24, "posted write layout");

/* The device behind the protocol. Functions that return int give -errno, which is the reply. */
struct vfio_user_device {
	uint64_t region_size[VFIO_USER_REGIONS]; /* 0: no such region */
	uint32_t vectors;			 /* MSI-X */

	/* offset + count is within the region, count at most VFIO_USER_DATA_MAX. */
	int (*region_read)(void *ctx, unsigned int region, uint64_t offset, void *buf,
			   uint32_t count);
	int (*region_write)(void *ctx, unsigned int region, uint64_t offset, const void *buf,
			    uint32_t count);
	/* fd (-1: none) stays the caller's; prot is enum dma_prot. */
	int (*dma_map)(void *ctx, uint64_t iova, uint64_t size, int fd, uint64_t offset,
		       unsigned int prot);
	int (*dma_unmap)(void *ctx, uint64_t iova, uint64_t size);
	void (*dma_unmap_all)(void *ctx);
	/* Takes ownership of fd; -1 takes the vector's eventfd away. vector < vectors. */
	void (*set_vector)(void *ctx, unsigned int vector, int fd);
	void (*reset)(void *ctx);
};

struct vfio_user_transport {
	/*
	 * Up to len bytes, and up to VFIO_USER_FDS_MAX file descriptors, which become the caller's.
	 * They belong to the message that holds the last byte returned: a stream socket never reads
	 * on past a message with descriptors. 0 at the end, -EAGAIN, -errno.
	 */
	ssize_t (*recv)(void *ctx, void *buf, size_t len, int *fds, size_t *ret_fds);
	/* All of it, or -errno. */
	int (*send)(void *ctx, const struct iovec *iov, int count);
};

struct vfio_user {
	const struct vfio_user_transport *transport;
	void *transport_ctx;
	const struct vfio_user_device *device;
	void *device_ctx;
	uint8_t *buffer;
	size_t len; /* bytes in buffer */
	int fds[VFIO_USER_FDS_MAX];
	size_t fd_count;
	size_t fd_end; /* where in buffer the read ended that brought fds */
};

/* Both contexts stay the caller's and must outlive the server. -ENOMEM. */
int vfio_user_init(struct vfio_user *vu, const struct vfio_user_transport *transport,
		   void *transport_ctx, const struct vfio_user_device *device, void *device_ctx);

/* Forgets what was received and closes descriptors that nobody has taken. */
void vfio_user_release(struct vfio_user *vu);

/*
 * Receives once and handles every message that is complete. 0: more may come; -ENOTCONN at the end
 * of the stream; -EPROTO when the peer does not speak the protocol; other -errno from the
 * transport.
 */
int vfio_user_serve(struct vfio_user *vu);

#endif
