// SPDX-License-Identifier: GPL-2.0-or-later
/* What the time goes into, seen from the caller's thread, and the level that follows from it. */
#include <stdlib.h>
#include <sys/param.h>
#include <time.h>

#include "io/stop.h"
#include "source/source_kinds.h"

/* How long this thread has worked, as opposed to waited, nanoseconds. */
static int64_t time_worked(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec * STOP_SECOND + time.tv_nsec;
}

void source_time_enter(struct source *source)
{
	struct source_clock *clock = &source->clock;

	clock->entered = stop_now();
	clock->load = source->load ? load_time(source->load) : 0;
	if (!source->paced || !clock->left)
		return;
	int64_t wall = clock->entered - clock->left, work = time_worked() - clock->worked;

	clock->now.wall += wall;
	clock->now.work += work;
	clock->now.out += MAX(wall - work, 0);
}

void source_time_leave(struct source *source)
{
	struct source_clock *clock = &source->clock;

	clock->left = stop_now();
	clock->in += clock->left - clock->entered;
	if (source->load)
		clock->read += load_time(source->load) - clock->load;
	if (!source->paced)
		return;
	clock->worked = time_worked();
	clock->now.wall += clock->left - clock->entered;
	pace_add(&source->pace, &clock->now);
	clock->now = (struct pace_time){0};
	source->level = source->pace.level;
}

void source_time_read(struct source *source, int64_t since)
{
	/* What is unpacked on the way is no reading: that is the load's to tell. */
	if (!source->load)
		source->clock.read += stop_now() - since;
}

void source_time_job(struct source *source, const struct source_job *job)
{
	struct pace_time *now = &source->clock.now;

	if (job->chunk.zero)
		return;
	now->work += job->took;
	now->bytes += job->len;
	now->stored += job->chunk.entry.stored_size;
	now->chunks++;
}

void source_time(const struct source *source, struct source_time *ret)
{
	*ret = (struct source_time){
		.read = source->clock.read,
		.pack = source->clock.in - source->clock.read,
	};
}

int source_pace(struct source *source, int most, bool buffered)
{
	unsigned int threads = source->rescue ? 1 : source->threads;
	struct pack *pack;

	if (source->load && !source->part_size)
		return 0;
	/* Several have their own. */
	if (threads <= 1) {
		int r = pack_new(most, &pack);

		if (r < 0)
			return r;
		pack_free(source->packer.pack);
		source->packer.pack = pack;
	}
	pace_start(&source->pace, most, threads, buffered);
	source->level = source->pace.level;
	source->most = most;
	source->paced = true;
	return 0;
}

bool source_levels(const struct source *source, int *ret_level, int *ret_highest)
{
	if (source->load && !source->part_size)
		return false;
	*ret_level = source->level;
	*ret_highest = source->paced ? source->pace.highest : source->level;
	return true;
}
