// SPDX-License-Identifier: GPL-2.0-or-later
/* Slots that are filled: the image is the one that would have been written at once. */
#include "view_test.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "io/verify.h"

#define CHUNKS 20u
#define SIZE   ((CHUNKS - 1) * (uint64_t)CHUNK_SIZE + 1000)

struct filled {
	int fd;
	struct store *store;
	struct pack *pack;
	uint8_t *content, *frame;
	struct image_entry entry;
};

static int temporary(int flags)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC | flags, 0600);

	assert_true(fd >= 0);
	return fd;
}

static struct store *store_on(int fd)
{
	static const char identity[] = "{\"path\":\"/dev/x\"}";
	const struct image_head head = {
		.transfer_id = {1},
		.map = {.size = SIZE, .chunk_size = CHUNK_SIZE},
		.identity = identity,
		.identity_len = sizeof(identity) - 1,
	};
	struct store *store = NULL;

	assert_int_equal(store_new(fd, &head, &store), 0);
	return store;
}

static void filled_open(struct filled *filled)
{
	filled->fd = temporary(0);
	filled->store = store_on(filled->fd);
	filled->content = calloc(1, CHUNK_SIZE);
	filled->frame = malloc(PACK_FRAME_MOST);
	assert_int_equal(pack_new(1, &filled->pack), 0);
	assert_true(store_fills(filled->store));
}

static void filled_close(struct filled *filled)
{
	store_free(filled->store);
	pack_free(filled->pack);
	free(filled->content);
	free(filled->frame);
	close(filled->fd);
}

static uint32_t length(uint64_t index)
{
	return index == CHUNKS - 1 ? 1000 : CHUNK_SIZE;
}

/* The frame of chunk INDEX: its first USED bytes are its own, and hard to pack, the rest zeros. */
static void make_frame(struct filled *filled, uint64_t index, uint32_t used, uint32_t flags)
{
	uint32_t len = length(index), state = index + 1;
	size_t stored;

	memset(filled->content, 0, len);
	for (uint32_t i = 0; i < used && i < len; i++) {
		state = state * 1664525u + 1013904223u;
		filled->content[i] = state >> 24;
	}
	assert_int_equal(pack_chunk(filled->pack, filled->content, len, filled->frame,
				    PACK_FRAME_MOST, &stored),
			 0);
	filled->entry = (struct image_entry){
		.stored_size = stored,
		.stored_hash = digest_stored(filled->frame, stored),
		.flags = flags,
	};
	digest_chunk(filled->content, len, &filled->entry.digest);
}

static bool has_slot(uint64_t index)
{
	return index % 3 == 1 || index == 15 || index == CHUNKS - 1;
}

static void put_chunk(struct filled *filled, uint64_t index, uint32_t used)
{
	make_frame(filled, index, used, has_slot(index) ? IMAGE_ENTRY_SLOT : 0);
	assert_int_equal(store_chunk(filled->store, &filled->entry, filled->frame), 0);
}

static void fill_chunk(struct filled *filled, uint64_t index, uint32_t used)
{
	make_frame(filled, index, used, IMAGE_ENTRY_SLOT);
	assert_int_equal(store_fill(filled->store, index, &filled->entry, filled->frame), 0);
}

static void finish(struct filled *filled, struct digest *ret_root)
{
	json_t *manifest = json_object();

	assert_int_equal(store_finish(filled->store, manifest, ret_root), 0);
	json_decref(manifest);
}

/* It is a whole image, from both ends. */
static void assert_whole(struct filled *filled, const struct digest *root)
{
	struct verify_options options = {.threads = 1};
	struct verify_result result;

	lseek(filled->fd, 0, SEEK_SET);
	int r = verify_file(filled->fd, &options, &result);
	if (r < 0)
		print_error("%s\n", result.why);
	assert_int_equal(r, 0);
	assert_true(digest_equal(&result.root, root));
	lseek(filled->fd, 0, SEEK_SET);
	assert_int_equal(verify_stream(filled->fd, &options, &result), 0);
}

/* What of both files stands before the trailers' times. */
static void assert_same(const struct filled *a, const struct filled *b, uint64_t len)
{
	static uint8_t buf_a[65536], buf_b[65536];

	for (uint64_t at = 0; at < len; at += sizeof(buf_a)) {
		size_t n = len - at < sizeof(buf_a) ? len - at : sizeof(buf_a);

		assert_int_equal(pread(a->fd, buf_a, n, at), n);
		assert_int_equal(pread(b->fd, buf_b, n, at), n);
		assert_memory_equal(buf_a, buf_b, n);
	}
}

static void filled_is_as_written_at_once(void **state)
{
	struct filled later, once;
	struct digest root_later, root_once;

	(void)state;
	filled_open(&later);
	filled_open(&once);
	for (uint64_t i = 0; i < CHUNKS; i++) {
		put_chunk(&once, i, 5000);
		put_chunk(&later, i, has_slot(i) ? 0 : 5000);
		/* In between, too: before and behind its CHECKPOINT. */
		if (i == 8 || i == 18)
			fill_chunk(&later, 7, 100);
	}
	/* Forwards; then backwards with more, less and the same. */
	for (uint64_t i = 0; i < CHUNKS; i++)
		if (has_slot(i))
			fill_chunk(&later, i, i % 2 ? CHUNK_SIZE : 10);
	for (uint64_t i = CHUNKS; i-- > 0;)
		if (has_slot(i))
			fill_chunk(&later, i, 5000);
	assert_int_equal(store_size(later.store), store_size(once.store));
	uint64_t size = store_size(once.store);
	finish(&later, &root_later);
	finish(&once, &root_once);
	assert_whole(&later, &root_once);
	assert_true(digest_equal(&root_later, &root_once));
	assert_same(&later, &once, size);
	filled_close(&later);
	filled_close(&once);
}

/* A slot that is left as it was takes hardly any room. */
static void slots_are_holes(void **state)
{
	struct filled filled;
	struct digest root;
	struct stat st;

	(void)state;
	filled_open(&filled);
	for (uint64_t i = 0; i < CHUNKS; i++)
		put_chunk(&filled, i, 0);
	finish(&filled, &root);
	assert_int_equal(fstat(filled.fd, &st), 0);
	assert_true(st.st_size > 6ll * CHUNK_SIZE);
	assert_true(st.st_blocks * 512 < st.st_size / 8);
	filled_close(&filled);
}

static void what_has_no_slot_is_not_filled(void **state)
{
	struct filled filled;

	(void)state;
	filled_open(&filled);
	make_frame(&filled, 0, 10, IMAGE_ENTRY_SLOT);
	assert_int_equal(store_chunk(filled.store, &filled.entry, filled.frame), -EINVAL);
	put_chunk(&filled, 0, 10);
	put_chunk(&filled, 1, 10);
	make_frame(&filled, 0, 10, IMAGE_ENTRY_SLOT);
	assert_int_equal(store_fill(filled.store, 0, &filled.entry, filled.frame), -EINVAL);
	make_frame(&filled, 1, 10, 0);
	assert_int_equal(store_fill(filled.store, 1, &filled.entry, filled.frame), -EINVAL);
	make_frame(&filled, 2, 10, IMAGE_ENTRY_SLOT);
	assert_int_equal(store_fill(filled.store, 2, &filled.entry, filled.frame), -EINVAL);
	filled_close(&filled);
}

/* A pipe, a file that is appended to, and one that has something behind. */
static void not_every_output_can_be_gone_back_to(void **state)
{
	int fds[2], append = temporary(O_APPEND), old = temporary(0);
	struct store *store;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(ftruncate(old, 10), 0);
	for (int i = 0; i < 3; i++) {
		store = store_on(i == 0 ? fds[1] : i == 1 ? append : old);
		assert_false(store_fills(store));
		store_free(store);
	}
	lseek(old, 0, SEEK_END);
	store = store_on(old);
	assert_true(store_fills(store));
	store_free(store);
	close(append);
	close(old);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filled_is_as_written_at_once),
		cmocka_unit_test(slots_are_holes),
		cmocka_unit_test(what_has_no_slot_is_not_filled),
		cmocka_unit_test(not_every_output_can_be_gone_back_to),
	};

	return cmocka_run_group_tests_name("store_fill", tests, NULL, NULL);
}
