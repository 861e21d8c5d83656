/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies files out of an image. Nothing is ever written outside the folder that the user named: all
 * names are taken from a folder that is open, no symlink is followed, and a name that leads
 * elsewhere is refused. A file appears under its name when it is whole. Whatever goes wrong is
 * told.
 */
#ifndef COPY_H
#define COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "files/files.h"

struct copy_options {
	bool recursive, force;
};

struct copy_result {
	uint64_t files, folders, links, bytes; /* bytes: of the files, holes counted */
	uint64_t skipped;		       /* devices, sockets and such */
	uint64_t failed;     /* refused or damaged; nothing stands under the name */
	uint64_t unreadable; /* files with zeros for what the source's disk could not read */
};

/*
 * Copies file ID of FILES, whose path in the image is PATH, to DEST: a folder that is there, or the
 * name that it shall have. What is under a folder is copied too if options->recursive. Returns 0
 * when it went to the end, though some of it may have failed, or -errno.
 */
int copy_to(struct files *files, uint64_t id, const char *path, const char *dest,
	    const struct copy_options *options, struct copy_result *ret);
/* Writes its bytes to standard output. */
int copy_to_stdout(struct files *files, uint64_t id, const char *path, struct copy_result *ret);

#endif
