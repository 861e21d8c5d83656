/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an image lacks because its disk could not read it, in words. */
#ifndef UI_MISSING_H
#define UI_MISSING_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/*
 * How much of a disk of SIZE bytes MANIFEST says could not be read, and where it lies: "1.5 MiB in
 * 3 ranges: 1.0 MiB in partition 2, ext4 "root", 512 KiB outside all partitions". Written to RET
 * (LEN bytes, at least 1), cut where it is too long; "" when nothing is missing. Strings in it come
 * from the disk: they may hold control characters. Returns the bytes that are missing.
 */
uint64_t missing_tell(const json_t *manifest, uint64_t size, char *ret, size_t len);

#endif
