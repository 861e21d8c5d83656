/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock: milliseconds of the monotonic clock, and "never" for deadlines. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER UINT64_MAX

uint64_t clock_now(void);

/* Stops the clock at a time of a test's own; 0 lets it run again. */
void clock_hold(uint64_t now);

static inline uint64_t clock_earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

#endif
