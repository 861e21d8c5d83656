/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of resume: resume.c (what is kept), resume_chain.c (where the CHECKPOINTs are).
 *
 * Frames can only be told apart by reading each one's block headers, every 128 KiB of the file. So
 * the way is back from the end: the last CHECKPOINT is searched for, and its entries tell where the
 * one before it stands, down to HEAD. But a disk's bytes stand in an image as they are where they
 * do not compress, and among them there can be frames and CHECKPOINTs of another image, or false
 * ones. Such a thing can only be taken for the last CHECKPOINT when it stands behind the real last
 * one, so not more than one gap before the file's end; and then some gap in which it stands is not
 * made of frames. Therefore each gap that ends within the window at the file's end is read as a
 * whole, frame by frame.
 */
#ifndef IO_RESUME_INTERNAL_H
#define IO_RESUME_INTERNAL_H

#include "io/load_head.h"
#include "io/resume.h"

/* How much is looked at. */
struct resume_limits {
	uint64_t window;      /* at the file's end, bytes */
	unsigned int samples; /* frames elsewhere */
};

/* The chain of CHECKPOINTs: each speaks of GAP chunks, but the last one of the image maybe less. */
struct chain {
	int fd;
	uint64_t size; /* of the file, bytes */
	const struct load_head *front;
	uint32_t gap;	 /* chunks */
	uint64_t *marks; /* where they stand: COUNT of them */
	uint64_t count;
	uint64_t steps; /* that were taken, also those that led nowhere */
	uint8_t *buf;	/* of the CHECKPOINT that was read last */
};

/* One of them. */
struct chain_link {
	uint64_t first, start; /* chunk; byte with which the first frame begins */
	uint32_t count;
	const uint8_t *entries; /* until the next one is read */
};

/* The longest that a file can become before its first CHECKPOINT ends, and from one to the next. */
uint64_t chain_gap_most(const struct image_head *head);

/*
 * The bytes that chunk INDEX of MAP takes, whose entry is ENTRY: its frame, or its slot. Returns 0,
 * or -EBADMSG where it can have no slot.
 */
int chain_room(const struct chunk_map *map, uint64_t index, const struct image_entry *entry,
	       uint64_t *ret);
/*
 * Searches the last WINDOW bytes for a CHECKPOINT from which the chain leads to the file's
 * beginning. Returns 0, with no CHECKPOINT where there is none; or -errno.
 */
int chain_find(int fd, uint64_t size, const struct load_head *front, uint64_t window,
	       struct chain *ret);
void chain_clear(struct chain *chain);
/* Reads CHECKPOINT INDEX of the chain. Returns 0; -EBADMSG; -EINTR or another -errno. */
int chain_read(struct chain *chain, uint64_t index, struct chain_link *ret);

/* As resume_open; without LIMITS they are chosen. */
int resume_open_limited(int fd, const struct resume_options *options,
			const struct resume_limits *limits, struct resume *ret, char *why,
			size_t len);

#endif
