/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a transfer's state reads, for people and for programs. Pure. For progress.c only. */
#ifndef UI_PROGRESS_TEXT_H
#define UI_PROGRESS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRESS_TEXT_MOST 512

struct progress_state {
	const char *what;	      /* printable */
	uint64_t done, total, stored; /* bytes; total and stored: 0 where not known */
	uint64_t rate;		      /* bytes a second */
	int64_t remaining;	      /* seconds, -1 where not known */
	int64_t elapsed;	      /* nanoseconds */
	bool ended;
	int level; /* of compression, -1: not to be shown */
};

/*
 * "backup  42.3 %  1.2 GiB of 2.9 GiB  310 MB/s  0:05 left", or at the end how long it took, in at
 * most WIDTH columns: the least important goes first. 100 % is only said of what is whole.
 */
void progress_text_human(const struct progress_state *state, size_t width,
			 char ret[PROGRESS_TEXT_MOST]);

/* One JSON object, see progress.h. */
void progress_text_json(const struct progress_state *state, char ret[PROGRESS_TEXT_MOST]);

#endif
