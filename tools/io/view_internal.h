/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a view: view.c (what it gives), view_open.c (the file's two ends), view_table.c (the
 * trailer as a stream), view_chunk.c (one frame), view_walk.c (the seek table, a piece at a time).
 */
#ifndef IO_VIEW_INTERNAL_H
#define IO_VIEW_INTERNAL_H

#include <stdbool.h>

#include "codec/pack.h"
#include "io/load_head.h"
#include "io/trailer.h"
#include "io/view.h"

#define VIEW_PIECE 4096u /* frames of the seek table between two marks of the index */
#define VIEW_BATCH 512u	 /* entries of a table looked at together */

/* What precedes a piece of the seek table. */
struct view_mark {
	uint64_t offset; /* in the file, of the piece's first frame */
	uint64_t chunk;	 /* of its first data frame */
};

struct view {
	int fd;
	uint64_t size; /* of the file, bytes */
	bool begun;    /* front is right */
	struct load_head front;
	struct trailer trailer;
	struct view_mark *marks; /* one for every VIEW_PIECE frames */
	json_t *manifest;
	struct digest root;
	char why[256];
};

/* Notes why, and returns ERROR. */
__attribute__((format(printf, 3, 4))) int view_fail(struct view *view, int error,
						    const char *format, ...);
/* Streams the whole trailer: every entry, every sum, the index. Returns as view_open. */
int view_read_trailer(struct view *view);

/* LEN bytes at OFFSET. Returns 0; -EBADMSG where the file ends before: it has changed; or -errno.
 */
int view_read(const struct view *view, void *buf, size_t len, uint64_t offset);
/* COUNT encoded entries of TABLE from chunk FIRST on. Returns as view_read. */
int view_read_entries(const struct view *view, uint64_t first, uint32_t count, void *buf);

/* A frame as the seek table has it. */
struct view_frame {
	uint64_t number;
	uint64_t chunk;	 /* its own, or of the next data frame */
	uint64_t offset; /* in the file, bytes */
	uint32_t stored, content;
	bool data; /* it holds a chunk */
};

/* Goes over the seek table, in order. One thread's. */
struct view_walk {
	struct view_frame next; /* number, chunk and offset of the frame to come */
	uint64_t piece;		/* which one is loaded, from 1 on; 0: none */
	uint8_t entries[VIEW_PIECE * IMAGE_SEEK_ENTRY];
};

/* Begins at the piece that holds the frame of CHUNK. What was loaded stays, if it is that piece. */
void view_walk_seek(const struct view *view, struct view_walk *walk, uint64_t chunk);
/* The next frame: 1; 0 behind the last one; -EBADMSG when the file has changed; or -errno. */
int view_walk_next(const struct view *view, struct view_walk *walk, struct view_frame *ret);

struct view_scratch {
	struct pack *pack;
	uint8_t *frame; /* PACK_FRAME_MOST bytes */
	struct view_walk walk;
	char why[256];
};

/*
 * Whether the STORED bytes at scratch->frame are the frame that ENTRY tells of, of a chunk of LEN
 * bytes, which go to CONTENT. Returns 0; -EBADMSG when they are damaged; -ESTALE when they are a
 * sound frame, but another one.
 */
int view_frame_check(struct view_scratch *scratch, size_t stored, const struct image_entry *entry,
		     uint8_t *content, uint32_t len);

#endif
