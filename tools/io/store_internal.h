/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between store.c, which writes, and store_continue.c, which begins in the midst of an image. */
#ifndef IO_STORE_INTERNAL_H
#define IO_STORE_INTERNAL_H

#include "codec/pack.h"
#include "io/spool.h"
#include "io/store.h"

#define STORE_ENTRIES 2048 /* of the table, read back at once */

struct store {
	int fd;
	struct image_head head;
	char *identity;
	uint32_t gap; /* chunks between two CHECKPOINTs */
	uint64_t written;
	uint64_t size;	       /* of the device so far, bytes */
	uint64_t checkpointed; /* chunks */
	struct digest_state root;
	struct spool *spool;
	struct pack *pack;
	/* The frame of the last chunk of zeros, kept: most are alike, and come one by one. */
	uint8_t *zero_frame;
	uint32_t zero_length; /* of the chunk; UINT32_MAX: none was made */
	struct image_entry zero;
	uint8_t buf[STORE_ENTRIES * IMAGE_ENTRY];
};

/* A store of the image with HEAD that has no spool yet. Returns 0 or -errno. */
int store_make(int fd, const struct image_head *head, struct store **ret);

#endif
