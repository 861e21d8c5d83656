/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A place in an image, as `tbstream ls` and `tbstream cp` are told it: IMAGE[:PART[:/path]]. */
#ifndef PLACE_H
#define PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "files/files.h"

enum place_part {
	PLACE_NONE,	 /* no PART was given */
	PLACE_DISK,	 /* "disk" or nothing between the colons: a file system on the whole disk */
	PLACE_PARTITION, /* by its number */
};

struct place {
	char *image; /* the place's own */
	enum place_part part;
	uint64_t number;  /* of the partition */
	const char *path; /* "/" where none was given; borrowed from the text */
};

/*
 * Splits TEXT at its first two colons. An image's own path can have some too: the colon that counts
 * is the first one behind which a PART follows and before which a file EXISTS, and a file that has
 * all of TEXT for its name is taken whole. Where none exists, it is the first one behind which a
 * PART follows. Returns 0; -EINVAL when a file exists, but what follows is no PART (ret->image is
 * set); or -ENOMEM.
 */
int place_split(const char *text, bool (*exists)(const char *path), struct place *ret);
void place_clear(struct place *place);

/* What is open of it. */
struct place_files {
	int fd;
	struct view *view;
	struct view_device *device;
	struct files *files;
};

/*
 * Splits TEXT and opens its image. Returns -1, or the exit code to end with, after a sentence;
 * place_close in both cases.
 */
int place_open(const char *text, struct place *ret, struct place_files *ret_files);
/* Opens the file system of PLACE, likewise. */
int place_open_files(const struct place *place, struct place_files *files);
void place_close(struct place *place, struct place_files *files);

#endif
