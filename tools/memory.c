// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <unistd.h>

#include "codec/pack.h"
#include "io/crew.h"
#include "io/link.h"
#include "io/machine.h"
#include "programs.h"
#include "source/keep.h"
#include "source/pace.h"
#include "ui/msg.h"

#define MEMORY_MIB    (1ull << 20)
#define MEMORY_RECORD WIRE_PAYLOAD_MOST
/* The program, its libraries, manifests and lists. */
#define MEMORY_OWN (4 * MEMORY_MIB)
/*
 * What holds a chunk or a frame beside the queue. The sender: the chunk, its frame, the record that
 * it becomes, the one that is written, and what came from the peer. The receiver: the record that
 * is read, the one in hand, its chunk, and two of zeros or the two ends of a target.
 */
#define MEMORY_HELD (5 * MEMORY_RECORD)
/* A thread of several that pack or unpack: chunks, their frames, and what it does that with. */
#define MEMORY_THREAD(level) (2ull * CREW_JOBS * MEMORY_RECORD + pack_memory(level))
/* What a program may take in all where nobody bounds it. */
#define MEMORY_ROOM(threads) ((48 + 16ull * (threads)) * MEMORY_MIB)
/* So large that malloc takes it from the system, and gives it back at once. */
#define MEMORY_LARGE (1 << 20)
/* Where memory is not scarce malloc takes less than this from its heap, and keeps it. */
#define MEMORY_KEPT (32 << 20)
#define MEMORY_PAGE (2ull << 20) /* a large one; where they are larger there will be none */

uint64_t memory_least(enum wire_role role, int level)
{
	uint64_t packs =
		role == WIRE_SENDER ? pack_memory(level) : 2 * pack_memory(PACK_LEVEL_DEFAULT);

	return MEMORY_OWN + MEMORY_RECORD + MEMORY_HELD + packs;
}

unsigned int memory_records(enum wire_role role, int level, uint64_t memory)
{
	uint64_t least = memory_least(role, level), more;

	if (memory < least)
		return 0;
	more = (memory - least) / MEMORY_RECORD;
	return more < LINK_QUEUE ? 1 + more : LINK_QUEUE;
}

/* The level to begin with. */
static int memory_level(const struct options *options)
{
	return options->level == PACK_LEVEL_AUTO ? PACK_LEVEL_LEAST : options->level;
}

/*
 * How many threads pack: as many as MEMORY, what there is beside the least, has room for; where
 * nobody bounds that, no more than a quarter of the machine's is taken without being asked.
 */
static unsigned int memory_threads(const struct options *options, uint64_t machine, uint64_t least)
{
	uint64_t memory = options->memory ? options->memory : machine / 4;
	uint64_t fit = memory < least ? 0 : (memory - least) / MEMORY_THREAD(memory_level(options));
	unsigned int wanted = machine_threads(options->threads);

	if (options->threads && !options->memory)
		return wanted;
	return MAX(1, MIN(wanted, fit));
}

/*
 * Records and chunks of megabytes come and go. In a heap that stays, and is of large pages, that is
 * a fifth of all the work less than with memory that is new to the program each time.
 */
static void memory_spread(unsigned int threads)
{
	size_t room = MEMORY_ROOM(threads);

	mallopt(M_MMAP_THRESHOLD, MEMORY_KEPT);
	mallopt(M_TOP_PAD, room);
	/* More than there is by now: the heap grows, by room besides. */
	char *block = malloc(MEMORY_PAGE), *end = sbrk(0);
	if (block && end > block && (size_t)(end - block) <= room + 2 * MEMORY_PAGE) {
		uintptr_t from = roundup((uintptr_t)block, MEMORY_PAGE);

		madvise((void *)from, (uintptr_t)end - from, MADV_HUGEPAGE);
	}
	free(block);
}

/*
 * The highest level that may be chosen later on. Nobody asked for it, so that it has to do with
 * what a sender may take in any case; where nobody bounds that, what came from the peer, which is
 * little, is not counted.
 */
static int memory_level_most(const struct options *options, uint64_t machine, size_t keep)
{
	unsigned int threads = options->threads > 1 ? options->threads : 0;
	uint64_t memory =
		MIN(options->memory ? options->memory : machine / 4, MEMORY_ROOM(MAX(threads, 1u)));
	bool tight = options->memory || machine < MACHINE_SMALL;
	uint64_t records = (options->records ? options->records : LINK_QUEUE) - (tight ? 1 : 2);
	int level = PACK_LEVEL_LEAST;

	if (options->level != PACK_LEVEL_AUTO)
		return options->level;
	/* What is left of a bound is for what a stream keeps. */
	if (keep && options->memory)
		return level;
	while (level < PACE_MOST) {
		uint64_t least = memory_least(WIRE_SENDER, threads ? PACK_LEVEL_LEAST : level + 1);

		if (least + records * MEMORY_RECORD + threads * MEMORY_THREAD(level + 1) > memory)
			break;
		level++;
	}
	return level;
}

static int memory_plan_records(struct options *options, enum wire_role role, size_t keep)
{
	int level = memory_level(options);
	uint64_t machine = machine_memory(), least = memory_least(role, level) + keep;
	uint64_t memory = options->memory ? options->memory : machine / 4;
	char given[24], needed[24];

	options->threads = memory_threads(options, machine, least);
	if (options->threads > 1 && options->memory)
		memory -= options->threads * MEMORY_THREAD(level);
	mallopt(M_ARENA_MAX, 1);
	if (!options->memory && machine >= MACHINE_SMALL) {
		memory_spread(options->threads);
		return -1;
	}
	mallopt(M_MMAP_THRESHOLD, MEMORY_LARGE);
	options->records = memory < least ? 0 : memory_records(role, level, memory - keep);
	if (options->records && keep && options->memory)
		options->keep = MIN(KEEP_MOST,
				    memory - least + keep - (options->records - 1) * MEMORY_RECORD);
	if (options->records)
		return -1;
	if (options->memory) {
		msg_size(options->memory, given);
		msg_size((least + MEMORY_MIB - 1) / MEMORY_MIB * MEMORY_MIB, needed);
		msg_error("--memory of %s is too little: %s needs %s%s", given,
			  role == WIRE_SENDER ? "tbsend" : "tbrecv", needed,
			  role == WIRE_SENDER && level > 1 ? ", or a lower --level" : "");
		return EXIT_USAGE;
	}
	options->records = 1;
	return -1;
}

int memory_plan(struct options *options, enum wire_role role, size_t keep)
{
	int code = memory_plan_records(options, role, keep);

	options->level_most = memory_level_most(options, machine_memory(), keep);
	return code;
}
