/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file in which an image under a name grows, NAME.part: begun, or gone on with. All return 0 or
 * -errno with sink_why.
 */
#ifndef SINK_PART_H
#define SINK_PART_H

#include "sink/sink_kinds.h"

/* The folder that the image goes into (free), or NULL. */
char *sink_part_folder(const struct sink *sink);
/* Whether the name of SINK is free, or what stands under it can be gone on with. Writes nothing. */
int sink_part_check(struct sink *sink);
/*
 * Opens the part file, holds it against other programs, and sets the sink's descriptor and store.
 * Of what an earlier run left there everything is kept that can be, if it is of the disk that HEAD
 * tells of; the sink's HEAD and chunks are those of the file then.
 */
int sink_part_begin(struct sink *sink);
/* The image is whole: gives it its name. */
int sink_part_finish(struct sink *sink);

#endif
