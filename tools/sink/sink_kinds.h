/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between sink.c, which is the interface, and the kinds of sinks. */
#ifndef SINK_KINDS_H
#define SINK_KINDS_H

#include "sink/sink.h"

struct sink_ops {
	int (*begin)(struct sink *sink, const json_t *manifest);
	int (*chunk)(struct sink *sink, const struct sink_chunk *chunk);
	int (*zero)(struct sink *sink, uint64_t count, uint32_t flags);
	/* NULL: no chunk can come again. */
	bool (*fills)(const struct sink *sink);
	int (*fill)(struct sink *sink, uint64_t index, const struct sink_chunk *chunk);
	int (*sync)(struct sink *sink);
	int (*finish)(struct sink *sink, json_t *manifest, enum sink_end *ret);
	void (*close)(struct sink *sink);
	/* As sink_entry; NULL where there are never chunks after begin. */
	int (*entries)(struct sink *sink, uint64_t first, uint32_t count, struct image_entry *ret);
};

struct sink {
	const struct sink_ops *ops;
	struct sink_options options;
	struct image_head head; /* identity is not kept; the map may be open, to the end */
	char *name;
	int fd;			 /* image, raw */
	uint64_t chunks;	 /* that came, or were there */
	uint64_t stored;	 /* bytes */
	int64_t time;		 /* see sink_time */
	struct store *store;	 /* image */
	char *part;		 /* image under a name: where it is until it is whole */
	struct folder *folder;	 /* folder: the caller's */
	struct sink *image;	 /* folder: the image in it, once it was accepted */
	json_t *identity;	 /* folder: of HEAD */
	struct disk *disk;	 /* disk, until the target has it */
	struct target *target;	 /* disk */
	uint64_t size;		 /* disk: bytes of the image that the target takes */
	bool gpt;		 /* disk: the table that was offered is a GPT */
	bool left_out;		 /* disk: there were data that it has no room for */
	struct journal *journal; /* disk: what another process could go on with, or NULL */
	bool journal_failed;	 /* disk: and it could not be written to */
	struct digest zero;	 /* disk: of a whole chunk of zeros, once zero_there */
	bool zero_there;
	struct spool *spool; /* disk: the digests to be found when it is read back, or NULL */
	char why[512], note[512];
};

/* A sink of the kind OPS called NAME, or NULL. */
struct sink *sink_new(const struct sink_ops *ops, const char *name);
/* Notes the sentence, and returns ERROR. */
__attribute__((format(printf, 3, 4))) int sink_fail(struct sink *sink, int error,
						    const char *format, ...);

#endif
