// SPDX-License-Identifier: GPL-2.0-or-later
/* What store puts on the medium, and when. */
#include "view_test.h"

#include <fcntl.h>
#include <sys/stat.h>

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

/* Whoever finds a CHECKPOINT after a power cut must find what it speaks of. */
static void a_checkpoint_is_of_what_is_synced(void **state)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct store *store = store_of(fd);

	(void)state;
	for (unsigned int i = 1; i <= 2 * GAP; i++) {
		synced = -1;
		assert_int_equal(store_zero(store, 1, 0), 0);
		if (i % GAP == 0)
			assert_int_equal(synced, store_size(store) - image_checkpoint_size(GAP));
		else
			assert_int_equal(synced, -1);
	}
	store_free(store);
	close(fd);
}

static void no_checkpoint_without_a_sync(void **state)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct store *store = store_of(fd);

	(void)state;
	failure = EIO;
	assert_int_equal(store_zero(store, GAP, 0), -EIO);
	/* What cannot be synced, a pipe, goes on. */
	failure = EINVAL;
	store_free(store);
	store = store_of(fd);
	assert_int_equal(store_zero(store, GAP, 0), 0);
	failure = 0;
	store_free(store);
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
		cmocka_unit_test(a_checkpoint_is_of_what_is_synced),
		cmocka_unit_test(no_checkpoint_without_a_sync),
		cmocka_unit_test(a_manifest_has_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
