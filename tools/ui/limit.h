/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a transfer spent its time with, and so what limits it. Pure. */
#ifndef UI_LIMIT_H
#define UI_LIMIT_H

#include <stddef.h>
#include <stdint.h>

#define LIMIT_TEXT 128 /* bytes that suffice for five names */

struct limit {
	const char *name; /* "disk", "CPU", ... */
	int64_t time;	  /* nanoseconds; what is below 0 counts as 0 */
};

/*
 * "cable 71 %, CPU 22 %, disk 7 %": the largest first, without those that round to nothing. Sorts
 * the COUNT LIMITS. Returns RET, "" where there was no time.
 */
char *limit_text(struct limit *limits, size_t count, char ret[LIMIT_TEXT]);

#endif
