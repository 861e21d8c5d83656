/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a file system shows that it was used, beside its first superblock: the head of its journal,
 * which is written whenever anything is changed, and further superblocks that are.
 */
#ifndef IO_PROBE_HEAD_H
#define IO_PROBE_HEAD_H

#include "io/probe_area.h"

#define PROBE_HEADS_MOST 2 /* of one file system */

/*
 * Finds the heads of the file system of TYPE, libblkid's name, in AREA: byte offsets from AREA's
 * start, below its size, go to RET. Returns how many: none of another type, of one without a
 * journal of its own, and where something cannot be read or cannot be. Reads some forty sectors at
 * the most.
 */
size_t probe_heads(const struct probe_area *area, const char *type, uint64_t ret[PROBE_HEADS_MOST]);

#endif
