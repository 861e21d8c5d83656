// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/progress_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>

#include "ui/meter.h"
#include "ui/msg.h"

#define PIECE	   64
#define WHAT_MOST  128 /* bytes of the run's name */
#define WHAT_LEAST 8u  /* columns of it that stay however narrow it gets */
#define MEGABYTE   1000000u

enum piece { PERCENT, SIZES, RATE, TIME, STORED, LEVEL, PIECES };

/* Which piece a narrow terminal loses first. */
static const enum piece droppable[] = {LEVEL, STORED, RATE, SIZES, TIME, PERCENT};

static size_t columns(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static void percent_put(const struct progress_state *state, char *ret)
{
	uint64_t tenths;

	if (state->total == 0)
		return;
	if (state->done >= state->total) {
		snprintf(ret, PIECE, "100 %%");
		return;
	}
	/* Rounded down: 99.9 % until the last byte. */
	tenths = (unsigned __int128)state->done * 1000 / state->total;
	snprintf(ret, PIECE, "%" PRIu64 ".%" PRIu64 " %%", tenths / 10, tenths % 10);
}

static void sizes_put(const struct progress_state *state, char *ret)
{
	char done[24], total[24];

	msg_size(state->done, done);
	if (state->total == 0 || (state->ended && state->done >= state->total))
		snprintf(ret, PIECE, "%s", done);
	else
		snprintf(ret, PIECE, "%s of %s", done, msg_size(state->total, total));
}

static void rate_put(const struct progress_state *state, char *ret)
{
	uint64_t tenths = state->rate / (MEGABYTE / 10);

	if (tenths < 100)
		snprintf(ret, PIECE, "%" PRIu64 ".%" PRIu64 " MB/s", tenths / 10, tenths % 10);
	else
		snprintf(ret, PIECE, "%" PRIu64 " MB/s", tenths / 10);
}

static void clock_put(int64_t seconds, char *ret)
{
	if (seconds >= 3600)
		snprintf(ret, PIECE, "%" PRId64 ":%02d:%02d", seconds / 3600,
			 (int)(seconds / 60 % 60), (int)(seconds % 60));
	else
		snprintf(ret, PIECE, "%d:%02d", (int)(seconds / 60), (int)(seconds % 60));
}

static void time_put(const struct progress_state *state, char *ret)
{
	char clock[PIECE];

	if (state->ended && state->elapsed < 10 * METER_SECOND) {
		snprintf(ret, PIECE, "in %.1f s", (double)state->elapsed / METER_SECOND);
	} else if (state->ended) {
		clock_put(state->elapsed / METER_SECOND, clock);
		snprintf(ret, PIECE, "in %.32s", clock);
	} else if (state->total == 0) {
		clock_put(state->elapsed / METER_SECOND, ret);
	} else if (state->remaining >= 0) {
		clock_put(state->remaining, clock);
		snprintf(ret, PIECE, "%.32s left", clock);
	}
}

static void stored_put(const struct progress_state *state, char *ret)
{
	char stored[24];

	if (state->stored > 0)
		snprintf(ret, PIECE, "stored in %s", msg_size(state->stored, stored));
}

static void level_put(const struct progress_state *state, char *ret)
{
	if (state->level >= 0)
		snprintf(ret, PIECE, "level %d", state->level);
}

/* The name in at most WIDTH columns: a path says most at its end. */
static void what_put(const char *what, size_t width, char ret[WHAT_MOST])
{
	size_t n = columns(what);

	if (n <= width && strlen(what) < WHAT_MOST) {
		strcpy(ret, what);
		return;
	}
	while (n > width - 2 || strlen(what) >= WHAT_MOST - 2) {
		for (what++; (*what & 0xc0) == 0x80; what++)
			;
		n--;
	}
	snprintf(ret, WHAT_MOST, "..%s", what);
}

void progress_text_human(const struct progress_state *state, size_t width,
			 char ret[PROGRESS_TEXT_MOST])
{
	char pieces[PIECES][PIECE] = {{0}};
	char what[WHAT_MOST];
	size_t least = MIN(columns(state->what), WHAT_LEAST);
	size_t used = 0, next = 0, len;

	percent_put(state, pieces[PERCENT]);
	sizes_put(state, pieces[SIZES]);
	rate_put(state, pieces[RATE]);
	time_put(state, pieces[TIME]);
	stored_put(state, pieces[STORED]);
	level_put(state, pieces[LEVEL]);
	for (size_t i = 0; i < PIECES; i++)
		used += pieces[i][0] ? 2 + strlen(pieces[i]) : 0;
	for (; used + least > width && next < PIECES; next++) {
		char *piece = pieces[droppable[next]];

		used -= piece[0] ? 2 + strlen(piece) : 0;
		piece[0] = '\0';
	}
	what_put(state->what, MAX(WHAT_LEAST, width - MIN(used, width)), what);
	len = snprintf(ret, PROGRESS_TEXT_MOST, "%s", what);
	for (size_t i = 0; i < PIECES; i++) {
		if (pieces[i][0])
			len += snprintf(ret + len, PROGRESS_TEXT_MOST - len, "  %s", pieces[i]);
	}
}

void progress_text_json(const struct progress_state *state, char ret[PROGRESS_TEXT_MOST])
{
	char remaining[24] = "null", total[40] = "", level[24] = "";

	if (state->total)
		snprintf(total, sizeof(total), "\"total\":%" PRIu64 ",", state->total);
	if (state->remaining >= 0)
		snprintf(remaining, sizeof(remaining), "%" PRId64, state->remaining);
	if (state->level >= 0)
		snprintf(level, sizeof(level), ",\"level\":%d", state->level);
	snprintf(ret, PROGRESS_TEXT_MOST,
		 "{\"event\":\"progress\",\"done\":%" PRIu64 ",%s\"stored\":%" PRIu64
		 ",\"rate\":%" PRIu64 ",\"remaining\":%s,\"elapsed\":%" PRId64 ".%03d%s}",
		 state->done, total, state->stored, state->rate, remaining,
		 state->elapsed / METER_SECOND,
		 (int)(state->elapsed % METER_SECOND / (METER_SECOND / 1000)), level);
}
