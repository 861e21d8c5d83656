/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_fault: the commands that make, show and clear faults; args is cut up, and may be NULL. */
#ifndef CONTROL_FAULT_H
#define CONTROL_FAULT_H

#include "command.h"
#include "control.h"

/* KIND and fields, see control_execute()'s help. The answer is the rule's number, from 1. */
void control_fault_add(struct control *control, char *args, struct command_answer *answer);

/* rate, kinds and ms of the random faults, in place of those that were. */
void control_fault_random(struct control *control, char *args, struct command_answer *answer);

/* Every rule with how often it took effect. */
void control_fault_list(struct control *control, char *args, struct command_answer *answer);

void control_fault_clear(struct control *control, char *args, struct command_answer *answer);

#endif
