/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of an image's trailer that are read the same way whether it is reached from the front
 * (load) or from the end of a file (view).
 */
#ifndef IO_TRAILER_H
#define IO_TRAILER_H

#include <stdint.h>

#include <jansson.h>

#include "codec/image.h"
#include "io/load_reader.h"

/* Where a trailer stands in its file, as its last bytes say: offsets and sizes in bytes. */
struct trailer {
	struct image_sum sum;
	uint64_t table;	 /* offset of TABLE, with which the trailer begins */
	uint64_t seek;	 /* offset of the seek table */
	uint32_t frames; /* in the seek table */
	uint32_t json_len;
};

/*
 * Finds the trailer of the image in the file FD of SIZE bytes; all that is said is in bounds, but
 * no digest was looked at. Returns 0; -ENOMSG when no trailer of ours ends it; -EBADMSG when what
 * it says cannot be; -EINTR or another -errno.
 */
int trailer_find(int fd, uint64_t size, struct trailer *ret);

/* Steps over LEN bytes at AT, at which READER was peeked at, and counts them in SUM. */
void trailer_take(struct load_reader *reader, struct digest_state *sum, const uint8_t *at,
		  size_t len);

/*
 * Reads MANIFEST, which is next in READER, and counts it in SUM. Returns 0, a new reference and the
 * length of its JSON; -ENODATA when the input ends before; -EBADMSG; or another -errno.
 */
int trailer_manifest(struct load_reader *reader, struct digest_state *sum, json_t **ret,
		     uint32_t *ret_json_len);

/* Reads SUM in the same way; its own digest counts as zeros. */
int trailer_sum(struct load_reader *reader, struct digest_state *sum, struct image_sum *ret);

#endif
