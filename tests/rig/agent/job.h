/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RIG_AGENT_JOB_H
#define RIG_AGENT_JOB_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define JOBS_MAX 32
/* Places in a poll() array that the jobs take. */
#define JOB_FDS (3 * JOBS_MAX)

/* Starts /bin/sh -c command in a session of its own, on pipes or on a new terminal. What it prints
 * and how it ends are sent to the rig under that id. -1: too many, or the id is in use. */
int job_start(unsigned id, bool pty, const char *command);

/* Data for its standard input, copied. All three: 0 also for a job that has already ended, since
 * whoever asks cannot know; -1 where the data come after the end of input. */
int job_input(unsigned id, const char *data, size_t size);
int job_input_end(unsigned id);
int job_kill(unsigned id, int signal);

/* The fds to wait for, and what to do with those that poll() has found. */
void job_poll_add(struct pollfd fds[JOB_FDS]);
void job_poll_handle(const struct pollfd fds[JOB_FDS]);

/* Reaps every child that has ended, orphans that process 1 inherits included. */
void job_reap(void);

#endif
