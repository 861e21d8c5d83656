/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: what came of a step, on one line that is out at once. */
#ifndef EXERCISE_REPORT_H
#define EXERCISE_REPORT_H

#include <stdint.h>

#define RESULT_MORE_MAX 256

struct result {
	int64_t value;
	const char *text; /* instead of the value */
	int error;	  /* errno, 0 */
	char more[RESULT_MORE_MAX];
};

/* Adds " NAME=VALUE". */
__attribute__((format(printf, 2, 3))) void result_add(struct result *result, const char *format,
						      ...);

/* Milliseconds, from some time on. */
double report_clock(void);

/* NUMBER STEP result=N error=NAME ms=N.N [NAME=VALUE...]; error is - for none, and TIMEOUT where
 * the limit of the step ended it. */
void report(int number, const char *step, const struct result *result, double ms);

/* The command line is wrong: says what would be right and ends the program. */
_Noreturn void report_usage(const char *synopsis);

#endif
