/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A shell over the cable: one side serves a program, the other attaches to it. Both run a loop over
 * their descriptors and a link, in which nothing waits but poll(2). What comes from the far end
 * goes to the terminal as it is: it is a session on that machine, with all that it may do there.
 */
#ifndef SHELL_SHELL_H
#define SHELL_SHELL_H

#include <stdbool.h>
#include <stddef.h>

#include "io/link.h"

struct shell_serve {
	char *const *argv;	  /* what is served */
	void (*begun)(void *arg); /* called when somebody has it */
	void *arg;
};
/*
 * Serves a program to who has attached to LINK, until either ends; what is left of it is ended. The
 * link is then good for link_renew and link_close only. Returns 0 when the other side took leave or
 * has the exit code, or -errno with a sentence in RET_WHY: the link's fate, or that it cannot be
 * started.
 */
int shell_serve(struct link *link, const struct shell_serve *given, char *ret_why, size_t len);

struct shell_attach {
	bool terminal;		  /* standard input is one, and becomes raw */
	void (*begun)(void *arg); /* called when the shell runs, before that */
	void *arg;
	bool began;    /* out: it did; else nothing was read, and another link may go better */
	bool detached; /* out: the user left */
	int code;      /* out: else the shell's exit code */
};
/*
 * Starts the shell that LINK offers and joins it to standard input and output, until either ends.
 * SIGWINCH and SIGCONT must be blocked since before LINK was opened. Returns 0, or -errno with a
 * sentence in RET_WHY; the terminal is as before.
 */
int shell_attach(struct link *link, struct shell_attach *attach, char *ret_why, size_t len);

#endif
