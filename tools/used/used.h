/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a disk nothing uses: the free space of its partitions' file systems, or of its own. All
 * that is outside of them, and all that is not known for sure, is used.
 */
#ifndef USED_USED_H
#define USED_USED_H

#include "io/disk.h"
#include "used/spare.h"

/* What was found out about a partition. */
struct used_part {
	int number;	      /* 0: the disk has no partitions, but what is in it */
	uint64_t start, size; /* bytes */
	char type[32];	      /* libblkid's name of what it holds, "" where that is not known */
	uint64_t spare;	      /* bytes that nothing uses */
	/* Why all of it is used, a phrase: "its journal is not clean"; "" where its map was read.
	 */
	char whole[96];
};

struct used {
	struct spare *spare; /* of the disk, finished */
	struct used_part *parts;
	size_t count;
};

/*
 * Finds it out. What cannot be read is used; only a disk whose beginning cannot be read is an
 * error. Returns 0 and what is used (used_free), or -errno.
 */
int used_find(const struct disk *disk, struct used **ret);
void used_free(struct used *used); /* NULL is fine */

#endif
