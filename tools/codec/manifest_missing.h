/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manifest's key "unreadable" as a map, whose bytes are finished or bad, and back: a manifest
 * from elsewhere may list ranges that overlap or are not on the disk.
 */
#ifndef CODEC_MANIFEST_MISSING_H
#define CODEC_MANIFEST_MISSING_H

#include <stdint.h>

#include <jansson.h>

#include "codec/rescue_map.h"

/* What MANIFEST says of a disk of SIZE bytes. Returns 0 and a map (rescue_map_free) or -ENOMEM. */
int manifest_missing_get(const json_t *manifest, uint64_t size, struct rescue_map **ret);
/* Has MANIFEST list what is not finished in MAP, or nothing of it. Returns 0 or -ENOMEM. */
int manifest_missing_put(json_t *manifest, const struct rescue_map *map);
/* How many bytes of a disk of SIZE bytes it says are missing. */
uint64_t manifest_missing_bytes(const json_t *manifest, uint64_t size);

#endif
