/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether an image is whole: every byte of it is looked at, and every chunk decompressed and held
 * against its digest. In a file that has its trailer on all processors, else front to back.
 */
#ifndef IO_VERIFY_H
#define IO_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "codec/digest.h"
#include "io/view.h"

struct verify_options {
	unsigned int threads; /* 1 to MACHINE_THREADS_MOST; 0: one for every processor */
	/* Called by the caller's thread now and then: DONE of TOTAL bytes of the device (0: not
	 * known). May be NULL. */
	void (*tell)(void *arg, uint64_t done, uint64_t total);
	void *arg;
	json_t **manifest; /* NULL, or where a reference to that of an image that is right goes */
};

struct verify_result {
	uint64_t size, chunks; /* of the device: 0 until something says it */
	uint64_t file_size;    /* bytes; 0 for a pipe */
	struct digest root;    /* of what is right as a whole */
	char why[768];	       /* a sentence about what is wrong */
};

/*
 * Verifies the image in FD from the descriptor's place on to its end; a regular file with a trailer
 * as a whole. Returns 0 when everything is right, and otherwise a sentence in ret->why and -ENOMSG:
 * no image of ours; -ENODATA: not complete; -EBADMSG: damaged; -EPROTONOSUPPORT: of another
 *   version; -EINTR; or another -errno.
 */
int verify_file(int fd, const struct verify_options *options, struct verify_result *ret);

/* As verify_file, of what a view was opened on: nothing is read a second time. */
int verify_view(const struct view *view, const struct verify_options *options,
		struct verify_result *ret);

/* As verify_file, front to back. */
int verify_stream(int fd, const struct verify_options *options, struct verify_result *ret);

#endif
