/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which folders a walk has been in. A damaged or hostile file system can show one in several
 * places, or in itself; without this, thirty folders that hold each other twice are a billion.
 */
#ifndef FILES_FILES_SEEN_H
#define FILES_FILES_SEEN_H

#include <stddef.h>
#include <stdint.h>

#define FILES_SEEN_MOST	 (1u << 25) /* folders of one walk: 512 MiB of memory */
#define FILES_DEPTH_MOST 2000u	    /* folders in each other: no longer path can be spoken of */

struct files_seen {
	uint64_t *slots; /* id + 1; 0: free */
	size_t count, room;
};

/* Adds ID. Returns 1, 0 when it was there, -E2BIG or -ENOMEM. */
int files_seen_add(struct files_seen *seen, uint64_t id);
void files_seen_free(struct files_seen *seen);

#endif
