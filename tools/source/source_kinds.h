/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between source.c, which is the interface, source_part.c, source_stream.c and source_rescue.c.
 */
#ifndef SOURCE_KINDS_H
#define SOURCE_KINDS_H

#include "codec/pack.h"
#include "io/disk.h"
#include "io/load.h"
#include "io/rescue.h"
#include "io/view.h"
#include "io/view_device.h"
#include "source/keep.h"
#include "source/source.h"

struct source {
	struct disk *disk;
	struct load *load; /* NULL: the disk itself is read */
	struct view *view; /* of the same image */
	bool stream;	   /* neither disk nor image: fd is read to its end */
	int fd;
	uint32_t filled;   /* stream: bytes of the next chunk that are in content */
	struct keep *keep; /* stream: what was given, or NULL */
	struct pack *pack;
	struct image_head head;
	char *identity;
	json_t *manifest;
	uint64_t next;
	uint64_t data; /* no data in the disk's holes before this offset */
	uint8_t *content, *frame;
	uint64_t part_start, part_size; /* of the image's disk, bytes; size 0: all of it */
	struct load_chunk loaded;	/* a partition's: the chunk of the image that we are in */
	bool in_chunk;
	bool ended;		    /* nothing more is wanted */
	struct view_device *window; /* of the view, once a chunk was asked for its digest */
	struct digest zero;	    /* of a whole chunk of zeros, once it was asked for */
	bool zero_there;
	struct rescue_disk *rescue_disk;
	struct rescue *rescue; /* NULL: a read error ends everything */
	char *mapfile;	       /* NULL: none */
	int64_t mapfile_due;   /* when it is written again (stop_now) */
	bool later;	       /* what is missing of a chunk is tried again behind the last one */
	bool merged;
	char why[512];
};

/* Gives HEAD a fresh transfer id, and the time. Returns 0 or -errno. */
int source_new_transfer(struct source *source);
/* Has HEAD carry IDENTITY. Returns 0 or -errno. */
int source_set_identity(struct source *source, const json_t *identity);
/* Memory to pack chunks in, at LEVEL. Returns 0 or -errno. */
int source_prepare_pack(struct source *source, int level);
/* Fills in CHUNK, LEN bytes of source->content, or zeros if it says so. Returns 1 or -errno. */
int source_pack(struct source *source, uint32_t len, struct source_chunk *chunk);

/*
 * Makes a source that is an image one of its partition NUMBER. Returns 0 or -errno, with a sentence
 * in source->why where the image is to blame.
 */
int source_open_part(struct source *source, int number, int level);
/* As source_next; 0 only when the whole image was read and is right. */
int source_next_part(struct source *source, struct source_chunk *ret);
/* As source_next; the last chunk of a stream closes HEAD's map. */
int source_next_stream(struct source *source, struct source_chunk *ret);

/*
 * LEN bytes at OFFSET to source->content, as far as they can be read; what the chunk's entry has to
 * say of it goes to RET_FLAGS. Returns 0, or -errno with source->why.
 */
int source_rescue_read(struct source *source, uint64_t offset, uint32_t len, uint32_t *ret_flags);
/* Whether something of chunk INDEX was tried to read, and could not be. */
bool source_rescue_failed(const struct source *source, uint64_t index);
/* Behind the last chunk: the manifest lists what is missing. Returns 0 or -ENOMEM. */
int source_rescue_end(struct source *source);

#endif
