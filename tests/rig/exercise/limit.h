/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limit: the end of steps that last too long, and signals as a program sees them. */
#ifndef EXERCISE_LIMIT_H
#define EXERCISE_LIMIT_H

#include <stdbool.h>

/* Handlers for SIGPIPE, which is counted, and SIGUSR1, which only interrupts. */
void limit_setup(void);

/* From now on, until limit_stop(), system calls of this thread are interrupted once ms are over. */
void limit_start(long ms);
void limit_stop(void);

/* Whether they are over. */
bool limit_over(void);

/* This is a new process: it has no timer yet. */
void limit_forget(void);

/* SIGPIPEs that this thread has got. */
int limit_sigpipes(void);

/* Sends this process a signal after ms. -1: errno. */
int limit_signal(long ms, int signal);

#endif
