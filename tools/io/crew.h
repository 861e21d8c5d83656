/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that work on jobs, which come back in the order in which they were given. What a job is
 * about is decided by one thread, the crew's owner, that makes every call here; the crew only does
 * what needs nothing but the job and the worker's own tool.
 */
#ifndef IO_CREW_H
#define IO_CREW_H

#include <stdbool.h>
#include <stddef.h>

#define CREW_JOBS 2u /* for each thread: one that is worked on, and one that waits */

struct crew;

/* The jobs and the tools are the owner's, COUNT and one a thread, and outlive the crew. */
struct crew_plan {
	void (*work)(void *tool, void *job);
	void *jobs, *tools;
	size_t job_size, tool_size; /* bytes of one */
	unsigned int count, threads;
};

/* Starts the threads, or as many as there can be. Returns 0, -ENOMEM or -EAGAIN. */
int crew_new(const struct crew_plan *plan, struct crew **ret);
/* Ends them; what nobody has begun with is dropped. NULL is fine. */
void crew_free(struct crew *crew);

/* The job to give next, the same until it is given; NULL while all are. */
void *crew_room(const struct crew *crew);
/* Gives it; DONE: there is nothing to do, it only has its place among the others. */
void crew_give(struct crew *crew, bool done);
/* Whether no job is given. */
bool crew_idle(const struct crew *crew);
/* Whether the oldest of those that are given is done. */
bool crew_ready(struct crew *crew);
/* The oldest one, for which it waits until it is done; NULL when none is given. */
void *crew_wait(struct crew *crew);
/* The oldest one, which crew_wait has shown, can be given again. */
void crew_release(struct crew *crew);
/* All of them can, done or not. */
void crew_forget(struct crew *crew);

#endif
