/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between used.c, the walk, and the file systems that it knows. Every reader adds to SPARE what the
 * file system in AREA has free, from AREA's start on, whose size SPARE has. What lies behind the
 * file system's end, and what is not its to give away, is used.
 *
 * A reader returns 0; -EUCLEAN, with a constant phrase in RET_DOUBT ("its journal is not
 * clean"), at the first thing that may mean that the map is not to be trusted: all of AREA is used
 * then; or another -errno where it cannot be read or there is no memory. It never frees what it is
 * not sure of: a byte that is wrongly kept costs time, one that is wrongly left out is lost.
 */
#ifndef USED_KINDS_H
#define USED_KINDS_H

#include "io/probe_area.h"
#include "used/spare.h"

int used_ext(const struct probe_area *area, struct spare *spare, const char **ret_doubt);
int used_fat(const struct probe_area *area, struct spare *spare, const char **ret_doubt);
int used_exfat(const struct probe_area *area, struct spare *spare, const char **ret_doubt);
int used_swap(const struct probe_area *area, struct spare *spare, const char **ret_doubt);
int used_lvm(const struct probe_area *area, struct spare *spare, const char **ret_doubt);
int used_xfs(const struct probe_area *area, struct spare *spare, const char **ret_doubt);
int used_btrfs(const struct probe_area *area, struct spare *spare, const char **ret_doubt);
int used_ntfs(const struct probe_area *area, struct spare *spare, const char **ret_doubt);

/* DOUBT goes to *RET_DOUBT. Returns -EUCLEAN. */
int used_doubt(const char *doubt, const char **ret_doubt);
/* LEN bytes at OFFSET of AREA. Returns 0, -EUCLEAN with a doubt where they are beyond its end, or
 * -errno. */
int used_get(const struct probe_area *area, uint64_t offset, void *buf, size_t len,
	     const char **ret_doubt);
/* CRC32C, initial value and final xor ~0. */
uint32_t used_crc32c(const void *data, size_t len);

/* A map in which a bit is set where a unit is used, from bit 0 of byte 0 on. */
struct used_map {
	struct spare *spare;
	uint64_t origin; /* where unit 0 is, bytes */
	uint64_t unit;	 /* bytes */
};
/*
 * COUNT bits of MAP, that of unit FIRST being the first: adds what is free to its spare, and the
 * number of free units to *FREE. The caller sees to it that no offset wraps. Returns as spare_add.
 */
int used_map_add(const struct used_map *map, const uint8_t *bits, uint64_t first, uint64_t count,
		 uint64_t *free);

#endif
