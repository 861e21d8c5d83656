/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of files in a folder of images, made of what a peer says of itself: anything. */
#ifndef FOLDER_NAME_H
#define FOLDER_NAME_H

#define FOLDER_NAME_PART 64  /* bytes of a host's or disk's name, at most */
#define FOLDER_NAME_MOST 160 /* of a file's name, its .part included */

/*
 * TEXT as a part of a file's name: other characters than [A-Za-z0-9._-] are '_', and so is a dot or
 * hyphen at its beginning; OTHERWISE where nothing is left.
 */
void folder_name_part(const char *text, const char *otherwise, char ret[FOLDER_NAME_PART + 1]);
/*
 * The same of the base name of PATH: "nvme0n1" of "/dev/nvme0n1", "disk" where there is none;
 * "stream" of "-", which is standard input.
 */
void folder_name_disk(const char *path, char ret[FOLDER_NAME_PART + 1]);
/* "HOST-DISK.zst", and "HOST-DISK-2.zst" where it is the second of that name. */
void folder_name_image(const char *host, const char *disk, unsigned int number,
		       char ret[FOLDER_NAME_MOST + 1]);

#endif
