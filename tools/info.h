/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between tbstream_info.c, which reads an image, and info_text.c, which shows it to people. */
#ifndef INFO_H
#define INFO_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct info {
	const char *path;
	bool complete, verbose;
	json_t *manifest;   /* or what of it HEAD knows */
	uint64_t size;	    /* of the device, bytes */
	uint64_t file_size; /* bytes */
};

/* Prints all of it to standard output, without control characters. */
void info_print_text(const struct info *info);

#endif
