/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How hard to compress, while it goes on: harder where the packers wait for what takes their
 * frames, less where it waits for them. Pure: it is told how long things took, and answers the
 * level.
 */
#ifndef SOURCE_PACE_H
#define SOURCE_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* Beyond it a chunk becomes hardly smaller, and takes much longer. */
#define PACE_MOST 9

/* What some chunks took, nanoseconds, and what they are, bytes. */
struct pace_time {
	int64_t wall;	 /* from the first to the last, */
	int64_t out;	 /* of which their taker did not take them, while nothing else was done */
	int64_t work;	 /* what all packers worked together, and what the caller's thread did */
	uint64_t bytes;	 /* of those that were packed, */
	uint64_t stored; /* and what they became */
	unsigned int chunks;
};

struct pace {
	int level;	      /* for the next chunk */
	int most;	      /* never above */
	int highest;	      /* that it was */
	unsigned int threads; /* that work at once */
	bool buffered;
	struct pace_time window; /* since the last decision */
	unsigned int agreed;	 /* windows, one after the other, that want the same */
	int wish;		 /* -1, 0, 1: what the last one wanted */
	bool settling;		 /* what comes still was packed at the level before */
	uint64_t rate;		 /* stored bytes a second before the last rise, */
	unsigned int trial;	 /* with which so many more windows are compared */
	unsigned int hold, held; /* windows until it may rise, and how many that were last time */
};

/*
 * Begins at level 1, never to go above MOST (1 to 19), for chunks that THREADS pack at once.
 * BUFFERED: what takes the frames goes on while more are packed, also by one thread.
 */
void pace_start(struct pace *pace, int most, unsigned int threads, bool buffered);

/* Some chunks have gone, and took TIME. pace->level is for those that are packed next. */
void pace_add(struct pace *pace, const struct pace_time *time);

#endif
