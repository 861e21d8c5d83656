/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rescue's map in a file, in the format of GNU ddrescue, so that either can carry on. */
#ifndef IO_MAPFILE_H
#define IO_MAPFILE_H

#include <stddef.h>
#include <stdint.h>

#include "io/rescue.h"

/*
 * The map in the file PATH for a disk of SIZE bytes with sectors of SECTOR; of a file that is not
 * there or is empty an untried one. Returns 0 and a map (rescue_map_free), or -errno with a
 * sentence in RET_WHY (LEN bytes).
 */
int mapfile_read(const char *path, uint64_t size, uint32_t sector, struct rescue_map **ret,
		 char *ret_why, size_t len);
/*
 * Writes MAP and STATE to PATH: to PATH.new first, which then takes its place. Returns 0 or -errno.
 */
int mapfile_write(const char *path, const struct rescue_map *map, const struct rescue_state *state);

#endif
