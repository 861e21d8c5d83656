/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between store.c, which writes front to back, store_sync.c, which syncs that, store_trailer.c,
 * which writes the end, store_fill.c, which goes back to slots, and store_continue.c, which begins
 * in the midst of an image.
 */
#ifndef IO_STORE_INTERNAL_H
#define IO_STORE_INTERNAL_H

#include <stdbool.h>

#include "codec/pack.h"
#include "io/spool.h"
#include "io/store.h"

#define STORE_ENTRIES 2048 /* of the table, read back at once */
/*
 * Bytes that are synced at once, while the next ones are written. After a power cut a CHECKPOINT
 * can be there without its chunks. Whoever goes on with the file looks at all that is in its last
 * bytes, twice as many as stand between two CHECKPOINTs at most (resume.c), and so what was not
 * synced must not be more: it is at most twice this, and what was written last.
 */
#define STORE_SYNC (16u << 20)
/* Bytes of frames of zeros that are written at once. */
#define STORE_ZEROS 65536u
/* PADs may take what the seek table has left beside the frames of the largest device. */
#define STORE_SLOTS_MOST (IMAGE_FRAMES_MOST / 4)

struct store_sync {
	int fd, r; /* as of out_sync */
};

struct store {
	int fd;
	struct image_head head;
	char *identity;
	uint32_t gap; /* chunks between two CHECKPOINTs */
	uint64_t written;
	uint64_t synced;       /* of it: is on the medium, or on its way */
	uint64_t size;	       /* of the device so far, bytes */
	uint64_t checkpointed; /* chunks */
	struct digest_state root;
	struct spool *spool;
	struct pack *pack;
	struct crew *crew; /* that syncs, one at a time; NULL: there was no need yet */
	struct store_sync sync;
	int sync_error; /* -errno, for good: what is on the medium is not known any more */
	/* The frame of the last chunk of zeros, kept, for most are alike: ZERO_COPIES of it. */
	uint8_t *zero_frame;
	size_t zero_copies;
	uint32_t zero_length; /* of the chunk; 0: none was made */
	struct image_entry zero;
	/* Of slots: */
	bool fills;    /* FD is a file in which they can be written again */
	uint64_t base; /* the image's offset in it, bytes */
	uint32_t slots;
	bool filled;		      /* the running root is no more */
	uint64_t walk_chunk, walk_at; /* a chunk, and the offset of its frame in the image */
	uint8_t buf[STORE_ENTRIES * IMAGE_ENTRY];
};

/* A store of the image with HEAD that has no spool yet. Returns 0 or -errno. */
int store_make(int fd, const struct image_head *head, struct store **ret);
/* LEN bytes, the next ones of the image. Returns 0 or -errno. */
int store_write(struct store *store, const void *buf, size_t len);
/* The CHECKPOINT of all chunks since the last one. Returns 0 or -errno. */
int store_checkpoint(struct store *store);
/* The CHECKPOINT of COUNT chunks from FIRST on: its bytes (free), and how many. 0 or -errno. */
int store_make_checkpoint(struct store *store, uint64_t first, uint32_t count, uint8_t **ret,
			  size_t *ret_len);

/* Has all that was written be synced, while it goes on. Returns 0, or -errno of the last time. */
int store_sync_begin(struct store *store);
/* Waits for that: 0 or its -errno. */
int store_sync_wait(struct store *store);

/* Finds out whether slots of an image that goes on here can be filled. */
void store_slots_start(struct store *store);
/* Behind the frame of STORED bytes of a chunk of LEN: what fills its slot. Returns 0 or -errno. */
int store_pad(struct store *store, uint32_t len, uint32_t stored);

#endif
