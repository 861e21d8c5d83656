/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a manifest says of the disk's layout: partitions and ranges. A manifest comes from
 * elsewhere: what is missing or of another type reads as nothing. Strings are borrowed, never NULL,
 * and may hold control characters.
 */
#ifndef CODEC_MANIFEST_TABLE_H
#define CODEC_MANIFEST_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct manifest_partition {
	uint64_t number;
	uint64_t start, size; /* bytes */
	const char *type, *name, *uuid;
	const char *fs, *label, *fs_uuid; /* of the file system: type and so on */
	uint64_t fs_size, fs_used;	  /* bytes; size 0: not known */
};

/* How many objects the partition table lists; 0 without one. */
size_t manifest_partition_count(const json_t *manifest);
/* Number INDEX of them. False where it is no partition of a range that can be. */
bool manifest_partition_get(const json_t *manifest, size_t index, struct manifest_partition *ret);

/*
 * How full the file system FS is, an object of the manifest, in bytes. False where it does not say
 * so, or says what cannot be.
 */
bool manifest_used_get(const json_t *fs, uint64_t *ret_size, uint64_t *ret_used);

/*
 * The ranges of KEY, "unallocated" or "unreadable": how many objects the array lists, and number
 * INDEX of them in bytes. False where it is no range.
 */
size_t manifest_range_count(const json_t *manifest, const char *key);
bool manifest_range_get(const json_t *manifest, const char *key, size_t index, uint64_t *ret_offset,
			uint64_t *ret_length);

/*
 * What holds bytes FROM to FROM + LENGTH - 1 of the device: "in partition 2, ext4 "root"", "outside
 * all partitions", or "" where there is no table. Written to RET (LEN bytes), cut where it is too
 * long.
 */
void manifest_where(const json_t *manifest, uint64_t from, uint64_t length, char *ret, size_t len);

#endif
