// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/meter.h"

#define RATE_SHORTEST  (METER_SECOND / 1000) /* a shorter time says nothing */
#define REMAINING_MOST (INT64_C(3600000))    /* seconds; beyond that it is no forecast */

static void window_restart(struct meter *meter)
{
	meter->samples[0] = meter->last;
	meter->first = 0;
	meter->count = 1;
}

void meter_start(struct meter *meter, int64_t now, uint64_t done)
{
	meter->start = (struct meter_sample){now, done};
	meter->last = meter->start;
	window_restart(meter);
}

static struct meter_sample *sample(struct meter *meter, size_t index)
{
	return &meter->samples[(meter->first + index) % METER_SAMPLES];
}

void meter_add(struct meter *meter, int64_t now, uint64_t done)
{
	struct meter_sample last = meter->last;

	meter->last = (struct meter_sample){now, done};
	if (done < last.done) {
		if (done < meter->start.done)
			meter->start.done = done;
		window_restart(meter);
		return;
	}
	/* The oldest that stays is the youngest of those that the window has left behind. */
	while (meter->count > 1 && sample(meter, 1)->time <= now - METER_WINDOW) {
		meter->first = (meter->first + 1) % METER_SAMPLES;
		meter->count--;
	}
	if (now - sample(meter, meter->count - 1)->time >= METER_STEP &&
	    meter->count < METER_SAMPLES)
		*sample(meter, meter->count++) = meter->last;
}

static uint64_t rate(const struct meter_sample *from, const struct meter_sample *to)
{
	int64_t time = to->time - from->time;

	if (time < RATE_SHORTEST || to->done <= from->done)
		return 0;
	return (double)(to->done - from->done) * METER_SECOND / (double)time;
}

uint64_t meter_rate(const struct meter *meter)
{
	return rate(&meter->samples[meter->first], &meter->last);
}

uint64_t meter_average(const struct meter *meter)
{
	return rate(&meter->start, &meter->last);
}

int64_t meter_remaining(const struct meter *meter, uint64_t total)
{
	uint64_t now = meter_rate(meter);
	uint64_t left, seconds;

	if (meter->last.done >= total)
		return total ? 0 : -1;
	if (now == 0)
		return -1;
	left = total - meter->last.done;
	seconds = left / now + (left % now != 0);
	return seconds > REMAINING_MOST ? -1 : (int64_t)seconds;
}

int64_t meter_elapsed(const struct meter *meter)
{
	return meter->last.time - meter->start.time;
}
