// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/crew.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

/* Jobs are counted; job N stands at N % count. first <= taken <= given <= first + count. */
struct crew {
	struct crew_plan plan;
	pthread_mutex_t lock;
	pthread_cond_t work, change; /* there is a job, or the end; one is done */
	/* Under lock; first and given are written by the owner alone. */
	uint64_t first; /* those below were released */
	uint64_t taken; /* those below were begun with, or needed it not */
	uint64_t given;
	unsigned int busy; /* threads that have one */
	bool quit;
	bool *done;
	unsigned int threads; /* that run */
	pthread_t ids[];
};

/* What one thread starts with. */
struct crew_hand {
	struct crew *crew;
	void *tool;
};

static void *crew_job(const struct crew *crew, uint64_t number)
{
	return (char *)crew->plan.jobs + number % crew->plan.count * crew->plan.job_size;
}

/* Whether there is a job for a thread, which crew->taken then is. Lock held. */
static bool crew_has_work(struct crew *crew)
{
	while (crew->taken < crew->given && crew->done[crew->taken % crew->plan.count])
		crew->taken++;
	return crew->taken < crew->given;
}

static void *crew_thread(void *arg)
{
	struct crew_hand hand = *(struct crew_hand *)arg;
	struct crew *crew = hand.crew;

	free(arg);
	pthread_mutex_lock(&crew->lock);
	for (;;) {
		while (!crew->quit && !crew_has_work(crew))
			pthread_cond_wait(&crew->work, &crew->lock);
		if (crew->quit)
			break;
		uint64_t number = crew->taken++;

		crew->busy++;
		pthread_mutex_unlock(&crew->lock);
		crew->plan.work(hand.tool, crew_job(crew, number));
		pthread_mutex_lock(&crew->lock);
		crew->busy--;
		crew->done[number % crew->plan.count] = true;
		pthread_cond_signal(&crew->change);
	}
	pthread_mutex_unlock(&crew->lock);
	return NULL;
}

static int crew_start(struct crew *crew)
{
	struct crew_hand *hand = malloc(sizeof(*hand));

	if (!hand)
		return -ENOMEM;
	*hand = (struct crew_hand){crew,
				   (char *)crew->plan.tools + crew->threads * crew->plan.tool_size};
	int err = pthread_create(&crew->ids[crew->threads], NULL, crew_thread, hand);

	if (err)
		free(hand);
	else
		crew->threads++;
	return -err;
}

int crew_new(const struct crew_plan *plan, struct crew **ret)
{
	struct crew *crew = calloc(1, sizeof(*crew) + plan->threads * sizeof(crew->ids[0]));
	int r = 0;

	if (!crew)
		return -ENOMEM;
	crew->plan = *plan;
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->work, NULL);
	pthread_cond_init(&crew->change, NULL);
	crew->done = calloc(plan->count, sizeof(crew->done[0]));
	if (!crew->done)
		r = -ENOMEM;
	while (r == 0 && crew->threads < plan->threads)
		r = crew_start(crew);
	if (!crew->threads) {
		crew_free(crew);
		return r;
	}
	*ret = crew;
	return 0;
}

void crew_free(struct crew *crew)
{
	if (!crew)
		return;
	pthread_mutex_lock(&crew->lock);
	crew->quit = true;
	pthread_cond_broadcast(&crew->work);
	pthread_mutex_unlock(&crew->lock);
	for (unsigned int i = 0; i < crew->threads; i++)
		pthread_join(crew->ids[i], NULL);
	pthread_cond_destroy(&crew->change);
	pthread_cond_destroy(&crew->work);
	pthread_mutex_destroy(&crew->lock);
	free(crew->done);
	free(crew);
}

void *crew_room(const struct crew *crew)
{
	return crew->given - crew->first < crew->plan.count ? crew_job(crew, crew->given) : NULL;
}

void crew_give(struct crew *crew, bool done)
{
	pthread_mutex_lock(&crew->lock);
	crew->done[crew->given++ % crew->plan.count] = done;
	if (!done)
		pthread_cond_signal(&crew->work);
	pthread_mutex_unlock(&crew->lock);
}

bool crew_idle(const struct crew *crew)
{
	return crew->first == crew->given;
}

/* Lock held. */
static bool crew_first_done(const struct crew *crew)
{
	return !crew_idle(crew) && crew->done[crew->first % crew->plan.count];
}

bool crew_ready(struct crew *crew)
{
	pthread_mutex_lock(&crew->lock);
	bool ready = crew_first_done(crew);

	pthread_mutex_unlock(&crew->lock);
	return ready;
}

void *crew_wait(struct crew *crew)
{
	if (crew_idle(crew))
		return NULL;
	pthread_mutex_lock(&crew->lock);
	while (!crew_first_done(crew))
		pthread_cond_wait(&crew->change, &crew->lock);
	pthread_mutex_unlock(&crew->lock);
	return crew_job(crew, crew->first);
}

void crew_release(struct crew *crew)
{
	pthread_mutex_lock(&crew->lock);
	crew->first++;
	if (crew->taken < crew->first)
		crew->taken = crew->first;
	pthread_mutex_unlock(&crew->lock);
}

void crew_forget(struct crew *crew)
{
	pthread_mutex_lock(&crew->lock);
	crew->taken = crew->given;
	while (crew->busy)
		pthread_cond_wait(&crew->change, &crew->lock);
	crew->first = crew->given;
	pthread_mutex_unlock(&crew->lock);
}
