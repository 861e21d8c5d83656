/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shows what is in an image: to people, without control characters, or as a JSON object a line. */
#ifndef LIST_H
#define LIST_H

#include "options.h"
#include "look/place.h"

/* The partitions, by the manifest. Returns an exit code; so does the other. */
int list_partitions(const struct place *place, const struct view *view, bool json);
/* The folder or file at place->path. */
int list_files(const struct options *options, const struct place *place, struct files *files);

#endif
