/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which chunks of a disk tell whether it is in the state that it was in: whoever uses it changes a
 * partition table, a superblock, a journal or what any of many places drawn at random hold.
 */
#ifndef SOURCE_LANDMARKS_H
#define SOURCE_LANDMARKS_H

#include <stdint.h>

#include <jansson.h>

#include "codec/chunk.h"
#include "io/probe_area.h"

#define LANDMARKS_RANDOM 64 /* drawn at random, at least */

struct landmarks {
	uint64_t *chunks; /* in order, each once */
	size_t count;
};

/*
 * Chooses chunks of MAP below FIRST: those of the partition tables and of the beginning of every
 * partition that MANIFEST lists, where file systems have their superblocks, those of the heads of
 * their journals (probe_heads), which are looked for in DISK, all of it, the last chunk, and
 * LANDMARKS_RANDOM drawn anew each time, one out of each of so many parts of equal length. What of
 * DISK cannot be read is no error. Returns 0 (landmarks_clear) or -errno.
 */
int landmarks_choose(const json_t *manifest, const struct chunk_map *map, uint64_t first,
		     const struct probe_area *disk, struct landmarks *ret);
void landmarks_clear(struct landmarks *landmarks);

#endif
