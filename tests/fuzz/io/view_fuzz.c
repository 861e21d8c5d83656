// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads INPUT as an image in a file: by its end, every chunk of it, by verify as a whole, and front
 * to back. What one way accepts has to be what the others read; the sums of INPUT are made right
 * first, for a fuzzer finds no hash.
 */
#include <errno.h>
#include <stdint.h>

#include "io_fuzz.h"

#include "codec/manifest_table.h"
#include "io/trailer.h"
#include "io/verify.h"
#include "io/view.h"

#define FUZZ_CHUNKS 64u /* looked at: a table may tell of millions that one frame backs */

/* The trailer's digest. */
static void fuzz_seal_trailer(uint8_t *data, size_t size)
{
	struct digest_state state;
	struct trailer trailer;
	struct digest digest;

	if (trailer_find(fuzz_file(data, size), size, &trailer) < 0)
		return;
	uint8_t *at = data + trailer.seek - IMAGE_SUM_FRAME + IMAGE_SUM_DIGEST;

	memset(at, 0, DIGEST_SIZE);
	digest_start(&state);
	digest_update(&state, data + trailer.table, size - trailer.table);
	digest_read(&state, &digest);
	memcpy(at, digest.bytes, DIGEST_SIZE);
}

static void fuzz_manifest(const struct view *view)
{
	const struct image_head *head = view_head(view);
	json_t *manifest = view_manifest(view);
	struct manifest_partition partition;
	uint64_t offset, length;
	char where[64];

	for (size_t i = 0; i < manifest_partition_count(manifest); i++)
		manifest_partition_get(manifest, i, &partition);
	for (size_t i = 0; i < manifest_range_count(manifest, "unallocated"); i++)
		manifest_range_get(manifest, "unallocated", i, &offset, &length);
	manifest_where(manifest, 0, head->map.size, where, sizeof(where));
	fuzz_require(strlen(where) < sizeof(where));
}

/* Returns whether every chunk that was looked at is right. */
static int fuzz_chunks(const struct view *view)
{
	const struct chunk_map *map = &view_head(view)->map;
	uint64_t count = chunk_count(map);
	uint8_t *content = malloc(map->chunk_size);
	struct view_scratch *scratch;
	int right = 1;

	fuzz_require(content && view_scratch_new(view, &scratch) == 0);
	for (uint64_t i = 0; i < count && i < FUZZ_CHUNKS; i++) {
		struct image_entry entry;
		struct digest digest;
		uint32_t stored;
		uint64_t offset;

		fuzz_require(view_entry(view, i, &entry) == 0);
		fuzz_require(view_place(view, i, scratch, &offset, &stored) == 0);
		fuzz_require(stored == entry.stored_size);
		fuzz_require(offset + stored <= view_data_size(view));
		if (view_chunk(view, i, scratch, content) < 0) {
			fuzz_require(view_scratch_why(scratch)[0]);
			right = 0;
			continue;
		}
		digest_chunk(content, chunk_length(map, i), &digest);
		fuzz_require(digest_equal(&digest, &entry.digest));
	}
	view_scratch_free(scratch);
	free(content);
	return right;
}

static void fuzz_view(int fd)
{
	static const struct verify_options one = {.threads = 1};
	struct verify_result result;
	struct view *view = NULL;
	int opened = view_open(fd, &view);

	if (opened == 0) {
		int chunks = fuzz_chunks(view);
		int verified = verify_view(view, &one, &result);

		fuzz_manifest(view);
		fuzz_require(verified < 0 || chunks);
		fuzz_require(verified == 0 || result.why[0]);
		/* What verify takes can be read from the front, too. */
		fuzz_require(verified < 0 || verify_stream(fd, &one, &result) == 0);
	} else {
		fuzz_require(view != NULL && view_why(view)[0]);
		fuzz_require(verify_file(fd, &one, &result) < 0 && result.why[0]);
	}
	view_close(view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = calloc(1, size ? size : 1);

	fuzz_require(copy != NULL);
	if (size)
		memcpy(copy, data, size);
	fuzz_view(fuzz_file(copy, size));
	fuzz_seal_frames(copy, size);
	fuzz_seal_trailer(copy, size);
	fuzz_view(fuzz_file(copy, size));
	free(copy);
	return 0;
}
