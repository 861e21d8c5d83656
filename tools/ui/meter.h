/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast it goes: over the last seconds, for those who watch, and over the whole run. Pure: the
 * caller brings the time, in nanoseconds of a clock that never goes back.
 */
#ifndef UI_METER_H
#define UI_METER_H

#include <stddef.h>
#include <stdint.h>

#define METER_SECOND  INT64_C(1000000000)
#define METER_WINDOW  (5 * METER_SECOND)
#define METER_STEP    (METER_WINDOW / 25) /* between samples that are kept */
#define METER_SAMPLES 32

struct meter_sample {
	int64_t time;
	uint64_t done;
};

struct meter {
	struct meter_sample start, last;
	struct meter_sample samples[METER_SAMPLES]; /* a ring, oldest at first */
	size_t first, count;
};

/* Starts at NOW with DONE bytes, which no rate counts. */
void meter_start(struct meter *meter, int64_t now, uint64_t done);

/* DONE bytes are done at NOW. Fewer than before (it goes on from further back) start the window
 * anew. */
void meter_add(struct meter *meter, int64_t now, uint64_t done);

/* Bytes a second over the last METER_WINDOW, and since the start; 0 before time has passed. */
uint64_t meter_rate(const struct meter *meter);
uint64_t meter_average(const struct meter *meter);

/* Seconds until TOTAL at the window's rate, rounded up; -1 when nobody can know. */
int64_t meter_remaining(const struct meter *meter, uint64_t total);

/* Nanoseconds since the start. */
int64_t meter_elapsed(const struct meter *meter);

#endif
