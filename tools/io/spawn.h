/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other programs, run by their path and an argument vector: no shell reads anything. */
#ifndef IO_SPAWN_H
#define IO_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The path of program NAME, from PATH, then from the folders that a user's PATH may lack. Returns
 * 0, -ENOENT or -ENAMETOOLONG.
 */
int spawn_find(const char *name, char *ret, size_t len);

struct spawn {
	const char *const *argv; /* argv[0] is the path; ends with NULL */
	int output;		 /* for its standard output and error; -1: nowhere */
	bool apart;		 /* a session of its own: it stays when we end */
	uint64_t file_most;	 /* bytes that a file it writes can have; 0: any */
};

/* Starts it, with no other descriptor and with signals as any program expects them. 0 or -errno. */
int spawn_start(const struct spawn *spawn, pid_t *ret);

/*
 * Waits for the end of child PID, no longer than DEADLINE, and where it is STOPPABLE not after a
 * signal asked us to stop. Returns its exit code (128 + N for signal N); -ETIMEDOUT or -EINTR when
 * it has not ended; or -errno.
 */
int spawn_wait(pid_t pid, int64_t deadline, bool stoppable);

/* Ends child PID, and what one that is apart has started: TERM, a second later KILL. */
void spawn_kill(pid_t pid);

/*
 * Runs it (output is not looked at), and puts the beginning of what it said into TEXT, without the
 * last newline. One that takes too long is ended. Returns as spawn_wait.
 */
int spawn_run(const char *const *argv, int64_t deadline, bool stoppable, char *text, size_t len);

#endif
