/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of every byte of a dying disk, as GNU ddrescue's mapfile has it (its manual's
 * chapter "Mapfile structure"): blocks that follow each other without a gap, a status each.
 */
#ifndef CODEC_RESCUE_MAP_H
#define CODEC_RESCUE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rescue_status {
	RESCUE_UNTRIED = '?',
	RESCUE_UNTRIMMED = '*', /* a large read of it failed */
	RESCUE_UNSCRAPED = '/', /* the same, its edges being bad sectors */
	RESCUE_BAD = '-',	/* its sectors cannot be read */
	RESCUE_FINISHED = '+',	/* read, and in the image */
	/* Not in mapfiles: */
	RESCUE_REGAINED = 'r', /* read just now, and not in the image yet */
	RESCUE_LOST = 'l',     /* missing in an image that has no room for it any more */
};
#define RESCUE_MISSING "?*/-l" /* all that is not finished */
#define RESCUE_FAILED  "*/-l"  /* of these what was tried */

/* A bound on memory, and half of it on the ranges that are missing: 2 MiB. */
#define RESCUE_BLOCKS_MOST 131072u
#define RESCUE_TEXT_MOST   (16u << 20) /* bytes of a mapfile that is read */

struct rescue_map;

/* A map of SIZE bytes (0: a block of no bytes), all untried. Returns 0 or -ENOMEM. */
int rescue_map_new(uint64_t size, struct rescue_map **ret);
void rescue_map_free(struct rescue_map *map); /* NULL is fine */
uint64_t rescue_map_size(const struct rescue_map *map);

/*
 * LEN bytes from FROM on, which are within the map, are STATUS. Where there would be too many
 * blocks, what is finished between two that are not becomes bad, the shortest first, and
 * rescue_map_merged says so. Returns 0 or -ENOMEM.
 */
int rescue_map_set(struct rescue_map *map, uint64_t from, uint64_t len, enum rescue_status status);
bool rescue_map_merged(const struct rescue_map *map);
/* The same until there are at most MOST blocks. */
void rescue_map_merge(struct rescue_map *map, size_t most);

/* The status of byte AT, which is within the map, and the block around it: START to END - 1. */
enum rescue_status rescue_map_get(const struct rescue_map *map, uint64_t at, uint64_t *ret_start,
				  uint64_t *ret_end);
/*
 * The next bytes from AT on whose status is among STATUSES, as long as all of them are: the first
 * one's offset, and how many. The map's size, and 0, where there are none.
 */
uint64_t rescue_map_next(const struct rescue_map *map, uint64_t at, const char *statuses,
			 uint64_t *ret_len);
/* How many bytes of FROM to FROM + LEN - 1 have a status among STATUSES. */
uint64_t rescue_map_bytes(const struct rescue_map *map, uint64_t from, uint64_t len,
			  const char *statuses);
/* How many blocks there are. */
size_t rescue_map_count(const struct rescue_map *map);

/*
 * Reads the mapfile of LEN bytes at TEXT into MAP, which is untried; what failed is widened to
 * multiples of ALIGN bytes, a power of two. What is finished in it stays untried: it is in
 * another's file. Returns 0; -EBADMSG when line *ret_line is none of a mapfile;
 * -ERANGE when it is not within the map; -EFBIG when there are too many blocks; or -ENOMEM.
 */
int rescue_map_parse(struct rescue_map *map, const char *text, size_t len, uint32_t align,
		     unsigned int *ret_line);

#endif
