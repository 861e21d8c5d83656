/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between source.c, which is the interface, source_part.c, source_stream.c, source_rescue.c,
 * source_used.c and source_ahead.c, which packs what these read.
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
#include "source/pace.h"
#include "source/source.h"
#include "used/used.h"

/* A chunk on its way from the source to a frame. */
struct source_job {
	uint8_t *content, *frame; /* CHUNK_SIZE, PACK_FRAME_MOST bytes */
	uint32_t len;		  /* of the content */
	bool look;		  /* it may be zeros, which then go without a frame */
	int level;		  /* to pack it at */
	int64_t took;		  /* that, nanoseconds */
	struct source_chunk chunk;
	uint64_t more; /* of a hole: chunks behind this one and like it, without a job of theirs */
	int r;	       /* of source_pack */
};

/* What a thread packs with. */
struct source_packer {
	struct pack *pack;
	struct digest zero; /* of a whole chunk of zeros, once there was one */
	bool zero_there;
};

struct source_ahead;

/* What the caller's thread spends its time with, nanoseconds. */
struct source_clock {
	int64_t in, read; /* in source_next and its like, and of that with reading */
	int64_t load;	  /* of an image: what it had read when it was entered */
	int64_t entered, left, worked;
	struct pace_time now; /* since it was left last */
};

struct source {
	struct disk *disk;
	struct load *load; /* NULL: the disk itself is read */
	struct view *view; /* of the same image */
	bool stream;	   /* neither disk nor image: fd is read to its end */
	int fd;
	uint32_t filled;   /* stream: bytes of the next chunk that were read */
	struct keep *keep; /* stream: what was given, or NULL */
	struct image_head head;
	char *identity;
	json_t *manifest;
	uint64_t next; /* chunk that source_next gives */
	uint64_t read; /* and that is read next: with several threads, or a keep, ahead of that */
	uint64_t data; /* no data in the disk's holes before this offset */
	struct source_chunk given; /* last, of what is packed here */
	uint64_t more;		   /* that follow it and are alike: source_job */
	struct source_job job;	   /* where there is one thread */
	struct source_packer packer;
	int level;  /* of the next chunk */
	int most;   /* that the packers are made for */
	bool paced; /* the level follows what it is told: */
	struct pace pace;
	struct source_clock clock;
	unsigned int threads;	    /* that pack; 0: one */
	struct source_ahead *ahead; /* where there are several, from the first chunk to the end */
	uint64_t part_start, part_size; /* of the image's disk, bytes; size 0: all of it */
	struct load_chunk loaded;	/* a partition's: the chunk of the image that we are in */
	bool in_chunk;
	bool ended;		    /* nothing more is wanted */
	struct view_device *window; /* of the view, once a chunk was asked for its digest */
	struct used *used;	    /* NULL: all of it is read */
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
/* Memory for a chunk and its frame. Returns 0 or -ENOMEM. */
int source_job_setup(struct source_job *job);
void source_job_clear(struct source_job *job);
/*
 * Makes the frame of JOB's content, or of zeros if its chunk says so. Returns 1 or -errno. Touches
 * nothing else, and so can be any thread's.
 */
int source_pack(struct source_packer *packer, struct source_job *job);
/*
 * Reads the next chunk to JOB: 1, 0 behind the last one, -EAGAIN when a stream has nothing, for
 * which it waits a while with WAIT, or another -errno with source->why.
 */
int source_read_next(struct source *source, struct source_job *job, bool wait);
/* Around all that the caller waits for: what is in between is the taker's time. */
void source_time_enter(struct source *source);
void source_time_leave(struct source *source);
/* The time SINCE (stop_now) was spent with reading. */
void source_time_read(struct source *source, int64_t since);
/* JOB is given to the caller. */
void source_time_job(struct source *source, const struct source_job *job);
/* As source_next, of what is packed here. */
int source_next_packed(struct source *source, struct source_chunk *ret);
/* What was read ahead is not wanted; nothing is, any more. */
void source_ahead_forget(struct source *source);
void source_ahead_free(struct source *source);

/*
 * Makes a source that is an image one of its partition NUMBER. Returns 0 or -errno, with a sentence
 * in source->why where the image is to blame.
 */
int source_open_part(struct source *source, int number, int level);
/* As source_read_next; 0 only when the whole image was read and is right. */
int source_read_part(struct source *source, struct source_job *job);
/* As source_next. */
int source_next_stream(struct source *source, struct source_chunk *ret);
/* As source_read_next; the last chunk of a stream closes HEAD's map. */
int source_read_stream(struct source *source, struct source_job *job, bool wait);

/*
 * LEN bytes at OFFSET to source->job, as far as they can be read; what the chunk's entry has to say
 * of it goes to RET_FLAGS. Returns 0, or -errno with source->why.
 */
int source_rescue_read(struct source *source, uint64_t offset, uint32_t len, uint32_t *ret_flags);
/* Whether something of chunk INDEX was tried to read, and could not be. */
bool source_rescue_failed(const struct source *source, uint64_t index);
/* Behind the last chunk: the manifest lists what is missing. Returns 0 or -ENOMEM. */
int source_rescue_end(struct source *source);

/* Of a source that is read only where it is used (source_use), else 0 and false. */
/* UNALLOCATED where chunk INDEX has ranges that are left out, or 0. */
uint32_t source_used_flags(const struct source *source, uint64_t index);
/* Whether all of LEN bytes at OFFSET are left out. */
bool source_used_nothing(const struct source *source, uint64_t offset, uint32_t len);
/*
 * LEN bytes at OFFSET to BUF, zeros for what is left out. Returns 0 or -errno, with where a read
 * began that failed.
 */
int source_used_read(struct source *source, uint64_t offset, uint8_t *buf, uint32_t len,
		     uint64_t *ret_at);

#endif
