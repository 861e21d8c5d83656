/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder that takes the images of one run: what they are called, and the index HOST.json of those
 * that are whole. sink_folder.c puts them there.
 */
#ifndef FOLDER_H
#define FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "codec/image.h"

struct folder;

/* Whether `-o PATH` means a folder: it ends with '/', or is one. */
bool folder_meant(const char *path);
/*
 * PATH as the folder, which need not exist as long as it can be made; FORCE to overwrite what is
 * there. Writes nothing. Returns 0 or -errno with a sentence in RET_WHY (LEN bytes).
 */
int folder_open(const char *path, bool force, struct folder **ret, char *ret_why, size_t len);
void folder_close(struct folder *folder); /* NULL is fine */
/* Without the slash at its end. */
const char *folder_path(const struct folder *folder);

/*
 * The next image: its path, from the MANIFEST that is offered and the IDENTITY in HEAD. Writes
 * nothing, and refuses an index that is there from an earlier run. Returns 0 and a path (free), or
 * -errno with a sentence.
 */
int folder_choose(struct folder *folder, const json_t *manifest, const json_t *identity, char **ret,
		  char *ret_why, size_t len);
/* Makes the folder where it is missing. Returns 1 when it did, 0, or -errno with a sentence. */
int folder_make(struct folder *folder, char *ret_why, size_t len);
/* Takes back what folder_make did, while the folder is empty. */
void folder_unmake(struct folder *folder);

/* The image PATH of folder_choose is whole, MANIFEST its own: what the index says of it. */
struct folder_image {
	const char *path;
	const json_t *manifest, *identity;
	uint64_t stored; /* of the file, bytes */
};
/* Writes the index anew and syncs it. Returns 0, -EINTR or -errno with a sentence. */
int folder_add(struct folder *folder, const struct folder_image *image, char *ret_why, size_t len);

#endif
