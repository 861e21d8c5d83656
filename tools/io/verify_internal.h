/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of verify: verify.c (which way, the threads), verify_walk.c (which frame is next and
 * what it has to be), verify_frame.c (whether it is), verify_stream.c (front to back).
 */
#ifndef IO_VERIFY_INTERNAL_H
#define IO_VERIFY_INTERNAL_H

#include "io/verify.h"
#include "io/view_internal.h"

#define VERIFY_TWIN_MOST 1024u /* bytes of a frame that is worth remembering */

enum verify_kind { VERIFY_CHUNK, VERIFY_PAD, VERIFY_CHECKPOINT };

/* A frame, and what has to be there. */
struct verify_item {
	enum verify_kind kind;
	struct view_frame frame;
	struct image_entry entry; /* CHUNK */
	uint64_t chunk;		  /* CHUNK: its number; PAD: of the chunk before it */
	uint64_t first;		  /* CHECKPOINT: its first chunk; frame.chunk is behind its last */
	uint32_t length;	  /* CHUNK: of the content, bytes */
};

/* Goes over the frames before the trailer, in order. */
struct verify_walk {
	struct view_walk walk;
	uint64_t batch, batch_end; /* chunks whose entries are loaded */
	uint8_t entries[VIEW_BATCH * IMAGE_ENTRY];
	uint64_t checkpointed; /* chunks that CHECKPOINTs have spoken of */
	uint64_t slot_chunk;   /* whose PAD is due */
	uint32_t slot;	       /* the length of that PAD, bytes; 0: none is due */
	uint64_t frame;	       /* the last one, for a sentence */
	const char *what;      /* why a frame cannot be where it is, with its -EBADMSG */
};

void verify_walk_start(const struct view *view, struct verify_walk *walk);
/* The next frame: 1; 0 before the trailer; -EBADMSG; or another -errno. */
int verify_walk_next(const struct view *view, struct verify_walk *walk, struct verify_item *ret);

/* What one thread needs. */
struct verify_worker {
	const struct view *view;
	struct view_scratch *scratch;
	uint8_t *content; /* a chunk */
	/* The last small frame that was right: those of zeros are all the same. */
	uint8_t twin[VERIFY_TWIN_MOST];
	struct image_entry twin_entry;
	uint32_t twin_length; /* of the chunk */
	bool twin_there;
};

int verify_worker_setup(struct verify_worker *worker, const struct view *view);
void verify_worker_clear(struct verify_worker *worker);
/* Whether ITEM is right. Returns 0; -EBADMSG or another -errno with a sentence in WHY (LEN bytes).
 */
int verify_frame(struct verify_worker *worker, const struct verify_item *item, char *why,
		 size_t len);
/* "chunk 17 (device bytes 71303168 to 75497471, in partition 2, ext4 "root")". */
void verify_name(const struct view *view, uint64_t chunk, char *ret, size_t len);

#endif
