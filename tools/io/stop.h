/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways in which a wait ends: the thing happened, a signal asked us to stop, time ran out. Every
 * wait of the programs goes through here or watches stop_fd itself, so that none can hang.
 */
#ifndef IO_STOP_H
#define IO_STOP_H

#include <stdbool.h>
#include <stdint.h>

#define STOP_SECOND 1000000000ll /* times are nanoseconds of CLOCK_MONOTONIC */
#define STOP_NEVER  INT64_MAX

/*
 * Blocks SIGINT, SIGTERM and SIGHUP (which then only show at the descriptor), and for good SIGPIPE
 * and SIGXFSZ, for which EPIPE and EFBIG say the same in a sentence. Call once, before any thread
 * is started. Returns 0 or -errno.
 */
int stop_install(void);
/* The descriptor to poll for input: readable for ever once a signal came. -1 before stop_install.
 */
int stop_fd(void);
/* The signal that asked us to stop, 0 as long as none did. */
int stop_signal(void);

/* Now, and now + DURATION (STOP_NEVER stays STOP_NEVER), in nanoseconds. */
int64_t stop_now(void);
int64_t stop_deadline(int64_t duration);

/*
 * Waits until one of EVENTS (poll(2)) holds for FD (-1: just wait), a stop signal came or DEADLINE
 * passed. Returns the events (> 0), -EINTR, -ETIMEDOUT or another -errno.
 */
int stop_poll(int fd, short events, int64_t deadline);

/* Whether a wait should tell what it waits for: called with a sentence, at once and when it
 * changes. */
struct stop_waiting {
	void (*tell)(void *arg, const char *sentence);
	void *arg;
};

#endif
