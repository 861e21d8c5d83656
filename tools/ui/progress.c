// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "codec/text.h"
#include "ui/line.h"
#include "ui/meter.h"
#include "ui/progress_text.h"

/* How often each way of showing is shown, nanoseconds. */
#define PERIOD_DRAW (METER_SECOND / 5)
#define PERIOD_JSON METER_SECOND
#define PERIOD_LINE (10 * METER_SECOND)

struct progress {
	enum progress_mode mode; /* HUMAN or JSON */
	bool terminal, details;
	int level;	       /* -1: nothing is compressed */
	int64_t period, shown; /* nanoseconds */
	uint64_t total, done, stored;
	struct meter meter;
	char what[];
};

int progress_parse(const char *text, enum progress_mode *ret)
{
	static const char *const names[] = {
		[PROGRESS_AUTO] = "auto",
		[PROGRESS_NONE] = "none",
		[PROGRESS_HUMAN] = "human",
		[PROGRESS_JSON] = "json",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum progress_mode)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * METER_SECOND + time.tv_nsec;
}

struct progress *progress_new(enum progress_mode mode, const char *what, uint64_t total)
{
	bool terminal = isatty(STDERR_FILENO);
	struct progress *progress;

	if (mode == PROGRESS_AUTO)
		mode = terminal ? PROGRESS_HUMAN : PROGRESS_NONE;
	if (mode == PROGRESS_NONE)
		return NULL;
	progress = calloc(1, sizeof(*progress) + strlen(what) + 1);
	if (!progress)
		return NULL;
	progress->mode = mode;
	progress->level = -1;
	progress->terminal = terminal && mode == PROGRESS_HUMAN;
	progress->period = progress->terminal ? PERIOD_DRAW : PERIOD_LINE;
	if (mode == PROGRESS_JSON)
		progress->period = PERIOD_JSON;
	progress->total = total;
	text_put(what, strlen(what), progress->what);
	meter_start(&progress->meter, now(), 0);
	progress->shown = progress->meter.start.time - progress->period;
	return progress;
}

void progress_resume(struct progress *progress, uint64_t done)
{
	if (!progress)
		return;
	progress->done = done;
	meter_start(&progress->meter, progress->meter.start.time, done);
}

static void show(struct progress *progress, bool ended)
{
	const struct meter *meter = &progress->meter;
	struct progress_state state = {
		.what = progress->what,
		.done = progress->done,
		.total = progress->total,
		.stored = progress->stored,
		.rate = ended ? meter_average(meter) : meter_rate(meter),
		.remaining = meter_remaining(meter, progress->total),
		.elapsed = meter_elapsed(meter),
		.ended = ended,
		.level =
			progress->mode == PROGRESS_JSON || progress->details ? progress->level : -1,
	};
	char text[PROGRESS_TEXT_MOST];

	progress->shown = meter->last.time;
	if (progress->mode == PROGRESS_JSON)
		progress_text_json(&state, text);
	else
		progress_text_human(&state, line_width(), text);
	if (progress->terminal && !ended)
		line_draw(text);
	else
		line_print(text);
}

void progress_update(struct progress *progress, uint64_t done, uint64_t stored)
{
	if (!progress)
		return;
	if (progress->total > 0 && done > progress->total)
		done = progress->total;
	progress->done = done;
	progress->stored = stored;
	meter_add(&progress->meter, now(), done);
	if (progress->meter.last.time - progress->shown >= progress->period)
		show(progress, false);
}

void progress_level(struct progress *progress, int level)
{
	if (progress)
		progress->level = level;
}

void progress_details(struct progress *progress)
{
	if (progress)
		progress->details = true;
}

void progress_end(struct progress *progress)
{
	if (!progress)
		return;
	meter_add(&progress->meter, now(), progress->done);
	show(progress, true);
	free(progress);
}
