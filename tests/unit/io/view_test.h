/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of view and verify share: images small enough to break everywhere. */
#ifndef VIEW_TEST_H
#define VIEW_TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <valgrind/valgrind.h>

#include "codec/bytes.h"
#include "codec/manifest.h"
#include "codec/pack.h"
#include "io/out.h"
#include "io/store.h"
#include "io/trailer.h"

#define TEST_CHUNK 4096u

/* An image that is being written, every byte of it by the test. */
struct test_image {
	uint8_t data[65536];
	size_t len;
	struct image_head head;
	struct image_entry entries[16];
	uint32_t chunks, checkpointed;
	uint32_t stored[64], content[64];
	uint32_t frames;
	uint32_t flags;	 /* beside those that are right, of the next chunk */
	bool open;	 /* HEAD leaves the size open */
	uint32_t length; /* of the next chunk, where it is not the map's; 0: it is */
	struct pack *pack;
};

static inline void test_image_frame(struct test_image *image, size_t stored, uint32_t content)
{
	image->stored[image->frames] = stored;
	image->content[image->frames++] = content;
	image->len += stored;
}

static inline uint8_t *test_image_end(struct test_image *image)
{
	return image->data + image->len;
}

static inline void test_image_start(struct test_image *image, uint64_t size)
{
	static const char identity[] = "{\"path\":\"/dev/x\"}";

	memset(image, 0, sizeof(*image));
	image->head = (struct image_head){
		.transfer_id = {1},
		.map = {.size = size, .chunk_size = TEST_CHUNK},
		.created = 1,
		.identity = identity,
		.identity_len = sizeof(identity) - 1,
	};
	assert_int_equal(pack_new(PACK_LEVEL_DEFAULT, &image->pack), 0);
}

/* A chunk of bytes FILL, with a PAD behind it where it has a SLOT, and HEAD behind the first one.
 */
static inline void test_image_chunk(struct test_image *image, int fill)
{
	struct image_entry *entry = &image->entries[image->chunks];
	uint32_t len =
		image->length ? image->length : chunk_length(&image->head.map, image->chunks);
	struct image_head head = image->head;
	uint8_t content[TEST_CHUNK];
	size_t stored;

	image->length = 0;
	if (image->open)
		head.map.size = CHUNK_OPEN;
	memset(content, fill, len);
	if (len)
		content[0] = 0;
	assert_int_equal(pack_chunk(image->pack, content, len, test_image_end(image),
				    PACK_FRAME_MOST, &stored),
			 0);
	digest_chunk(content, len, &entry->digest);
	entry->stored_hash = digest_stored(test_image_end(image), stored);
	entry->stored_size = stored;
	entry->flags = image->flags | (len && !fill ? IMAGE_ENTRY_ZERO : 0u);
	image->flags = 0;
	test_image_frame(image, stored, len);
	if (image->chunks++ == 0)
		test_image_frame(image, image_head_put(&head, test_image_end(image), 4096), 0);
	if (entry->flags & IMAGE_ENTRY_SLOT) {
		size_t pad = pack_bound(len) - stored;

		assert_int_equal(image_pad_header_put(pad, test_image_end(image)), 0);
		test_image_frame(image, pad, 0);
	}
}

static inline void test_image_checkpoint(struct test_image *image)
{
	uint32_t count = image->chunks - image->checkpointed;
	int len = image_checkpoint_put(image->checkpointed, image->entries + image->checkpointed,
				       count, test_image_end(image), 8192);

	assert_true(len > 0);
	test_image_frame(image, len, 0);
	image->checkpointed = image->chunks;
}

/* The trailer's digest, anew, after the test has changed something in it. */
static inline void test_image_seal(uint8_t *data, size_t len)
{
	uint32_t frames;
	struct digest_state state;
	struct image_sum sum;
	struct digest digest;

	assert_int_equal(image_seek_footer_get(data + len - IMAGE_SEEK_FOOTER, &frames), 0);
	uint8_t *raw = data + len - image_seek_size(frames) - IMAGE_SUM_FRAME;
	assert_int_equal(image_sum_get(raw, &sum), 0);
	memset(raw + IMAGE_SUM_DIGEST, 0, DIGEST_SIZE);
	digest_start(&state);
	digest_update(&state, data + len - sum.trailer_size, sum.trailer_size);
	digest_read(&state, &digest);
	memcpy(raw + IMAGE_SUM_DIGEST, digest.bytes, DIGEST_SIZE);
}

/* The trailer. MANIFEST is what a sender knew; its reference is taken. */
static inline void test_image_finish(struct test_image *image, json_t *manifest)
{
	struct manifest_end end = {
		.head = &image->head,
		.size = image->head.map.size,
		.chunks = image->chunks,
		.frames = image->frames + 3,
		.finished = 2,
	};
	size_t start = image->len, json_len;
	struct image_sum sum = {.entries = image->chunks};
	struct digest_state root;
	char *json;

	digest_start(&root);
	image_table_header_put(image->chunks, test_image_end(image));
	for (uint32_t i = 0; i < image->chunks; i++) {
		image_entry_put(&image->entries[i], test_image_end(image) + IMAGE_TABLE_HEADER +
							    (size_t)i * IMAGE_ENTRY);
		digest_update(&root, image->entries[i].digest.bytes, DIGEST_SIZE);
	}
	test_image_frame(image, IMAGE_TABLE_HEADER + (size_t)image->chunks * IMAGE_ENTRY, 0);
	digest_root(&root, end.size, image->head.map.chunk_size, &end.root);
	assert_int_equal(manifest_finish(manifest, &end), 0);
	assert_int_equal(manifest_format(manifest, &json, &json_len), 0);
	json_decref(manifest);
	image_manifest_header_put(json_len, test_image_end(image));
	memcpy(test_image_end(image) + IMAGE_MANIFEST_HEADER, json, json_len);
	free(json);
	test_image_frame(image, IMAGE_MANIFEST_HEADER + json_len, 0);
	size_t at = image->len;

	test_image_frame(image, IMAGE_SUM_FRAME, 0);
	image_seek_header_put(image->frames, test_image_end(image));
	for (uint32_t i = 0; i < image->frames; i++)
		image_seek_entry_put(image->stored[i], image->content[i],
				     test_image_end(image) + IMAGE_SEEK_HEADER +
					     (size_t)i * IMAGE_SEEK_ENTRY);
	image->len += image_seek_size(image->frames);
	image_seek_footer_put(image->frames, test_image_end(image) - IMAGE_SEEK_FOOTER);
	sum.file_size = image->len;
	sum.trailer_size = image->len - start;
	image_sum_put(&sum, image->data + at);
	test_image_seal(image->data, image->len);
	pack_free(image->pack);
}

static inline void test_image_small_fill(struct test_image *image)
{
	test_image_chunk(image, 'a');
	test_image_chunk(image, 0);
	test_image_checkpoint(image);
	test_image_chunk(image, 'c');
	image->flags = IMAGE_ENTRY_UNREADABLE | IMAGE_ENTRY_SLOT;
	test_image_chunk(image, 'd');
	test_image_finish(image, json_pack("{s:{s:s, s:[{s:i, s:i, s:i, s:{s:s, s:s}}]}}", "table",
					   "type", "gpt", "partitions", "number", 7, "start",
					   2 * (int)TEST_CHUNK, "size", (int)TEST_CHUNK, "fs",
					   "type", "ext4", "label", "root"));
}

/*
 * Four chunks in a kilobyte, with everything that an image can have: a CHECKPOINT, a short last
 * chunk with a slot and a PAD. Chunk 2 lies in partition 7.
 */
static inline void test_image_small(struct test_image *image)
{
	test_image_start(image, 3 * TEST_CHUNK + 10);
	test_image_small_fill(image);
}

/* The same under a HEAD that does not know the size. */
static inline void test_image_small_open(struct test_image *image)
{
	test_image_start(image, 3 * TEST_CHUNK + 10);
	image->open = true;
	test_image_small_fill(image);
}

static inline int test_image_file(const void *data, size_t len)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(out_write(fd, data, len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* A golden file, whole; free() it. */
static inline uint8_t *test_image_golden(const char *name, size_t *ret_len)
{
	static uint8_t buf[1 << 16];
	FILE *file = fopen(name, "rb");

	assert_non_null(file);
	*ret_len = fread(buf, 1, sizeof(buf), file);
	fclose(file);
	uint8_t *copy = malloc(*ret_len);

	assert_non_null(copy);
	memcpy(copy, buf, *ret_len);
	return copy;
}

#endif
