/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of copy: copy.c (where it goes), copy_tree.c (folders), copy_file.c (files). */
#ifndef COPY_INTERNAL_H
#define COPY_INTERNAL_H

#include "look/copy.h"
#include "files/files_seen.h"

#define COPY_BUFFER (1u << 20)
#define COPY_BLOCK  4096u /* zeros of that length, in line, become a hole */
#define COPY_TEMP   40	  /* bytes of a temporary name */

struct copy {
	struct files *files;
	struct copy_options options;
	struct copy_result result;
	struct files_seen seen;
	char *path; /* in the image, of what is being copied: for sentences */
	size_t path_len, path_room;
	unsigned int depth;
	uint32_t umask;
	uint8_t *buf; /* COPY_BUFFER bytes */
};

/*
 * These return 0 to go on with the next file, also after a failure of this one, which was told and
 * counted; or -errno, told too, when going on is of no use.
 */
int copy_node(struct copy *copy, int folder, const char *name, uint64_t id);
int copy_children(struct copy *copy, int folder, uint64_t id);
int copy_file(struct copy *copy, int folder, const char *name, uint64_t id,
	      const struct files_stat *stat);
int copy_link(struct copy *copy, int folder, const char *name, uint64_t id,
	      const struct files_stat *stat);
int copy_stream(struct copy *copy, uint64_t id, const struct files_stat *stat, int fd);

/* The image or its file system does not give the file. Returns 0, or R where it has to end. */
int copy_source_failed(struct copy *copy, int r);
/* NAME cannot be written: errno R. Likewise. */
int copy_target_failed(struct copy *copy, const char *name, int r);
/* Owner, permissions and times of what is open as FD. Returns 0 or -errno. */
int copy_attributes(const struct copy *copy, int fd, const struct files_stat *stat);
/* Gives the file TEMP in FOLDER its name, which must be free unless forced. Returns 0 or -errno. */
int copy_rename(const struct copy *copy, int folder, const char *temp, const char *name);
void copy_temp_name(char ret[COPY_TEMP]);

#endif
