/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --memory: what tbsend and tbrecv may take at most, and what follows from it: how many threads
 * pack, and how many records may wait in the link; the rest is counted here.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdint.h>

#include "codec/wire.h"
#include "options.h"

/* What ROLE needs at least, packing at LEVEL, bytes. */
uint64_t memory_least(enum wire_role role, int level);
/* How many records may wait each way with MEMORY bytes: 0 (too little), or 1 to LINK_QUEUE. */
unsigned int memory_records(enum wire_role role, int level, uint64_t memory);

/*
 * Sets options->threads, and options->records, by options->memory or, without it on a small
 * machine, by a quarter of what that has; and options->keep, of which KEEP bytes are needed at
 * least, 0: none. options->level_most is the highest level that options->level lets be chosen.
 * Returns -1 to go on, or the exit code, having said that it is too little.
 */
int memory_plan(struct options *options, enum wire_role role, size_t keep);

#endif
