/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A window over a descriptor's bytes, for load and view: look ahead, take, never seek. */
#ifndef IO_LOAD_READER_H
#define IO_LOAD_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/image.h"
#include "codec/pack.h"

/* The first frame and HEAD are looked at together: only HEAD tells how long the frame's content is.
 */
#define LOAD_READER_MOST  (PACK_FRAME_MOST + IMAGE_IDENTITY_MOST + 4096)
#define LOAD_READER_LEAST 65536u

struct load_reader {
	int fd;
	bool file; /* read at an offset, else from where the descriptor is */
	uint8_t *buf;
	size_t capacity, start, end;
	uint64_t offset; /* in the image, of buf[start] */
	int64_t time;	 /* that was spent with reading, nanoseconds */
};

void load_reader_init(struct load_reader *reader, int fd);
/* The same over the file FD from OFFSET on; the descriptor's own offset stays where it is. */
void load_reader_init_at(struct load_reader *reader, int fd, uint64_t offset);
void load_reader_clear(struct load_reader *reader);

/*
 * Makes LEN (<= LOAD_READER_MOST) bytes visible at *ret. Returns 0, -ENODATA when the input ends
 * before, -EINTR or another -errno. Pointers from earlier calls are stale afterwards.
 */
int load_reader_peek(struct load_reader *reader, size_t len, const uint8_t **ret);
/* Steps over LEN bytes that were peeked at. */
void load_reader_take(struct load_reader *reader, size_t len);
/* Makes at least one byte visible, at most MOST; their number is returned, -ENODATA at the end, or
 * -errno. */
long load_reader_some(struct load_reader *reader, size_t most, const uint8_t **ret);

/*
 * The length of the zstd frame that begins at the reader's place, read off its block headers
 * (RFC 8878 section 3.1.1). Makes the whole of it visible at *ret. Returns 0; -EBADMSG when it is
 * none or longer than any chunk can become; -ENODATA when it is cut; or -errno.
 */
int load_reader_frame(struct load_reader *reader, const uint8_t **ret, size_t *ret_len);

#endif
