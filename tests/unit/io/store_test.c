// SPDX-License-Identifier: GPL-2.0-or-later
/* What store puts on the medium, and when. */
#include "view_test.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "io/store_internal.h"

#define GAP (IMAGE_CHECKPOINT_GAP / CHUNK_SIZE)

static off_t synced; /* of the file that was synced last; -1: none was */
static int failure;

/* In the place of the C library's. */
int fdatasync(int fd)
{
	struct stat st;

	if (failure) {
		errno = failure;
		return -1;
	}
	assert_int_equal(fstat(fd, &st), 0);
	synced = st.st_size;
	return 0;
}

static struct store *store_of(int fd)
{
	const struct image_head head = {
		.transfer_id = {1},
		.map = {.size = 3ull * GAP * CHUNK_SIZE, .chunk_size = CHUNK_SIZE},
		.identity = "{}",
		.identity_len = 2,
	};
	struct store *store;

	assert_int_equal(store_new(fd, &head, &store), 0);
	return store;
}

/* A chunk that does not compress, as store_chunk takes it. */
struct noise {
	struct image_entry entry;
	uint8_t *frame;
};

static struct noise noise_new(void)
{
	struct noise noise = {.frame = malloc(PACK_FRAME_MOST)};
	uint8_t *content = malloc(CHUNK_SIZE);
	struct pack *pack;
	size_t stored;

	assert_non_null(noise.frame);
	assert_non_null(content);
	for (size_t i = 0; i < CHUNK_SIZE; i++)
		content[i] = (uint8_t)rand();
	assert_int_equal(pack_new(PACK_LEVEL_DEFAULT, &pack), 0);
	assert_int_equal(
		pack_chunk(pack, content, CHUNK_SIZE, noise.frame, PACK_FRAME_MOST, &stored), 0);
	assert_true(stored >= CHUNK_SIZE);
	digest_chunk(content, CHUNK_SIZE, &noise.entry.digest);
	noise.entry.stored_size = stored;
	noise.entry.stored_hash = digest_stored(noise.frame, stored);
	pack_free(pack);
	free(content);
	return noise;
}

/* Whoever goes on after a power cut looks at all that is in twice as many bytes. */
static void what_is_not_synced_is_bounded(void **state)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct store *store = store_of(fd);
	struct noise noise = noise_new();
	uint64_t most = STORE_SYNC + image_head_size(store_head(store)) +
			GAP * pack_bound(CHUNK_SIZE) + image_checkpoint_size(GAP);

	(void)state;
	synced = 0;
	for (unsigned int i = 1; i <= 3 * GAP; i++) {
		off_t before = synced;

		assert_int_equal(store_chunk(store, &noise.entry, noise.frame), 0);
		assert_true(store_size(store) - synced < most);
		/* Behind a CHECKPOINT, so that it counts. */
		if (synced != before)
			assert_int_equal(synced, store_size(store));
		assert_int_equal(synced != before, i % GAP == 0);
	}
	free(noise.frame);
	store_free(store);
	close(fd);
}

/* Frames of zeros are so short that a sync would take most of the time. */
static void zeros_are_not_synced_at_each_checkpoint(void **state)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct store *store = store_of(fd);

	(void)state;
	synced = -1;
	assert_int_equal(store_zero(store, 3 * GAP, 0), 0);
	assert_int_equal(synced, -1);
	store_free(store);
	close(fd);
}

static void a_sync_that_fails_is_an_error(void **state)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct noise noise = noise_new();

	(void)state;
	/* What cannot be synced, a pipe, goes on. */
	for (failure = EINVAL; failure; failure = failure == EINVAL ? EIO : 0) {
		struct store *store = store_of(fd);

		for (unsigned int i = 1; i < GAP; i++)
			assert_int_equal(store_chunk(store, &noise.entry, noise.frame), 0);
		assert_int_equal(store_chunk(store, &noise.entry, noise.frame),
				 failure == EIO ? -EIO : 0);
		store_free(store);
	}
	free(noise.frame);
	close(fd);
}

static void a_manifest_has_its_bound(void **state)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct store *store = store_of(fd);
	char *text = malloc(IMAGE_MANIFEST_MOST);
	json_t *manifest = json_object();
	struct digest root;

	(void)state;
	assert_int_equal(store_zero(store, 3 * GAP, 0), 0);
	memset(text, 'x', IMAGE_MANIFEST_MOST);
	json_object_set_new(manifest, "notes", json_stringn(text, IMAGE_MANIFEST_MOST));
	assert_int_equal(store_finish(store, manifest, &root), -EFBIG);
	json_object_del(manifest, "notes");
	assert_int_equal(store_finish(store, manifest, &root), 0);
	json_decref(manifest);
	free(text);
	store_free(store);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_synced_is_bounded),
		cmocka_unit_test(zeros_are_not_synced_at_each_checkpoint),
		cmocka_unit_test(a_sync_that_fails_is_an_error),
		cmocka_unit_test(a_manifest_has_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
