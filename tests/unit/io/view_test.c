// SPDX-License-Identifier: GPL-2.0-or-later
/* Images opened from their end: the golden one, long ones, hostile ones, and what is none. */
#include "view_test.h"

#include <pthread.h>

#include <zstd.h>

#include "io/view.h"

#define GOLDEN_CHUNKS 7

/* Opens LEN bytes at DATA; a failure has a sentence. */
static int open_bytes(const void *data, size_t len, struct view **ret)
{
	int fd = test_image_file(data, len);
	int r = view_open(fd, ret);

	if (r < 0)
		assert_true(view_why(*ret)[0]);
	/* A view needs its file: only those that failed lose it. */
	if (r < 0)
		close(fd);
	return r;
}

/* What view_open says of them, closed again. */
static int opened(const void *data, size_t len)
{
	int fd = test_image_file(data, len);
	struct view *view = NULL;
	int r = view_open(fd, &view);

	if (r < 0)
		assert_true(view_why(view)[0]);
	view_close(view);
	close(fd);
	return r;
}

static void view_test_golden(void **state)
{
	static const uint64_t places[GOLDEN_CHUNKS] = {0, 363, 386, 4496, 6568, 10942, 10965};
	size_t len, device_len;
	uint8_t *data = test_image_golden("tests/golden/image.zst", &len);
	uint8_t *device = test_image_golden("tests/golden/device.raw", &device_len);
	struct view_scratch *scratch;
	uint8_t content[4096];
	int fd = test_image_file(data, len);
	char root[DIGEST_TEXT];
	struct digest digest;
	struct view *view;

	(void)state;
	assert_int_equal(view_open(fd, &view), 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_int_equal(view_size(view), len);
	assert_int_equal(view_data_size(view), 11487);
	assert_int_equal(view_frames(view), 13);
	assert_int_equal(view_head(view)->map.size, device_len);
	assert_string_equal(manifest_string(view_manifest(view), "source.serial"), "GD-0001");
	view_root(view, &digest);
	digest_format(&digest, root);
	assert_string_equal(root, "e85692217356aec61b9d8f133784fad6");
	assert_int_equal(view_scratch_new(view, &scratch), 0);
	for (int i = GOLDEN_CHUNKS - 1; i >= 0; i--) {
		struct image_entry entry;
		uint64_t offset;
		uint32_t stored;

		assert_int_equal(view_entry(view, i, &entry), 0);
		assert_int_equal(view_place(view, i, scratch, &offset, &stored), 0);
		assert_int_equal(offset, places[i]);
		assert_int_equal(stored, entry.stored_size);
		assert_int_equal(view_chunk(view, i, scratch, content), 0);
		assert_memory_equal(content, device + i * 4096,
				    chunk_length(&view_head(view)->map, i));
	}
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	view_scratch_free(scratch);
	view_close(view);
	close(fd);
	free(device);
	free(data);
}

/* More frames than one piece of the seek table holds, and CHECKPOINTs between them. */
static void view_test_index(void **state)
{
	struct image_head head = {
		.transfer_id = {1},
		.map = {.size = 40000ull * TEST_CHUNK + 5, .chunk_size = TEST_CHUNK},
		.identity = "{}",
		.identity_len = 2,
	};
	static const uint64_t asked[] = {0, 1, 4093, 4094, 4095, 4096, 20000, 16384, 39999, 40000};
	json_t *manifest = json_object();
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct view_scratch *scratch;
	uint8_t content[TEST_CHUNK];
	struct store *store;
	struct digest root, told;
	struct view *view;

	(void)state;
	assert_int_equal(store_new(fd, &head, &store), 0);
	assert_int_equal(store_zero(store, 40001, IMAGE_ENTRY_ZERO), 0);
	assert_int_equal(store_finish(store, manifest, &root), 0);
	store_free(store);
	json_decref(manifest);
	assert_int_equal(view_open(fd, &view), 0);
	view_root(view, &told);
	assert_true(digest_equal(&root, &told));
	assert_int_equal(view_scratch_new(view, &scratch), 0);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		assert_int_equal(view_chunk(view, asked[i], scratch, content), 0);
	view_scratch_free(scratch);
	view_close(view);
	close(fd);
}

struct reader {
	const struct view *view;
	unsigned int seed;
	int failed;
};

static void *read_chunks(void *arg)
{
	struct reader *reader = arg;
	struct view_scratch *scratch;
	uint8_t content[4096];

	if (view_scratch_new(reader->view, &scratch) < 0) {
		reader->failed = 1;
		return NULL;
	}
	for (int i = 0; i < (RUNNING_ON_VALGRIND ? 20 : 200); i++)
		if (view_chunk(reader->view, (reader->seed + 3 * i) % GOLDEN_CHUNKS, scratch,
			       content) < 0)
			reader->failed = 1;
	view_scratch_free(scratch);
	return NULL;
}

static void view_test_threads(void **state)
{
	struct reader readers[4];
	pthread_t threads[4];
	size_t len;
	uint8_t *data = test_image_golden("tests/golden/image.zst", &len);
	int fd = test_image_file(data, len);
	struct view *view;

	(void)state;
	assert_int_equal(view_open(fd, &view), 0);
	for (unsigned int i = 0; i < 4; i++) {
		readers[i] = (struct reader){.view = view, .seed = i};
		assert_int_equal(pthread_create(&threads[i], NULL, read_chunks, &readers[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(readers[i].failed, 0);
	}
	view_close(view);
	close(fd);
	free(data);
}

static void view_test_no_bytes(void **state)
{
	static struct test_image image;
	struct view_scratch *scratch;
	struct view *view;
	uint8_t content[1];

	(void)state;
	test_image_start(&image, 0);
	test_image_chunk(&image, 0);
	test_image_finish(&image, json_object());
	int fd = test_image_file(image.data, image.len);

	assert_int_equal(view_open(fd, &view), 0);
	assert_int_equal(view_scratch_new(view, &scratch), 0);
	assert_int_equal(view_chunk(view, 0, scratch, content), 0);
	view_scratch_free(scratch);
	view_close(view);
	close(fd);
}

static void foreign(const void *data, size_t len, const char *what)
{
	struct view *view;

	assert_int_equal(open_bytes(data, len, &view), -ENOMSG);
	if (!strstr(view_why(view), what))
		fail_msg("'%s' does not say '%s'", view_why(view), what);
	assert_null(view_head(view));
	view_close(view);
}

static void view_test_foreign(void **state)
{
	uint8_t data[4096] = {0}, frame[8192];
	size_t len;

	(void)state;
	foreign("", 0, "empty");
	foreign("x", 1, "no zstd frame");
	foreign(data, sizeof(data), "no zstd frame");
	memcpy(data + 510, "\x55\xaa", 2);
	foreign(data, sizeof(data), "raw disk");
	memcpy(data + 512, "EFI PART", 8);
	foreign(data, sizeof(data), "raw disk with a GPT");
	foreign("\x1f\x8b\x08\x00", 4, "gzip");
	len = ZSTD_compress(frame, sizeof(frame), data, sizeof(data), 1);
	foreign(frame, len, "compressed by zstd, but");
	memcpy(frame + len, frame, len);
	foreign(frame, 2 * len, "compressed by zstd, but");
}

static void view_test_no_file(void **state)
{
	struct view *view;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(view_open(fds[0], &view), -ESPIPE);
	view_close(view);
	close(fds[0]);
	close(fds[1]);
}

static void view_test_cut(void **state)
{
	static struct test_image image;
	struct view *view;

	(void)state;
	test_image_small(&image);
	assert_int_equal(open_bytes(image.data, image.len - 1, &view), -ENODATA);
	assert_int_equal(view_head(view)->map.size, 3 * TEST_CHUNK + 10);
	view_close(view);
	assert_int_equal(opened(image.data, 20), -ENODATA);
}

/* Numbers that are too large, too small or not each other's, under a digest that is right. */
static void view_test_hostile(void **state)
{
	static struct test_image image;
	uint32_t frames;

	(void)state;
	test_image_small(&image);
	uint8_t *footer = image.data + image.len - IMAGE_SEEK_FOOTER;
	assert_int_equal(image_seek_footer_get(footer, &frames), 0);
	uint8_t *seek = image.data + image.len - image_seek_size(frames);
	uint8_t *sum = seek - IMAGE_SUM_FRAME;
	size_t trailer = bytes_get64(sum + 24);
	uint8_t *table = image.data + image.len - trailer;

	assert_int_equal(opened(image.data, image.len), 0);
	for (uint32_t i = 0; i < frames; i++) {
		uint8_t *entry = seek + IMAGE_SEEK_HEADER + (size_t)i * IMAGE_SEEK_ENTRY;

		for (int at = 0; at < IMAGE_SEEK_ENTRY; at++) {
			entry[at] ^= 0x80;
			test_image_seal(image.data, image.len);
			if (opened(image.data, image.len) != -EBADMSG)
				fail_msg("seek entry %u, byte %d", i, at);
			entry[at] ^= 0x80;
		}
	}
	for (size_t at = 0; at < IMAGE_TABLE_HEADER + 4 * IMAGE_ENTRY; at++) {
		size_t in = (at - IMAGE_TABLE_HEADER) % IMAGE_ENTRY;

		/* Only the chunk itself shows a wrong hash, or a wrong flag that can be. */
		if (at >= IMAGE_TABLE_HEADER && ((in >= 16 && in < 24) || in == 28))
			continue;
		table[at] ^= 0x40;
		test_image_seal(image.data, image.len);
		if (opened(image.data, image.len) != -EBADMSG)
			fail_msg("TABLE, byte %zu", at);
		table[at] ^= 0x40;
	}
	test_image_seal(image.data, image.len);
	assert_int_equal(opened(image.data, image.len), 0);

	static const uint64_t numbers[] = {0,	       1,	   1u << 20,	  1u << 26,
					   1ull << 32, 1ull << 62, UINT64_MAX - 7};
	for (size_t field = 16; field <= 32; field += 8) {
		uint64_t right = bytes_get64(sum + field);

		for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
			bytes_put64(sum + field, numbers[i]);
			int r = opened(image.data, image.len);

			if (r != -EBADMSG && r != -ENODATA)
				fail_msg("SUM at %zu: %d", field, r);
		}
		bytes_put64(sum + field, right);
	}
	for (uint32_t i = 0; i < 1u << 27; i = 2 * i + 1) {
		if (i == frames)
			continue;
		bytes_put32(footer, i);
		int r = opened(image.data, image.len);

		assert_true(r == -EBADMSG || r == -ENODATA);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(view_test_golden),  cmocka_unit_test(view_test_index),
		cmocka_unit_test(view_test_threads), cmocka_unit_test(view_test_no_bytes),
		cmocka_unit_test(view_test_foreign), cmocka_unit_test(view_test_no_file),
		cmocka_unit_test(view_test_cut),     cmocka_unit_test(view_test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
