/* SPDX-License-Identifier: GPL-2.0-or-later */
/* path: what is done to a path, as configfs wants it. */
#ifndef EXERCISE_PATH_H
#define EXERCISE_PATH_H

struct step;

void path_put(struct step *step);
void path_mkdir(struct step *step);
void path_rmdir(struct step *step);

#endif
