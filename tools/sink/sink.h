/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a transfer arrives: an image (a file, one in a folder, or a pipe), a disk that is restored,
 * or a pipe that takes the disk's bytes. One of them, behind one interface; chunks come in order,
 * already checked.
 */
#ifndef SINK_H
#define SINK_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "codec/image.h"
#include "ui/progress.h"

struct sink;

/* What is behind a sink, when it is done. */
enum sink_end {
	SINK_DURABLE, /* synced */
	SINK_WRITTEN, /* went into a pipe */
};

struct sink_chunk {
	const struct image_entry *entry;
	const uint8_t *frame;	/* entry->stored_size bytes */
	const uint8_t *content; /* length bytes */
	uint32_t length;
};

struct sink_options {
	bool force; /* overwrite what is there without a question */
	const char *
		confirm; /* the target's serial number, or its end: the same, for this disk alone */
	/*
	 * Asks QUESTION and writes the answer to RET (LEN bytes). Returns its length or -errno:
	 * -EINTR, or another when nobody can be asked.
	 */
	int (*ask)(const char *question, char *ret, size_t len);
	int from; /* what the image is read from, which must not be the target's own; -1: another
		     machine */
	/* Of an image under a name, where an earlier run began it: */
	bool resumes; /* the caller goes on at sink_chunks; else this is refused */
	bool resume;  /* it must have; the image itself may be that beginning */
	bool restart; /* begin anew */
	bool recheck; /* read all that is there */
	/* Of a disk: */
	bool fit;		     /* have the partition table fit a target of another size */
	bool ask_fit;		     /* ask whether to, where it is of another size */
	bool verify;		     /* read everything back at the end */
	bool discard;		     /* zeros need no room on it */
	enum progress_mode progress; /* of the reading back */
};

/*
 * The kinds. Nothing is written by them. Each returns 0 and a sink, or -errno with a sentence in
 * RET_WHY: an image to FD, which stays the caller's (standard output); an image under the name
 * PATH, written beside it as PATH.part and renamed when it is whole, which goes on with the
 * PATH.part of an earlier run; a disk that is restored onto PATH, a block device or an existing
 * file; the disk's bytes to FD.
 */
int sink_open_image(int fd, const struct sink_options *options, struct sink **ret);
int sink_open_file(const char *path, const struct sink_options *options, struct sink **ret,
		   char *ret_why, size_t len);
int sink_open_disk(const char *path, const struct sink_options *options, struct sink **ret,
		   char *ret_why, size_t len);
/*
 * An image in FOLDER, which stays the caller's and takes one such sink after the other; the offer
 * gives it its name.
 */
struct folder;
int sink_open_folder(struct folder *folder, const struct sink_options *options, struct sink **ret);
int sink_open_raw(int fd, const struct sink_options *options, struct sink **ret);
void sink_close(struct sink *sink); /* NULL is fine; what is not finished stays unfinished */

/*
 * The offer: what is about to come; all but a disk take an open map. Refuses what does not fit,
 * asks about what would be overwritten, and begins. Returns 0, -ECANCELED when the user said no, or
 * another -errno, with a sentence in sink_why.
 */
int sink_begin(struct sink *sink, const struct image_head *head, const json_t *manifest);
/*
 * After sink_begin: HEAD of what is written, which stays that of an earlier run where this one goes
 * on with it (its identity lives as long as the sink, or is the caller's); the chunks that are
 * there from it; and the entries of COUNT of these from FIRST on. sink_entry returns 0 or -errno.
 */
const struct image_head *sink_head(const struct sink *sink);
uint64_t sink_chunks(const struct sink *sink);
int sink_entry(struct sink *sink, uint64_t first, uint32_t count, struct image_entry *ret);
/* The descriptor of what is written, for who wants to keep something beside it; or -1. */
int sink_fd(const struct sink *sink);
/* The next chunk, or COUNT chunks of zeros, whole ones in an open map. 0 or -errno with sink_why.
 */
int sink_chunk(struct sink *sink, const struct sink_chunk *chunk);
int sink_zero(struct sink *sink, uint64_t count, uint32_t flags);
/*
 * After sink_begin: whether chunks that come with SLOT in their entry may come again, behind the
 * last one. Then sink_fill has chunk INDEX, which did, be CHUNK. Returns 0 or -errno with sink_why.
 */
bool sink_fills(const struct sink *sink);
int sink_fill(struct sink *sink, uint64_t index, const struct sink_chunk *chunk);
/* What was given is durable, as far as this kind can say. Returns 0 or -errno with sink_why. */
int sink_sync(struct sink *sink);
/*
 * Everything came and its root is right: completes the image with MANIFEST, or the disk. Returns 0
 * or -errno with sink_why.
 */
int sink_finish(struct sink *sink, json_t *manifest, enum sink_end *ret);

/* How long that took so far, from sink_chunk to sink_finish, nanoseconds. */
int64_t sink_time(const struct sink *sink);
/* Bytes written so far. */
uint64_t sink_stored(const struct sink *sink);
const char *sink_why(const struct sink *sink);
/* What the user has to know of the target, complete or not; "" when there is nothing. */
const char *sink_note(const struct sink *sink);
/* "image.zst", "/dev/vda", "standard output". */
const char *sink_name(const struct sink *sink);

#endif
