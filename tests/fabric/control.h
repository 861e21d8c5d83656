/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control: the commands that a test gives to the fabric, one line each, and their one-line answers,
 * "ok ..." or "error SENTENCE". No sockets here.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "command.h"
#include "fabric.h"
#include "fault.h"

#define CONTROL_LINE_MAX 1024u

struct control {
	struct fabric *fabric;
	struct fault *fault;
};

/* Runs a command; line is cut up. The reply has no newline. */
void control_execute(struct control *control, char *line, char reply[COMMAND_ANSWER_MAX]);

#endif
