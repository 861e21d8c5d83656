/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pass: bytes that go between a file and the current one without passing through this program. */
#ifndef EXERCISE_PASS_H
#define EXERCISE_PASS_H

struct step;

void pass_sendfile_from(struct step *step);
void pass_sendfile_to(struct step *step);
void pass_splice_from(struct step *step);
void pass_splice_to(struct step *step);

#endif
