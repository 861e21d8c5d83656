// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/pace.h"

#include <sys/param.h>

/* A window: long enough to say something, by the clock and by what was seen. */
#define PACE_WINDOW 250000000ll /* nanoseconds */
#define PACE_CHUNKS 4u		/* of each thread's, and as many that wait to be sent */
#define PACE_AGREED 2u		/* windows, so that no single one decides */
#define PACE_TRIAL  4u		/* windows in which a rise can turn out to be a mistake */
/* Windows until it rises again after it had to fall, twice as many each time. */
#define PACE_HOLD      16u
#define PACE_HOLD_MOST 256u

/* Per cent. */
#define PACE_OUT	25 /* of the time waiting for the output: it is the limit */
#define PACE_OUT_LITTLE 10 /* less: it is not */
#define PACE_WORK	45 /* of what the packers can: half as much again leaves room still */
#define PACE_WORK_ALONE 5  /* the same where the output waits meanwhile */
#define PACE_WORK_FULL	90 /* they are the limit */
#define PACE_BECOMES	95 /* what chunks become at most for which it pays to try harder */
#define PACE_SLOWER	85 /* of what went out before: the last rise has cost it */

void pace_start(struct pace *pace, int most, unsigned int threads, bool buffered)
{
	*pace = (struct pace){
		.level = 1,
		.most = most,
		.highest = 1,
		.threads = MAX(threads, 1u),
		.buffered = buffered || threads > 1,
		.held = PACE_HOLD / 2,
	};
}

/* PART of WHOLE, per cent. */
static int64_t pace_percent(int64_t part, int64_t whole)
{
	return whole > 0 ? 100 * part / whole : 0;
}

static uint64_t pace_rate(const struct pace_time *window)
{
	return window->stored * 1000 / MAX(window->wall / 1000000, 1);
}

/* What the window wants: one level more, one less, or 0. */
static int pace_judge(const struct pace *pace)
{
	const struct pace_time *window = &pace->window;
	int64_t out = pace_percent(window->out, window->wall);
	int64_t work = pace_percent(window->work, window->wall * pace->threads);
	bool room = work <= (pace->buffered ? PACE_WORK : PACE_WORK_ALONE);

	if (out < PACE_OUT_LITTLE && work >= PACE_WORK_FULL)
		return -1;
	if (out < PACE_OUT)
		return 0;
	/* It is the output that limits, and it takes less than it did: what is packed harder lacks
	 * elsewhere, as where the receiver is on the same machine. */
	if (pace->trial && pace_rate(window) * 100 < pace->rate * PACE_SLOWER)
		return -1;
	if (!room || window->stored * 100 > window->bytes * PACE_BECOMES)
		return 0;
	return 1;
}

static void pace_rise(struct pace *pace)
{
	if (pace->hold || pace->level >= pace->most)
		return;
	pace->rate = pace_rate(&pace->window);
	pace->trial = PACE_TRIAL;
	pace->level++;
	pace->highest = MAX(pace->highest, pace->level);
	pace->settling = true;
}

static void pace_fall(struct pace *pace)
{
	pace->trial = 0;
	if (pace->level == 1)
		return;
	pace->level--;
	pace->held = MIN(2 * pace->held, PACE_HOLD_MOST);
	pace->hold = pace->held;
	pace->settling = true;
}

static void pace_decide(struct pace *pace)
{
	int wish = pace_judge(pace);

	pace->agreed = wish == pace->wish ? pace->agreed + 1 : 1;
	pace->wish = wish;
	pace->hold -= pace->hold > 0;
	pace->trial -= pace->trial > 0;
	if (!wish || pace->agreed < PACE_AGREED)
		return;
	pace->agreed = 0;
	if (wish > 0)
		pace_rise(pace);
	else
		pace_fall(pace);
}

void pace_add(struct pace *pace, const struct pace_time *time)
{
	struct pace_time *window = &pace->window;

	window->wall += time->wall;
	window->out += time->out;
	window->work += time->work;
	window->bytes += time->bytes;
	window->stored += time->stored;
	window->chunks += time->chunks;
	if (window->wall < PACE_WINDOW || window->chunks < PACE_CHUNKS * (pace->threads + 1))
		return;
	if (!pace->settling)
		pace_decide(pace);
	else
		pace->settling = false;
	*window = (struct pace_time){0};
}
