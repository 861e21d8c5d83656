/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between load.c, which walks the chunks, load_ahead.c, which unpacks them, and load_trailer.c,
 * which holds the trailer against the walk.
 */
#ifndef IO_LOAD_INTERNAL_H
#define IO_LOAD_INTERNAL_H

#include "codec/pack.h"
#include "io/load.h"
#include "io/load_reader.h"

/* A chunk's frame, and what it was found to hold. */
struct load_job {
	uint8_t *copy; /* several threads: of the frame, which the reader does not keep so long */
	uint8_t *content;
	struct load_chunk chunk;
	int r; /* of load_unpack */
};

struct load_ahead;

struct load {
	struct load_reader reader;
	size_t release; /* bytes of the reader that the last chunk still points into */
	struct image_head head;
	char *identity;
	size_t first_len, head_len; /* of the first frame and HEAD */
	struct pack *pack;
	struct load_job job; /* where one thread unpacks */
	unsigned int threads;
	struct load_ahead
		*ahead;	 /* where several do, from the first chunk behind HEAD to the end */
	uint64_t next;	 /* chunk */
	uint64_t walked; /* bytes of the device in the chunks before it */
	uint64_t read, read_size; /* the same of the chunk that is read next: several are ahead */
	struct digest_state root;
	/* Walked, but not yet in a CHECKPOINT. */
	struct image_entry *pending;
	uint32_t pending_count, pending_room;
	uint64_t pending_first;
	uint64_t confirmed; /* bytes of the device before pending_first */
	/* Over the entries of all CHECKPOINTs, and over what the seek table has to say: held
	 * against the trailer. */
	struct digest_state table, seek;
	uint64_t frames;
	json_t *manifest;
	const struct view *view; /* whose TABLE tells what is to come; NULL: nobody knows */
	bool cut;		 /* the input ended too early */
	char why[256];
};

/* Notes why, and returns ERROR. */
__attribute__((format(printf, 3, 4))) int load_fail(struct load *load, int error,
						    const char *format, ...);
/* What the reader's error R means for an image: its end is damage, with a sentence. */
int load_input(struct load *load, int r);
/* load_reader_peek, with the end of the input being damage. */
int load_peek(struct load *load, size_t len, const uint8_t **ret);
/* A frame of STORED bytes was walked: the seek table must name it. */
void load_count_frame(struct load *load, uint32_t stored, uint32_t content);
/* Holds an entry against what was walked. Returns 0 or -EBADMSG. */
int load_confirm(struct load *load, const uint8_t raw[IMAGE_ENTRY], uint32_t at);

/*
 * Fills in the chunk of JOB, whose index and length are set. Returns 0 or -errno. Touches nothing
 * else, and so can be any thread's.
 */
int load_unpack(struct pack *pack, struct load_job *job);
/* The LEN bytes at FRAME are to be the next chunk. Returns 0 or -errno with load_why. */
int load_job_start(struct load *load, struct load_job *job, const uint8_t *frame, size_t len);
/*
 * With several threads: reads frames of chunks as far as they follow each other and there is room,
 * and waits for the oldest one. Returns NULL when the frame at the reader's place is to be taken
 * by the caller, with all chunks before it.
 */
struct load_job *load_ahead_next(struct load *load);
void load_ahead_free(struct load *load);

/* Reads the trailer, TABLE being next, to the end of the input. Returns 0, -EBADMSG or another
 * -errno. */
int load_trailer(struct load *load);

#endif
