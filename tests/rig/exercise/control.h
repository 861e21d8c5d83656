/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control: the order in which steps are made, threads, processes and signals. */
#ifndef EXERCISE_CONTROL_H
#define EXERCISE_CONTROL_H

struct context;
struct step;

/* Makes the steps from FROM to before TO; the script is known to be sound. */
void control_run(struct context *context, char **steps, int from, int to);

/* main.c: one step that is no thread, child or end. */
void step_run(struct context *context, char **steps, int number);

void control_use(struct step *step);
void control_mark(struct step *step);
void control_wait(struct step *step);
void control_sleep(struct step *step);
void control_limit(struct step *step);
void control_signal(struct step *step);
void control_sigpipe(struct step *step);
void control_join(struct step *step);
void control_reap(struct step *step);

#endif
