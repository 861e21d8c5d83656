/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program that is served, usually a shell, on a terminal of its own or on pipes. */
#ifndef SHELL_CHILD_H
#define SHELL_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "codec/wire_shell.h"

struct child {
	pid_t pid;   /* and that of its session; 0: none */
	int ended;   /* pidfd: readable once it has */
	int in, out; /* to and from it, non-blocking; the same for a terminal; -1: closed */
	bool terminal;
};

/* Starts ARGV (a path, or a name to be found in PATH). Returns 0 or -errno. */
int child_open(struct child *child, char *const *argv, const struct wire_shell *shell);
void child_resize(struct child *child, const struct wire_window *window);
/* No more input comes. A terminal has no such end. */
void child_input_end(struct child *child);
/* Its exit code once it has ended (128 + N for signal N), -EAGAIN before. */
int child_code(struct child *child);
/* Closes what leads to it, which ends it if need be: SIGHUP, two seconds later SIGKILL. */
void child_close(struct child *child);

#endif
