/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images with slots, which are cut while one is filled, or at any other time. */
#ifndef RESUME_SLOT_TEST_H
#define RESUME_SLOT_TEST_H

#include "resume_test.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "io/out.h"
#include "io/verify.h"

#define SLOTS 3

/* The first gap's midst, the second one's end, and the image's end, which is short. */
static const uint64_t slots[SLOTS] = {5, 2 * GAP - 1, CHUNKS - 1};

struct slotted {
	int fd;
	struct store *store;
	uint64_t ends[4];    /* of the CHECKPOINTs */
	uint64_t at[SLOTS];  /* of the slots' frames */
	uint64_t len[SLOTS]; /* of these */
};

static inline int slot_of(uint64_t index)
{
	for (int i = 0; i < SLOTS; i++)
		if (slots[i] == index)
			return i;
	return -1;
}

/* Chunk INDEX; one with a slot lacks something, unless it is BETTER. */
static inline void slotted_chunk(uint64_t index, bool better, struct image_entry *entry,
				 uint8_t *frame)
{
	bool slot = slot_of(index) >= 0;
	/* The last one is shorter than the others, and always the same. */
	uint64_t other = slot && !better && index != CHUNKS - 1 ? index + 2 : index;

	test_chunk(other, entry, frame);
	entry->flags = slot ? IMAGE_ENTRY_SLOT : 0;
	if (slot && !better)
		entry->flags |= IMAGE_ENTRY_UNREADABLE;
}

static inline void slotted_put(struct slotted *slotted, uint64_t first, uint64_t end, bool better)
{
	static uint8_t frame[PACK_FRAME_MOST];
	struct image_entry entry;

	for (uint64_t i = first; i < end; i++) {
		int slot = slot_of(i);

		slotted_chunk(i, better, &entry, frame);
		if (slot >= 0) {
			slotted->at[slot] = store_size(slotted->store);
			slotted->len[slot] = entry.stored_size;
		}
		assert_int_equal(store_chunk(slotted->store, &entry, frame), 0);
		if ((i + 1) % GAP == 0)
			slotted->ends[i / GAP] = store_size(slotted->store);
	}
}

static inline void slotted_fill(struct store *store, uint64_t index, bool better)
{
	static uint8_t frame[PACK_FRAME_MOST];
	struct image_entry entry;

	slotted_chunk(index, better, &entry, frame);
	assert_int_equal(store_fill(store, index, &entry, frame), 0);
}

static inline int file(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* An image with all chunks, but no trailer yet. */
static inline void slotted_open(struct slotted *slotted, bool better)
{
	struct image_head head = test_head();

	*slotted = (struct slotted){.fd = file()};
	assert_int_equal(store_new(slotted->fd, &head, &slotted->store), 0);
	slotted_put(slotted, 0, CHUNKS, better);
	slotted->ends[3] = store_size(slotted->store) + image_checkpoint_size(CHUNKS - 3 * GAP);
}

static inline void slotted_close(struct slotted *slotted)
{
	store_free(slotted->store);
	close(slotted->fd);
}

static inline void slotted_finish(struct store *store)
{
	json_t *manifest = json_object();
	struct digest root;

	assert_int_equal(store_finish(store, manifest, &root), 0);
	json_decref(manifest);
}

static inline uint8_t *contents(int fd, uint64_t *ret_len)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	uint8_t *data = malloc(st.st_size);
	assert_int_equal(out_read_at(fd, data, st.st_size, 0), st.st_size);
	*ret_len = st.st_size;
	return data;
}

static inline void assert_same(int a, int b)
{
	uint64_t len_a, len_b;
	uint8_t *data_a = contents(a, &len_a), *data_b = contents(b, &len_b);

	assert_int_equal(len_a, len_b);
	assert_memory_equal(data_a, data_b, len_a);
	free(data_a);
	free(data_b);
}

static inline void assert_whole(int fd)
{
	struct verify_options options = {.threads = 1};
	struct verify_result result;
	int r = verify_file(fd, &options, &result);

	if (r < 0)
		print_error("%s\n", result.why);
	assert_int_equal(r, 0);
}

static inline uint64_t kept(int fd, struct resume *ret)
{
	char why[256] = "";

	*ret = (struct resume){0};
	if (resume_open(fd, NULL, ret, why, sizeof(why)) < 0) {
		assert_true(why[0]);
		*ret = (struct resume){0};
	}
	return ret->end;
}

static inline uint64_t kept_bytes(int fd)
{
	struct resume resume;
	uint64_t end = kept(fd, &resume);

	resume_clear(&resume);
	return end;
}

#endif
