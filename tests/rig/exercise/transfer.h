/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transfer: reading and writing, in one call or in many. All say in how many calls, how many of
 * those wrote less than they were given (short=), how long the longest took (longest=ms); readers
 * say where the first wrong byte stood (wrong=, -1 for none; from= is where what stood there is
 * from) and how it ended (end=eof, error, enough).
 */
#ifndef EXERCISE_TRANSFER_H
#define EXERCISE_TRANSFER_H

struct step;

void transfer_write(struct step *step);
void transfer_writeonce(struct step *step);
void transfer_fill(struct step *step);
void transfer_pump(struct step *step);
void transfer_read(struct step *step);
void transfer_readonce(struct step *step);
void transfer_drain(struct step *step);

/* From and to a page that comes only after a while. */
void transfer_slowwrite(struct step *step);
void transfer_slowread(struct step *step);

#endif
