/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a transfer is: one line that redraws itself on a terminal, a line now and then elsewhere,
 * or JSON lines. Counts what the other side has acknowledged, never what was merely sent.
 */
#ifndef UI_PROGRESS_H
#define UI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum progress_mode { PROGRESS_AUTO, PROGRESS_NONE, PROGRESS_HUMAN, PROGRESS_JSON };

struct progress; /* NULL is fine everywhere: nothing is shown */

/* Reads "auto", "none", "human" or "json". Returns 0 or -EINVAL. */
int progress_parse(const char *text, enum progress_mode *ret);

/*
 * Starts one for TOTAL bytes of the device. WHAT names the run ("/dev/nvme0n1"). AUTO is HUMAN on a
 * terminal and NONE elsewhere. JSON goes to stderr, one object a line:
 * {"event":"progress","done":…,"total":…,"stored":…,"rate":…,"remaining":…,"elapsed":…,
 * "level":…} (bytes, bytes a second, seconds; remaining is null as long as nobody can know, and
 * there is a level only where progress_level told one). A TOTAL of 0 is not
 * known, and not in the JSON. May return NULL.
 */
struct progress *progress_new(enum progress_mode mode, const char *what, uint64_t total);
/* DONE bytes were safe before this run began (a transfer taken up again): no rate counts them. */
void progress_resume(struct progress *progress, uint64_t done);
/*
 * DONE bytes of the device are safe at the receiver, STORED bytes is what they became so far (0:
 * unknown). Call as often as you like: it draws at most five times a second (JSON: once a second).
 */
void progress_update(struct progress *progress, uint64_t done, uint64_t stored);
/* LEVEL is how hard is compressed now: for JSON, and for people that asked for details. */
void progress_level(struct progress *progress, int level);
void progress_details(struct progress *progress);
/* Draws the last state, and ends the line. Frees it. */
void progress_end(struct progress *progress);

#endif
