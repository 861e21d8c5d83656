/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of an image have in common; between image.c and image_trailer.c only. */
#ifndef CODEC_IMAGE_TAG_H
#define CODEC_IMAGE_TAG_H

#include <stddef.h>
#include <stdint.h>

#include "codec/image.h"

/* Writes the skippable header and tag of a frame of FRAME_SIZE bytes in all; returns their end. */
uint8_t *image_tag_put(uint8_t *p, enum image_kind kind, uint64_t frame_size);

/*
 * Reads them (LEN bytes are there) for a frame that has to be of KIND, and how much follows the
 * skippable header. Returns 0, -EBADMSG, or -EPROTONOSUPPORT (version).
 */
int image_tag_get(const void *buf, size_t len, enum image_kind kind, uint32_t *ret_size);

#endif
