// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several threads that unpack chunks. Only frames of chunks are read ahead: what else stands there,
 * and what is wrong with it, is seen when its turn has come.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/crew.h"
#include "io/disk.h"
#include "io/load_internal.h"

struct load_ahead {
	struct crew *crew;
	unsigned int count, threads;
	struct load_job *jobs; /* count */
	struct pack **packs;   /* threads */
	bool shown;	       /* the oldest job is the one that the caller has */
};

static void ahead_work(void *tool, void *arg)
{
	struct load_job *job = arg;

	job->r = load_unpack(*(struct pack **)tool, job);
}

void load_ahead_free(struct load *load)
{
	struct load_ahead *ahead = load->ahead;

	if (!ahead)
		return;
	crew_free(ahead->crew);
	for (unsigned int i = 0; ahead->jobs && i < ahead->count; i++) {
		free(ahead->jobs[i].copy);
		free(ahead->jobs[i].content);
	}
	for (unsigned int i = 0; ahead->packs && i < ahead->threads; i++)
		pack_free(ahead->packs[i]);
	free(ahead->jobs);
	free(ahead->packs);
	free(ahead);
	load->ahead = NULL;
}

static int ahead_setup(struct load_ahead *ahead, uint32_t chunk_size)
{
	int r = 0;

	ahead->jobs = calloc(ahead->count, sizeof(*ahead->jobs));
	ahead->packs = calloc(ahead->threads, sizeof(ahead->packs[0]));
	if (!ahead->jobs || !ahead->packs)
		return -ENOMEM;
	for (unsigned int i = 0; i < ahead->count; i++) {
		struct load_job *job = &ahead->jobs[i];

		job->copy = malloc(PACK_FRAME_MOST);
		job->content = aligned_alloc(DISK_ALIGN, chunk_size);
		if (!job->copy || !job->content)
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
static void ahead_new(struct load *load)
{
	load->ahead = calloc(1, sizeof(*load->ahead));
	if (load->ahead) {
		load->ahead->threads = load->threads;
		load->ahead->count = CREW_JOBS * load->threads;
		if (ahead_setup(load->ahead, load->head.map.chunk_size) < 0)
			load_ahead_free(load);
	}
	if (!load->ahead)
		load->threads = 1;
}

/* Returns 0, or something else when what is there is to be looked at in its turn. */
static int ahead_read(struct load *load, struct load_job *job)
{
	struct image_frame frame;
	const uint8_t *at;
	size_t len;
	int r = load_reader_peek(&load->reader, IMAGE_FRAME_HEADER + IMAGE_TAG, &at);

	if (r < 0 || image_frame_get(at, IMAGE_FRAME_HEADER + IMAGE_TAG, &frame) != -ENOMSG)
		return -ENOMSG;
	r = load_reader_frame(&load->reader, &at, &len);
	if (r == 0)
		r = load_job_start(load, job, at, len);
	if (r < 0)
		return r;
	memcpy(job->copy, at, len);
	job->chunk.frame = job->copy;
	load_reader_take(&load->reader, len);
	return 0;
}

struct load_job *load_ahead_next(struct load *load)
{
	struct load_job *job;

	if (load->threads > 1 && !load->ahead)
		ahead_new(load);
	struct load_ahead *ahead = load->ahead;
	if (!ahead)
		return NULL;
	if (ahead->shown)
		crew_release(ahead->crew);
	while ((job = crew_room(ahead->crew)) && ahead_read(load, job) == 0) {
		crew_give(ahead->crew, false);
		if (crew_ready(ahead->crew))
			break;
	}
	job = crew_wait(ahead->crew);
	ahead->shown = job != NULL;
	return job;
}
