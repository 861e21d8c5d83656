/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of rescue: rescue.c (the first look at a chunk), rescue_pass.c (what comes after it),
 * rescue_disk.c (the disk).
 */
#ifndef IO_RESCUE_INTERNAL_H
#define IO_RESCUE_INTERNAL_H

#include "io/rescue.h"

/* What is done with what the first look left, in this order; SCRAPE + N is retry N. */
enum { RESCUE_PASS_SWEEP, RESCUE_PASS_SCRAPE };

struct rescue {
	struct rescue_reader reader;
	struct rescue_map *map;
	unsigned int retries;
	bool later;
	uint64_t skip;	   /* bytes left alone behind the last bad piece; 0: all is well */
	uint64_t skip_end; /* the first look reads nothing before this offset */
	bool dead;	   /* nothing could be read of the chunk before */
	bool finished;	   /* there is nothing left to do */
	/* What rescue_again does: */
	bool again;
	unsigned int pass;
	uint64_t behind;   /* of the chunk that was looked at last, of chunks in this direction */
	uint64_t position; /* the last read */
};

/* A chunk in memory. */
struct rescue_part {
	uint64_t offset;
	uint8_t *buf;
	uint32_t len;
};

/*
 * Reads LEN bytes of PART at offset AT of the disk; what was read becomes GOOD, what was not BAD,
 * and zeros. Returns 1 when it was read, 0 when not, or -errno, which ends everything.
 */
int rescue_try(struct rescue *rescue, const struct rescue_part *part, uint64_t at, uint32_t len,
	       enum rescue_status good, enum rescue_status bad);
/*
 * Pass PASS over PART: reads what it is for, which becomes GOOD. Returns 1 when something could be
 * read, 0 when nothing, or -errno.
 */
int rescue_pass(struct rescue *rescue, const struct rescue_part *part, unsigned int pass,
		enum rescue_status good);
/* Reads again what of PART is known to be readable. Returns 0, -EIO when it is no more, -errno. */
int rescue_read_good(struct rescue *rescue, const struct rescue_part *part);

#endif
