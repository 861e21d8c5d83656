/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How an image begins: its first frame and HEAD. For load and view. */
#ifndef IO_LOAD_HEAD_H
#define IO_LOAD_HEAD_H

#include "codec/image.h"
#include "io/load_reader.h"

struct load_head {
	struct image_head head;	    /* its identity is the string below */
	char *identity;		    /* the caller's: free() it */
	size_t first_len, head_len; /* of the two frames, bytes */
};

/*
 * Reads them at READER's place, where they stay. Returns 0; -ENOMSG when this is no image of ours,
 * and what it is instead in WHY; -ENODATA when it ends before HEAD does; -EBADMSG; or
 * -EPROTONOSUPPORT for another version: all of them with a sentence in WHY (LEN bytes). -EINTR or
 * another -errno.
 */
int load_head_read(struct load_reader *reader, struct load_head *ret, char *why, size_t len);

#endif
