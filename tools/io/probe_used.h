/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How full a file system is, as it counts itself. For probe*.c only. */
#ifndef IO_PROBE_USED_H
#define IO_PROBE_USED_H

#include <stdbool.h>
#include <stdint.h>

#include "io/disk.h"

struct probe_used {
	uint64_t size, used; /* bytes; what it has to give away, and what of that is not free */
};

/*
 * Finds it out for the file system of TYPE, libblkid's name, in SIZE bytes at START, a range that
 * is within DISK. False where it is not known: another type, a device of several, what cannot be
 * read, or numbers that contradict each other or go beyond SIZE. Reads a few sectors, and of FAT,
 * exFAT and NTFS the map of their clusters where that is small.
 */
bool probe_used_read(const struct disk *disk, uint64_t start, uint64_t size, const char *type,
		     struct probe_used *ret);

#endif
