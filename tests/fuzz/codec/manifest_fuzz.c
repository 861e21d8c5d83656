// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads INPUT as a manifest; what was taken is written, read and written again: it stays the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_again(const json_t *manifest)
{
	json_t *read;
	char *first, *second;
	size_t first_len, second_len;

	if (manifest_format(manifest, &first, &first_len) != 0 ||
	    manifest_parse(first, first_len, &read) != 0)
		abort();
	if (manifest_format(read, &second, &second_len) != 0)
		abort();
	if (first_len != second_len || memcmp(first, second, first_len) != 0)
		abort();
	free(second);
	json_decref(read);
	free(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct image_head head = {.transfer_id = {1}, .map = {4096, 4096}};
	static const struct manifest_end end = {
		.head = &head, .size = 4096, .chunks = 1, .frames = 5};
	json_t *manifest;

	if (manifest_parse((const char *)data, size, &manifest) != 0)
		return 0;
	fuzz_again(manifest);
	if (!manifest_string(manifest, "source.model") || !manifest_string(manifest, "a.b.c"))
		abort();
	manifest_check(manifest, &end);
	if (manifest_finish(manifest, &end) != 0 || manifest_check(manifest, &end) != 0)
		abort();
	fuzz_again(manifest);
	json_decref(manifest);
	return 0;
}
