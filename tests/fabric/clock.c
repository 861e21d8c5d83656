// SPDX-License-Identifier: GPL-2.0-or-later
#include <time.h>

#include "clock.h"

static uint64_t held;

uint64_t clock_now(void)
{
	struct timespec now;

	if (held)
		return held;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void clock_hold(uint64_t now)
{
	held = now;
}
