/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command: what commands are made of: numbers in, a one-line answer out. */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMMAND_ANSWER_MAX 16384u

/* A string that grows; what does not fit is cut off. */
struct command_answer {
	char *text; /* COMMAND_ANSWER_MAX bytes, the caller's */
	size_t len;
};

/* Adds to the answer. */
__attribute__((format(printf, 2, 3))) void command_say(struct command_answer *answer,
						       const char *format, ...);

/* Starts over with "error " and the sentence. */
__attribute__((format(printf, 2, 3))) void command_refuse(struct command_answer *answer,
							  const char *format, ...);

/* A decimal number, all of text; false if it is not one (NULL included). */
bool command_number(const char *text, uint64_t *ret_number);

/* The same below limit. */
bool command_index(const char *text, unsigned int limit, unsigned int *ret_index);

#endif
