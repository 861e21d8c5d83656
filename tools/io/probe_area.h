/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of a file system, wherever they come from: a disk, or the disk in an image. */
#ifndef IO_PROBE_AREA_H
#define IO_PROBE_AREA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe_area {
	/* Reads all of LEN bytes at OFFSET of what FROM is. Returns 0 or -errno. */
	int (*read)(void *from, uint64_t offset, void *buf, size_t len);
	void *from;
	uint64_t start, size; /* bytes of it: where the file system should be */
};

/* Reads LEN bytes at OFFSET of AREA, and nothing beyond it. False where they cannot be read. */
static inline bool probe_area_get(const struct probe_area *area, uint64_t offset, void *buf,
				  size_t len)
{
	return offset <= area->size && len <= area->size - offset &&
	       area->read(area->from, area->start + offset, buf, len) == 0;
}

#endif
