/* SPDX-License-Identifier: GPL-2.0-or-later */
/* step: a verb with its arguments, and what came of it. */
#ifndef EXERCISE_STEP_H
#define EXERCISE_STEP_H

#include <stdint.h>

#include "file.h"
#include "report.h"

#define STEP_ARGS_MAX 3

/* Threads take copies of what is current where they start. */
struct context {
	struct file *file;
	long limit; /* ms */
};

struct step {
	struct context *context;
	const char *synopsis;
	char *args[STEP_ARGS_MAX]; /* NULL where there are no more */
	struct result result;
};

/* Numbers of a step, with K, M or G behind them; a wrong one ends the program. Of an argument that
 * is not there: the default. */
uint64_t step_number(const struct step *step, int argument);
uint64_t step_number_or(const struct step *step, int argument, uint64_t value);

/* The argument; it must be there. */
const char *step_text(const struct step *step, int argument);

/* -1: errno is the step's error. */
void step_result(struct step *step, int64_t value);

#endif
