/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image in a file that was cut: how much of it can be kept. That is everything up to the end of
 * a CHECKPOINT, with which store_continue goes on. Nothing is written here: what was being written
 * over when it was cut is made whole before, by redo_finish.
 */
#ifndef IO_RESUME_H
#define IO_RESUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/image.h"

struct spool;

struct resume {
	struct image_head head; /* its identity is the string below */
	char *identity;
	struct spool *spool; /* the entries of the chunks that are kept */
	uint64_t end;	     /* behind their CHECKPOINT, bytes; 0 when no chunk is kept */
	uint64_t lost;	     /* chunks that CHECKPOINTs speak of, but a damaged one stands before */
};

struct resume_options {
	bool recheck; /* hold all frames against their hashes */
	/* Unless it is NULL: so many BYTES of SIZE were looked at. */
	void (*looked)(void *arg, uint64_t bytes, uint64_t size);
	void *arg;
};

/*
 * Looks at the image in the regular file FD, whose offset is not moved. Of the frames those are
 * held against their hashes whose CHECKPOINT stands near the file's end, the first one, all that
 * stand in slots, and 64 that chance chooses; by OPTIONS, which may be NULL, or when one of the
 * chosen is damaged, all are, which reads the whole file. What follows a damaged frame's last
 * CHECKPOINT is not kept. Returns 0; -ENODATA when an image may have begun there, but it is empty
 * or ends before its HEAD does; -ENOMSG when this is no image of ours; -EPROTONOSUPPORT when
 * another version wrote it; -EOPNOTSUPP when it is of a stream; -EBADMSG when HEAD, or all that
 * could be kept of it, is damaged; -ESPIPE for what is no regular file; -EINTR or another -errno.
 * In each of these cases a sentence is in WHY (LEN bytes).
 */
int resume_open(int fd, const struct resume_options *options, struct resume *ret, char *why,
		size_t len);
void resume_clear(struct resume *resume); /* also of one that is all zeros */

/* Chunks that are kept. */
uint64_t resume_chunks(const struct resume *resume);

#endif
