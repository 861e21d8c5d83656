// SPDX-License-Identifier: GPL-2.0-or-later
/* Takes INPUT for a disk, in an image, and reads everything that is in its file system. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../../unit/tools/files_image.h"
#include "files/files_seen.h"

#define FUZZ_DISK_MOST (4u << 20)
#define FUZZ_FILE_MOST (1u << 20) /* bytes read of one file */
#define FUZZ_WALK_MOST 1000u	  /* files looked at */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_walk {
	struct files *files;
	struct files_seen seen;
	unsigned int left, depth;
};

static void walk_file(struct fuzz_walk *walk, uint64_t id)
{
	static uint8_t buf[65536];
	uint64_t hole;
	int n = 1;

	for (uint64_t at = 0; n > 0 && at < FUZZ_FILE_MOST; at += n) {
		if (files_hole(walk->files, id, at, &hole) == 0 && hole)
			at += hole;
		n = files_read(walk->files, id, buf, sizeof(buf), at);
	}
	if (n < 0 && !files_why(walk->files)[0])
		abort();
}

static void walk_folder(struct fuzz_walk *walk, uint64_t id)
{
	char target[FILES_LINK_MOST];
	struct files_list list;
	struct files_stat stat;

	if (walk->depth == 32 || files_seen_add(&walk->seen, id) != 1)
		return;
	if (files_list(walk->files, id, &list) < 0)
		return;
	walk->depth++;
	for (size_t i = 0; i < list.count && walk->left; i++) {
		walk->left--;
		if (files_stat(walk->files, list.entries[i].id, &stat) < 0)
			continue;
		if (S_ISDIR(stat.mode))
			walk_folder(walk, list.entries[i].id);
		else if (S_ISREG(stat.mode))
			walk_file(walk, list.entries[i].id);
		else if (S_ISLNK(stat.mode))
			files_readlink(walk->files, list.entries[i].id, target);
	}
	walk->depth--;
	files_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_walk walk = {.left = FUZZ_WALK_MOST};
	struct files_image image;
	uint64_t id;

	if (size == 0 || size > FUZZ_DISK_MOST)
		return 0;
	if (files_image_open(&image, data, size) == 0) {
		walk.files = image.files;
		walk_folder(&walk, files_root(image.files));
		files_find(image.files, "/folder/link/../A LONG NAME.txt", true, &id);
	} else if (!files_why(image.files)[0]) {
		abort();
	}
	files_seen_free(&walk.seen);
	files_image_close(&image);
	return 0;
}
