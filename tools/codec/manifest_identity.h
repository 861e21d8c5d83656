/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether two disks are one: what HEAD's identity says of them. */
#ifndef CODEC_MANIFEST_IDENTITY_H
#define CODEC_MANIFEST_IDENTITY_H

#include <stdbool.h>

#include "codec/image.h"

/*
 * Whether A and B tell of the same disk: size, chunk size, sectors and identity are equal. The path
 * of a disk may differ where a serial number or a WWN is the same, for a machine that starts again
 * may find its disks in another order. Partitions of one disk are told apart by the path alone.
 */
bool manifest_identity_same(const struct image_head *a, const struct image_head *b);

#endif
