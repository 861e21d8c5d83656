/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzzers of images in files share. */
#ifndef IO_FUZZ_H
#define IO_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "codec/image.h"
#include "io/out.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_require(int right)
{
	if (!right)
		abort();
}

static inline int fuzz_file(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("image", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET) || out_write(fd, data, size) < 0)
		abort();
	fuzz_require(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* HEAD's and the CHECKPOINTs' hashes, wherever such a frame may stand. */
static inline void fuzz_seal_frames(uint8_t *data, size_t size)
{
	for (size_t at = 0; at + IMAGE_FRAME_HEADER + IMAGE_TAG + 8 <= size; at++) {
		struct image_frame frame;

		if (image_frame_get(data + at, size - at, &frame) < 0 ||
		    frame.magic != IMAGE_MAGIC || frame.size < IMAGE_TAG + 8 ||
		    frame.size > size - at - IMAGE_FRAME_HEADER ||
		    (frame.kind != IMAGE_HEAD && frame.kind != IMAGE_CHECKPOINT))
			continue;
		uint8_t *body = data + at + IMAGE_FRAME_HEADER;
		uint64_t hash = digest_stored(body, frame.size - 8);

		for (int i = 0; i < 8; i++)
			body[frame.size - 8 + i] = (uint8_t)(hash >> (8 * i));
		at += IMAGE_FRAME_HEADER + frame.size - 1;
	}
}

#endif
