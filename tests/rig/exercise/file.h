/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file: open files, and the system calls on them. */
#ifndef EXERCISE_FILE_H
#define EXERCISE_FILE_H

#include <stdint.h>

struct step;

/* Both offsets are the pattern's: what comes next each way. */
struct file {
	int fd; /* -1 */
	uint64_t written;
	uint64_t read;
};

/* One of the numbered places for an open file; NULL: there is none of that number. */
struct file *file_place(uint64_t number);

void file_open(struct step *step);
void file_close(struct step *step);
void file_fsync(struct step *step);
void file_poll(struct step *step);
void file_pattern(struct step *step);

#endif
