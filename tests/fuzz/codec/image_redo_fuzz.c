// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads INPUT as a REDO that ends a file, its length and hash made right, for a fuzzer finds none.
 * What was understood lies inside of it and before the limit, and is written again as the same
 * bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/bytes.h"
#include "codec/image_redo.h"

#define FUZZ_LIMIT 10000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_redo(const uint8_t *frame, size_t len)
{
	struct image_redo redo;
	uint8_t *buf = malloc(len);

	if (image_redo_get(frame, len, FUZZ_LIMIT, &redo) == 0) {
		for (uint32_t i = 0; i < redo.count; i++) {
			const struct image_redo_part *part = &redo.parts[i];

			if (part->bytes < frame || part->bytes + part->len > frame + len ||
			    part->at + part->len > FUZZ_LIMIT)
				abort();
		}
		if (image_redo_put(&redo, buf, len) != (int)len || memcmp(buf, frame, len) != 0)
			abort();
	}
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	memcpy(copy, data, size);
	fuzz_redo(copy, size);
	if (size >= IMAGE_FRAME_HEADER + IMAGE_REDO_FOOTER) {
		bytes_put32(copy + 4, (uint32_t)(size - IMAGE_FRAME_HEADER));
		bytes_put64(copy + size - 16, size);
		bytes_put64(copy + size - 8, digest_stored(copy + 8, size - 16));
		fuzz_redo(copy, size);
	}
	free(copy);
	return 0;
}
