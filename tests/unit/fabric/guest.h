/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest: a machine's side of a host, for tests: its memory, and what a driver does with rings. A
 * ring has 16 descriptors and a page for each buffer.
 */
#ifndef GUEST_H
#define GUEST_H

#include <endian.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "fabric.h"

#define GUEST_BASE  UINT64_C(0x100000)
#define GUEST_SIZE  0x100000u
#define GUEST_SLOTS 16u

static uint64_t guest_now = 1000; /* ms, on a clock that only tests move */

struct guest {
	struct host *host;
	uint8_t *memory;
	uint16_t next[2][RING_COUNT]; /* the driver's index: RX, TX */
	uint16_t seen[2][RING_COUNT]; /* the first descriptor that is not known to be done */
};

struct guest_frame {
	unsigned int length;
	unsigned int eof;
	unsigned int flags;
	const uint8_t *data;
};

static inline int guest_start(struct guest *guest, struct host *host)
{
	int fd = memfd_create("guest", MFD_CLOEXEC);
	int ret;

	*guest = (struct guest){.host = host};
	clock_hold(guest_now);
	if (fd < 0 || ftruncate(fd, GUEST_SIZE))
		return -1;
	host_power(host, true);
	guest->memory = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ret = host_device.dma_map(host, GUEST_BASE, GUEST_SIZE, fd, 0, DMA_READ | DMA_WRITE);
	close(fd);
	return guest->memory == MAP_FAILED ? -1 : ret;
}

/* The router as the connection manager leaves it when it has read it. */
static inline void guest_enumerate(struct guest *guest)
{
	guest->host->router.words[3] |= UINT32_C(1) << 31;
	guest->host->ops->configured(guest->host->ctx, guest->host);
}

/* Turns of the fabric over so many milliseconds. */
static inline void guest_time(struct fabric *fabric, unsigned int ms)
{
	for (;;) {
		clock_hold(guest_now);
		while (fabric_turn(fabric) == 0)
			;
		if (!ms--)
			return;
		guest_now++;
	}
}

static inline void guest_stop(struct guest *guest)
{
	host_power(guest->host, false);
	munmap(guest->memory, GUEST_SIZE);
}

static inline void guest_set(struct guest *guest, uint32_t reg, uint32_t value)
{
	host_device.region_write(guest->host, VFIO_PCI_BAR0_REGION_INDEX, reg, &value, 4);
}

/* Offsets in memory: descriptors, then one page per buffer; two rings in each direction. */
static inline uint32_t guest_slot(bool tx, unsigned int ring, unsigned int slot)
{
	return (ring * 2 + tx) * 0x1000 + slot * RING_DESC_SIZE;
}

static inline uint32_t guest_buffer(bool tx, unsigned int ring, unsigned int slot)
{
	return 0x10000 + ((ring * 2 + tx) * GUEST_SLOTS + slot) * 0x1000;
}

static inline void guest_post(struct guest *guest, bool tx, unsigned int ring, uint32_t word)
{
	uint16_t *next = &guest->next[tx][ring];
	uint8_t *desc = guest->memory + guest_slot(tx, ring, *next);
	uint64_t addr = htole64(GUEST_BASE + guest_buffer(tx, ring, *next));
	uint32_t rest[2] = {htole32(word | 0xcu << 20), 0};

	memcpy(desc, &addr, 8);
	memcpy(desc + 8, rest, 8);
	*next = (uint16_t)((*next + 1) % GUEST_SLOTS);
	guest_set(guest, (tx ? 0 : 0x8000) + 16 * ring + 8, tx ? (uint32_t)*next << 16 : *next);
}

/* Starts a ring as the driver does; an RX ring with buffers for all but one descriptor. */
static inline void guest_ring(struct guest *guest, bool tx, unsigned int ring, uint32_t options)
{
	const uint32_t regs = (tx ? 0 : 0x8000) + 16 * ring,
		       opts = (tx ? 0x19800 : 0x29800) + 32 * ring;

	guest->next[tx][ring] = guest->seen[tx][ring] = 0;
	guest_set(guest, regs, (uint32_t)GUEST_BASE + guest_slot(tx, ring, 0));
	guest_set(guest, regs + 4, 0);
	guest_set(guest, regs + 12, GUEST_SLOTS);
	if (!tx)
		guest_set(guest, opts + 4, ring ? 0x0002000c : 0xffffffff);
	guest_set(guest, opts, RING_OPT_ENABLE | options);
	for (unsigned int i = 0; !tx && i < GUEST_SLOTS - 1; i++)
		guest_post(guest, false, ring, 0);
}

static inline void guest_ring_stop(struct guest *guest, bool tx, unsigned int ring)
{
	guest_set(guest, (tx ? 0x19800 : 0x29800) + 32 * ring, 0);
	guest_set(guest, (tx ? 0 : 0x8000) + 16 * ring + 12, 0);
}

static inline void guest_send(struct guest *guest, unsigned int ring, const void *data,
			      unsigned int length, unsigned int sof, unsigned int eof)
{
	memcpy(guest->memory + guest_buffer(true, ring, guest->next[1][ring]), data, length);
	guest_post(guest, true, ring, (length & 0xfff) | eof << 12 | sof << 16);
}

/* The next descriptor that the device has completed; false if there is none. */
static inline bool guest_done(struct guest *guest, bool tx, unsigned int ring,
			      struct guest_frame *ret_frame)
{
	uint16_t *seen = &guest->seen[tx][ring];
	uint32_t word;

	if (*seen == guest->next[tx][ring])
		return false;
	memcpy(&word, guest->memory + guest_slot(tx, ring, *seen) + 8, 4);
	word = le32toh(word);
	if (!(word >> 20 & RING_FLAG_DONE))
		return false;
	*ret_frame = (struct guest_frame){
		.length = word & 0xfff ? word & 0xfff : 4096,
		.eof = word >> 12 & 0xf,
		.flags = word >> 20,
		.data = guest->memory + guest_buffer(tx, ring, *seen),
	};
	*seen = (uint16_t)((*seen + 1) % GUEST_SLOTS);
	return true;
}

#endif
