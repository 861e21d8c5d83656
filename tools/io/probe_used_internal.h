/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between probe_used.c and the file systems that it knows. */
#ifndef IO_PROBE_USED_INTERNAL_H
#define IO_PROBE_USED_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/probe_area.h"
#include "io/probe_used.h"

/* Bytes of a map of clusters that are read at most: of NTFS with clusters of 4 KiB 2 TiB's. */
#define PROBE_USED_MAP_MOST (64u << 20)

/*
 * The first BITS bits at OFFSET are a map, from bit 0 of byte 0 on: adds how many are set to
 * *COUNT. False where they cannot be read.
 */
bool probe_used_bits(const struct probe_area *area, uint64_t offset, uint64_t bits,
		     uint64_t *count);

/* The result, of UNITS units of UNIT bytes, FREE of them free; false where that cannot be. */
bool probe_used_put(const struct probe_area *area, uint64_t unit, uint64_t units, uint64_t free,
		    struct probe_used *ret);

/* The readers; false where it is not known. */
bool probe_used_ext(const struct probe_area *area, struct probe_used *ret);
bool probe_used_fat(const struct probe_area *area, struct probe_used *ret);
bool probe_used_exfat(const struct probe_area *area, struct probe_used *ret);
bool probe_used_ntfs(const struct probe_area *area, struct probe_used *ret);

/*
 * NTFS alone: the byte at which the file $LogFile begins, for probe_head.c. False where that cannot
 * be found.
 */
bool probe_used_ntfs_log(const struct probe_area *area, uint64_t *ret);

#endif
