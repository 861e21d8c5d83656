/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of resuming share: images of a few gaps, in little more than ten kilobytes. */
#ifndef RESUME_TEST_H
#define RESUME_TEST_H

#include "view_test.h"

#include "io/resume.h"
#include "io/spool.h"

#define GAP    (IMAGE_CHECKPOINT_GAP / CHUNK_SIZE)
#define CHUNKS (3 * GAP + 5)

/* An image that store wrote, and where its CHECKPOINTs end. */
struct whole {
	uint8_t data[1 << 15];
	size_t len, data_len; /* without the trailer */
	size_t ends[4];	      /* the last one's is data_len */
};

static const char test_identity[] = "{\"path\":\"/dev/x\",\"kind\":\"disk\",\"serial\":\"S1\"}";

static inline struct image_head test_head(void)
{
	return (struct image_head){
		.transfer_id = {1},
		.map = {.size = (CHUNKS - 1) * (uint64_t)CHUNK_SIZE + 10, .chunk_size = CHUNK_SIZE},
		.created = 1,
		.identity = test_identity,
		.identity_len = sizeof(test_identity) - 1,
	};
}

/* Chunk INDEX, of bytes that are all the same: its frame goes to FRAME (PACK_FRAME_MOST bytes). */
static inline void test_chunk(uint64_t index, struct image_entry *entry, uint8_t *frame)
{
	static uint8_t frames[6][1024], content[CHUNK_SIZE];
	static struct image_entry entries[6];
	struct image_head head = test_head();
	uint64_t kind = index == CHUNKS - 1 ? 5 : index % 5;

	if (!entries[kind].stored_size) {
		uint32_t len = chunk_length(&head.map, index);
		struct pack *pack;
		size_t stored;

		memset(content, 'a' + (int)kind, len);
		assert_int_equal(pack_new(PACK_LEVEL_DEFAULT, &pack), 0);
		assert_int_equal(pack_chunk(pack, content, len, frame, PACK_FRAME_MOST, &stored),
				 0);
		pack_free(pack);
		assert_true(stored <= sizeof(frames[0]));
		memcpy(frames[kind], frame, stored);
		digest_chunk(content, len, &entries[kind].digest);
		entries[kind].stored_size = stored;
		entries[kind].stored_hash = digest_stored(frame, stored);
	}
	*entry = entries[kind];
	memcpy(frame, frames[kind], entry->stored_size);
}

/* Chunks FIRST .. END - 1. */
static inline void test_put(struct store *store, uint64_t first, uint64_t end)
{
	static uint8_t frame[PACK_FRAME_MOST];
	struct image_entry entry;

	for (uint64_t i = first; i < end; i++) {
		test_chunk(i, &entry, frame);
		assert_int_equal(store_chunk(store, &entry, frame), 0);
	}
}

static inline void test_read(int fd, void *buf, size_t len)
{
	assert_int_equal(out_read_at(fd, buf, len, 0), (ssize_t)len);
}

static inline void test_whole(struct whole *whole)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct image_head head = test_head();
	json_t *manifest = json_object();
	struct store *store;
	struct digest root;

	assert_int_equal(store_new(fd, &head, &store), 0);
	for (int i = 0; i < 3; i++) {
		test_put(store, i * GAP, (i + 1) * GAP);
		whole->ends[i] = store_size(store);
		assert_int_equal(store_kept(store), (i + 1) * GAP);
	}
	test_put(store, 3 * GAP, CHUNKS);
	whole->ends[3] = store_size(store) + image_checkpoint_size(5);
	whole->data_len = whole->ends[3];
	assert_int_equal(store_finish(store, manifest, &root), 0);
	whole->len = store_size(store);
	assert_true(whole->len <= sizeof(whole->data));
	test_read(fd, whole->data, whole->len);
	store_free(store);
	json_decref(manifest);
	close(fd);
}

#endif
