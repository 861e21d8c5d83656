/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key "set" of the manifest: which disk of a transfer of several an image is. */
#ifndef CODEC_MANIFEST_SET_H
#define CODEC_MANIFEST_SET_H

#include <stdbool.h>

#include <jansson.h>

#include "codec/digest.h"

#define MANIFEST_SET_MOST 256 /* disks in one transfer */

struct manifest_set {
	struct digest id;	   /* the first disk's transfer id */
	unsigned int index, count; /* index from 1 on; one disk alone: 1 of 1 */
};

/*
 * Reads it, HEAD_ID being the image's own transfer id: without the key, the image is 1 of 1 under
 * that. Returns 0, or -EBADMSG where the key is not what docs/image-format.md says.
 */
int manifest_set_get(const json_t *manifest, const uint8_t *head_id, struct manifest_set *ret);
/* Sets the key, or removes it where SET is a disk alone. Returns 0 or -ENOMEM. */
int manifest_set_put(json_t *manifest, const struct manifest_set *set);

/* Whether B is the disk behind A in the same transfer; A is NULL before the first one. */
bool manifest_set_follows(const struct manifest_set *a, const struct manifest_set *b);

#endif
