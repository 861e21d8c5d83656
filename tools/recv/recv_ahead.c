// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chunks that are unpacked and checked here: one after the other, or by several threads at once.
 * Only DATA is taken ahead: any other record waits until what came before it is in the sink, and so
 * does what is wrong with the link.
 */
#include <errno.h>
#include <stdlib.h>

#include "io/crew.h"
#include "io/disk.h"
#include "recv/recv_internal.h"

struct recv_ahead {
	struct crew *crew;
	unsigned int count, threads;
	struct recv_job *jobs;	   /* count */
	struct pack **packs;	   /* threads */
	struct link_record *other; /* behind all that the crew has; NULL: none was read */
	bool shown;		   /* the oldest job is the one that the caller has */
};

static void ahead_work(void *tool, void *job)
{
	recv_unpack(*(struct pack **)tool, job);
}

static void job_drop(struct recv_job *job)
{
	free(job->record);
	job->record = NULL;
}

void recv_ahead_free(struct recv *recv)
{
	struct recv_ahead *ahead = recv->ahead;

	job_drop(&recv->job);
	if (!ahead)
		return;
	crew_free(ahead->crew);
	for (unsigned int i = 0; ahead->jobs && i < ahead->count; i++) {
		job_drop(&ahead->jobs[i]);
		free(ahead->jobs[i].content);
	}
	for (unsigned int i = 0; ahead->packs && i < ahead->threads; i++)
		pack_free(ahead->packs[i]);
	free(ahead->jobs);
	free(ahead->packs);
	free(ahead->other);
	free(ahead);
	recv->ahead = NULL;
}

static int ahead_setup(struct recv_ahead *ahead)
{
	int r = 0;

	ahead->jobs = calloc(ahead->count, sizeof(*ahead->jobs));
	ahead->packs = calloc(ahead->threads, sizeof(ahead->packs[0]));
	if (!ahead->jobs || !ahead->packs)
		return -ENOMEM;
	for (unsigned int i = 0; i < ahead->count; i++) {
		ahead->jobs[i].content = aligned_alloc(DISK_ALIGN, CHUNK_SIZE_MOST);
		if (!ahead->jobs[i].content)
			return -ENOMEM;
	}
	for (unsigned int i = 0; r == 0 && i < ahead->threads; i++)
		r = pack_new(PACK_LEVEL_DEFAULT, &ahead->packs[i]);
	const struct crew_plan plan = {
		.work = ahead_work,
		.jobs = ahead->jobs,
		.tools = ahead->packs,
		.job_size = sizeof(*ahead->jobs),
		.tool_size = sizeof(ahead->packs[0]),
		.count = ahead->count,
		.threads = ahead->threads,
	};
	return r < 0 ? r : crew_new(&plan, &ahead->crew);
}

/* Where there is no room for it one after the other has to do. */
static void ahead_new(struct recv *recv)
{
	recv->ahead = calloc(1, sizeof(*recv->ahead));
	if (recv->ahead) {
		recv->ahead->threads = recv->threads;
		recv->ahead->count = CREW_JOBS * recv->threads;
		if (ahead_setup(recv->ahead) < 0)
			recv_ahead_free(recv);
	}
	if (!recv->ahead)
		recv->threads = 1;
}

static void job_start(struct recv *recv, struct recv_job *job, struct link_record *record)
{
	job->record = record;
	job->map = &recv->head.map;
}

/* Takes records that are there, and waits for one only where the crew has nothing. */
static int ahead_read(struct recv *recv)
{
	struct recv_ahead *ahead = recv->ahead;
	struct recv_job *job;

	while (!ahead->other && (job = crew_room(ahead->crew))) {
		struct link_record *record;
		bool idle = crew_idle(ahead->crew);

		if (!idle && !link_ready(recv->link))
			return 0;
		int r = idle ? recv_next_chunk(recv, &record) : link_get(recv->link, 0, &record);
		if (r < 0)
			/* The link says it again when its turn has come. */
			return idle ? r : 0;
		if (record->type != WIRE_TYPE_DATA) {
			ahead->other = record;
			return 0;
		}
		job_start(recv, job, record);
		crew_give(ahead->crew, false);
		if (crew_ready(ahead->crew))
			return 0;
	}
	return 0;
}

static int ahead_next(struct recv *recv, struct link_record **ret, struct recv_job **ret_job)
{
	struct recv_ahead *ahead = recv->ahead;

	if (ahead->shown) {
		job_drop(crew_wait(ahead->crew));
		crew_release(ahead->crew);
	}
	ahead->shown = false;
	int r = ahead_read(recv);
	if (r < 0)
		return r;
	*ret_job = crew_wait(ahead->crew);
	ahead->shown = *ret_job != NULL;
	if (*ret_job)
		return 0;
	*ret = ahead->other;
	ahead->other = NULL;
	return 0;
}

int recv_ahead_next(struct recv *recv, struct link_record **ret, struct recv_job **ret_job)
{
	struct link_record *record;

	if (recv->threads > 1 && !recv->ahead)
		ahead_new(recv);
	if (recv->ahead)
		return ahead_next(recv, ret, ret_job);
	job_drop(&recv->job);
	int r = recv_next_chunk(recv, &record);
	if (r < 0)
		return r;
	if (record->type != WIRE_TYPE_DATA) {
		*ret = record;
		return 0;
	}
	job_start(recv, &recv->job, record);
	recv_unpack(recv->pack, &recv->job);
	*ret_job = &recv->job;
	return 0;
}
