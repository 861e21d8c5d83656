// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chunks that are packed here: one after the other, or by several threads at once. All that is read
 * and all that is decided is the caller's thread's; the others only make frames out of bytes, so
 * that both ways give the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/crew.h"
#include "io/stop.h"
#include "source/source_kinds.h"

struct source_ahead {
	struct crew *crew;
	unsigned int count, threads;
	struct source_job *jobs;       /* count */
	struct source_packer *packers; /* threads */
	bool shown;		       /* the oldest job is the one that the caller has */
	int r;			       /* of the last reading: 1, or how it ended */
	char why[sizeof((struct source *)0)->why]; /* with r, until it is the caller's turn to know
						    */
};

int source_job_setup(struct source_job *job)
{
	job->content = aligned_alloc(DISK_ALIGN, CHUNK_SIZE);
	job->frame = malloc(PACK_FRAME_MOST);
	return job->content && job->frame ? 0 : -ENOMEM;
}

void source_job_clear(struct source_job *job)
{
	free(job->content);
	free(job->frame);
}

/* The digest of a job's zeros. That of a whole chunk is made once: a disk can have many. */
static void pack_zeros(struct source_packer *packer, struct source_job *job, struct digest *ret)
{
	if (job->len == CHUNK_SIZE && packer->zero_there) {
		*ret = packer->zero;
		return;
	}
	memset(job->content, 0, job->len);
	digest_chunk(job->content, job->len, ret);
	if (job->len == CHUNK_SIZE) {
		packer->zero = *ret;
		packer->zero_there = true;
	}
}

int source_pack(struct source_packer *packer, struct source_job *job)
{
	struct source_chunk *chunk = &job->chunk;

	int64_t began = stop_now();

	job->took = 0;
	if (job->look)
		chunk->zero = chunk_is_zero(job->content, job->len);
	if (chunk->zero) {
		pack_zeros(packer, job, &chunk->entry.digest);
		return 1;
	}
	int r = pack_level(packer->pack, job->level);
	if (r == 0)
		r = pack_entry(packer->pack, job->content, job->len, job->frame, PACK_FRAME_MOST,
			       &chunk->entry);
	if (r < 0)
		return r;
	job->took = stop_now() - began;
	chunk->frame = job->frame;
	return 1;
}

static void ahead_work(void *tool, void *arg)
{
	struct source_job *job = arg;

	job->r = source_pack(tool, job);
}

static void ahead_free(struct source_ahead *ahead)
{
	crew_free(ahead->crew);
	for (unsigned int i = 0; ahead->jobs && i < ahead->count; i++)
		source_job_clear(&ahead->jobs[i]);
	for (unsigned int i = 0; ahead->packers && i < ahead->threads; i++)
		pack_free(ahead->packers[i].pack);
	free(ahead->jobs);
	free(ahead->packers);
	free(ahead);
}

static int ahead_setup(struct source_ahead *ahead, int most)
{
	int r = 0;

	ahead->jobs = calloc(ahead->count, sizeof(*ahead->jobs));
	ahead->packers = calloc(ahead->threads, sizeof(*ahead->packers));
	if (!ahead->jobs || !ahead->packers)
		return -ENOMEM;
	for (unsigned int i = 0; r == 0 && i < ahead->count; i++)
		r = source_job_setup(&ahead->jobs[i]);
	for (unsigned int i = 0; r == 0 && i < ahead->threads; i++)
		r = pack_new(most, &ahead->packers[i].pack);
	const struct crew_plan plan = {
		.work = ahead_work,
		.jobs = ahead->jobs,
		.tools = ahead->packers,
		.job_size = sizeof(*ahead->jobs),
		.tool_size = sizeof(*ahead->packers),
		.count = ahead->count,
		.threads = ahead->threads,
	};
	return r < 0 ? r : crew_new(&plan, &ahead->crew);
}

/* Where there is no room for it one after the other has to do. */
static void ahead_new(struct source *source)
{
	struct source_ahead *ahead = calloc(1, sizeof(*ahead));

	if (ahead) {
		ahead->threads = source->threads;
		ahead->count = CREW_JOBS * source->threads;
		ahead->r = 1;
		if (ahead_setup(ahead, source->most) < 0) {
			ahead_free(ahead);
			ahead = NULL;
		}
	}
	source->ahead = ahead;
	if (ahead)
		return;
	source->threads = 1;
	/* That is the level which the one packer is made for. */
	source->paced = false;
}

void source_ahead_free(struct source *source)
{
	if (source->ahead)
		ahead_free(source->ahead);
	source->ahead = NULL;
}

void source_ahead_forget(struct source *source)
{
	struct source_ahead *ahead = source->ahead;

	if (!ahead)
		return;
	crew_forget(ahead->crew);
	ahead->shown = false;
	ahead->r = 1;
}

/* Reads on, a chunk at least where there is room, until the oldest one is done. */
static void ahead_read(struct source *source)
{
	struct source_ahead *ahead = source->ahead;
	struct source_job *job;

	if (ahead->r == -EAGAIN)
		ahead->r = 1;
	while (ahead->r == 1 && (job = crew_room(ahead->crew))) {
		ahead->r = source_read_next(source, job, crew_idle(ahead->crew));
		if (ahead->r == 1) {
			bool hole = job->chunk.zero;

			if (hole)
				ahead_work(&source->packer, job);
			crew_give(ahead->crew, hole);
		}
		if (crew_ready(ahead->crew))
			break;
	}
	if (ahead->r < 0 && source->why[0]) {
		memcpy(ahead->why, source->why, sizeof(ahead->why));
		source->why[0] = '\0';
	}
}

static int ahead_next(struct source *source, struct source_job **ret)
{
	struct source_ahead *ahead = source->ahead;

	if (ahead->shown)
		crew_release(ahead->crew);
	ahead_read(source);
	*ret = crew_wait(ahead->crew);
	ahead->shown = *ret != NULL;
	if (*ret)
		return (*ret)->r;
	int r = ahead->r;

	if (r < 0)
		memcpy(source->why, ahead->why, sizeof(source->why));
	if (r != -EAGAIN)
		source_ahead_free(source);
	return r;
}

int source_next_packed(struct source *source, struct source_chunk *ret)
{
	struct source_job *job = &source->job;
	int r;

	if (source->more) {
		source->more--;
		source->given.index++;
		source->next++;
		*ret = source->given;
		return 1;
	}
	/* What a dying disk can give is found out one chunk after the other. */
	if (source->threads > 1 && !source->ahead && !source->rescue)
		ahead_new(source);
	if (source->ahead) {
		r = ahead_next(source, &job);
	} else {
		r = source_read_next(source, job, true);
		if (r == 1)
			r = source_pack(&source->packer, job);
	}
	if (r != 1)
		return r;
	source_time_job(source, job);
	source->next++;
	source->given = job->chunk;
	source->more = job->more;
	*ret = job->chunk;
	return 1;
}
