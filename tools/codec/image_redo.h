/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * REDO: the last frame of an unfinished image in which something is being written over. It has all
 * that is to be there afterwards, so that whoever dies in the midst of it is no loss. Found from
 * the file's end. docs/image-format.md, "REDO". Nothing here does I/O or allocates.
 */
#ifndef CODEC_IMAGE_REDO_H
#define CODEC_IMAGE_REDO_H

#include "codec/image.h"

#define IMAGE_REDO_PARTS  4u /* most */
#define IMAGE_REDO_FOOTER 16 /* the frame's last bytes: its length, its hash */

struct image_redo_part {
	uint64_t at; /* in the image, bytes */
	uint32_t len;
	const uint8_t *bytes; /* for image_redo_put NULL is zeros */
};

struct image_redo {
	uint8_t transfer_id[16]; /* HEAD's: this is not the REDO of an image that is in the image */
	uint32_t count;		 /* of parts, 1 .. IMAGE_REDO_PARTS */
	struct image_redo_part parts[IMAGE_REDO_PARTS];
};

/* Bytes of the whole frame. */
size_t image_redo_size(const struct image_redo *redo);
/* Writes it to BUF of CAPACITY bytes. Returns its length, -EINVAL (bad fields) or -ENOBUFS. */
int image_redo_put(const struct image_redo *redo, void *buf, size_t capacity);
/*
 * Reads a whole one, whose parts then point into BUF, and of which each ends before LIMIT, bytes.
 * Returns 0 or -EBADMSG.
 */
int image_redo_get(const void *buf, size_t len, uint64_t limit, struct image_redo *ret);
/* How long a REDO that ends with these bytes says to be, which may be nonsense. */
uint64_t image_redo_length(const uint8_t footer[IMAGE_REDO_FOOTER]);

#endif
