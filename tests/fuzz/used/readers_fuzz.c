// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Takes INPUT for a file system, with zeros behind it, and reads what of it is free. The first byte
 * says by which reader.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "used/used_kinds.h"

#define FUZZ_AREA (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int (*const readers[])(const struct probe_area *area, struct spare *spare,
			      const char **ret_doubt) = {
	used_ext, used_fat, used_exfat, used_swap, used_lvm, used_ntfs, used_btrfs, used_xfs,
};

struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

static int fuzz_read(void *from, uint64_t offset, void *buf, size_t len)
{
	const struct fuzz_input *input = from;
	size_t there = offset < input->size ? MIN(len, input->size - offset) : 0;

	if (offset > FUZZ_AREA || len > FUZZ_AREA - offset)
		abort();
	memcpy(buf, input->data + MIN(offset, input->size), there);
	memset((uint8_t *)buf + there, 0, len - there);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {.data = data + 1, .size = size - 1};
	const struct probe_area area = {.read = fuzz_read, .from = &input, .size = FUZZ_AREA};
	struct spare *spare = spare_new(FUZZ_AREA);
	struct spare_range range = {0};
	const char *doubt = NULL;

	if (size == 0 || !spare) {
		spare_free(spare);
		return 0;
	}
	int r = readers[data[0] % (sizeof(readers) / sizeof(readers[0]))](&area, spare, &doubt);

	/* Who doubts says why, but where spare_add or spare_finish did. */
	if (r == 0)
		r = spare_finish(spare);
	while (r == 0 && spare_next(spare, range.end, &range)) {
		if (range.end > FUZZ_AREA || range.end - range.start < SPARE_LEAST)
			abort();
	}
	spare_free(spare);
	return 0;
}
