// SPDX-License-Identifier: GPL-2.0-or-later
/* What store puts on the medium, and when. */
#include "view_test.h"

#include <fcntl.h>
#include <semaphore.h>
#include <sys/stat.h>
#include <time.h>

#include "io/store_internal.h"

#define GAP (IMAGE_CHECKPOINT_GAP / CHUNK_SIZE)

static _Atomic off_t synced; /* of the file when the last sync began that has ended; -1: none */
static _Atomic int failure;
static bool held; /* a sync ends when it may: */
static sem_t begun, allowed;

/* In the place of the C library's; not in the test's thread. */
int fdatasync(int fd)
{
	struct stat st;

	if (failure) {
		errno = failure;
		return -1;
	}
	fstat(fd, &st);
	if (held) {
		sem_post(&begun);
		while (sem_wait(&allowed))
			;
	}
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

static void wait_for_sync(void)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 60;
	assert_int_equal(sem_timedwait(&begun, &end), 0);
}

/* A medium so slow that a sync ends only when the next one has to begin. */
static void what_is_not_synced_is_bounded(void **state)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct store *store = store_of(fd);
	struct noise noise = noise_new();
	uint64_t each = pack_bound(CHUNK_SIZE) + image_head_size(store_head(store)) +
			image_checkpoint_size(GAP);
	uint64_t durable = 0, begins = 0, last = 0;

	(void)state;
	assert_int_equal(sem_init(&begun, 0, 0) + sem_init(&allowed, 0, 0), 0);
	held = true;
	for (unsigned int i = 0; i < 3 * GAP; i++) {
		bool due = store_size(store) + noise.entry.stored_size - begins >= STORE_SYNC;

		if (due && begins) {
			sem_post(&allowed);
			durable = begins;
		}
		assert_int_equal(store_chunk(store, &noise.entry, noise.frame), 0);
		if (due) {
			wait_for_sync();
			begins = store_size(store);
			last = i;
		}
		assert_true(store_size(store) - durable < 2 * STORE_SYNC + 2 * each);
	}
	assert_true(last > 3 * GAP - 6);
	sem_post(&allowed);
	assert_int_equal(store_sync_wait(store), 0);
	assert_true(store_size(store) - (uint64_t)synced < STORE_SYNC + each);
	held = false;
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
	assert_int_equal(store_sync_wait(store), 0);
	assert_int_equal(synced, -1);
	store_free(store);
	close(fd);
}

static int noise_add(struct store *store, const struct noise *noise, unsigned int count)
{
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < count; i++)
		r = store_chunk(store, &noise->entry, noise->frame);
	return r;
}

static void a_sync_that_fails_is_an_error(void **state)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct noise noise = noise_new();

	(void)state;
	/* What cannot be synced, a pipe, goes on. */
	for (failure = EINVAL; failure; failure = failure == EINVAL ? EIO : 0) {
		struct store *store = store_of(fd);

		assert_int_equal(noise_add(store, &noise, GAP), failure == EIO ? -EIO : 0);
		store_free(store);
	}
	free(noise.frame);
	close(fd);
}

/* The kernel tells one call of it, and the next one that all is well. */
static void a_sync_that_failed_is_not_forgotten(void **state)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct noise noise = noise_new();
	struct store *store = store_of(fd);
	json_t *manifest = json_object();
	struct digest root;

	(void)state;
	failure = EIO;
	assert_int_equal(noise_add(store, &noise, 5), 0);
	assert_int_equal(store_zero(store, 3 * GAP - 5, 0), 0);
	assert_int_equal(store_finish(store, manifest, &root), -EIO);
	failure = 0;
	assert_int_equal(store_sync(store), -EIO);
	json_decref(manifest);
	free(noise.frame);
	store_free(store);
	close(fd);
}

#define ZEROS	  (5 * GAP + 3u)
#define ZERO_SIZE (ZEROS * (uint64_t)CHUNK_SIZE - 12345)

/* An image of zeros that are appended BY so many, front to back, but not finished. */
static uint8_t *zeros_by(uint64_t by, uint32_t flags, uint64_t *ret_len)
{
	const struct image_head head = {
		.transfer_id = {1},
		.map = {.size = ZERO_SIZE, .chunk_size = CHUNK_SIZE},
		.identity = "{}",
		.identity_len = 2,
	};
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct store *store;

	assert_int_equal(store_new(fd, &head, &store), 0);
	for (uint64_t left = ZEROS; left; left -= by < left ? by : left)
		assert_int_equal(store_zero(store, by < left ? by : left, flags), 0);
	assert_int_equal(store_zero(store, 1, flags), -EOVERFLOW);
	assert_int_equal(store_chunks(store), ZEROS);
	*ret_len = store_size(store);
	store_free(store);
	uint8_t *bytes = malloc(*ret_len + 1);

	assert_non_null(bytes);
	assert_int_equal(pread(fd, bytes, *ret_len + 1, 0), *ret_len);
	close(fd);
	return bytes;
}

static void zeros_are_the_same_however_many_come(void **state)
{
	static const uint64_t by[] = {2, 7, GAP - 1, GAP, GAP + 1, ZEROS - 1, ZEROS};
	static const uint32_t flags[] = {0, IMAGE_ENTRY_UNALLOCATED};

	(void)state;
	for (size_t f = 0; f < sizeof(flags) / sizeof(flags[0]); f++) {
		uint64_t due_len, len;
		uint8_t *due = zeros_by(1, flags[f], &due_len);

		for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
			uint8_t *bytes = zeros_by(by[i], flags[f], &len);

			assert_int_equal(len, due_len);
			assert_memory_equal(bytes, due, len);
			free(bytes);
		}
		free(due);
	}
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
		cmocka_unit_test(a_sync_that_failed_is_not_forgotten),
		cmocka_unit_test(zeros_are_the_same_however_many_come),
		cmocka_unit_test(a_manifest_has_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
