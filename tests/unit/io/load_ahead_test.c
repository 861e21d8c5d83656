// SPDX-License-Identifier: GPL-2.0-or-later
/* Several threads that unpack an image give what one gives: chunks, and where and why they end. */
#include "view_test.h"

#include "codec/digest.h"
#include "io/load.h"

#define THREADS 3u

/* What there was of an image. */
struct loaded {
	int r;
	uint64_t count, confirmed, bytes;
	bool cut;
	struct digest_state content; /* over the chunks' entries, frames and content */
	struct digest root;
	char why[256];
};

static void loaded_add(struct loaded *loaded, const struct load_chunk *chunk)
{
	assert_int_equal(chunk->index, loaded->count++);
	digest_update(&loaded->content, chunk->content, chunk->length);
	digest_update(&loaded->content, chunk->frame, chunk->entry.stored_size);
	digest_update(&loaded->content, chunk->entry.digest.bytes, DIGEST_SIZE);
	digest_update(&loaded->content, &chunk->entry.stored_hash, sizeof(uint64_t));
	digest_update(&loaded->content, &chunk->entry.flags, sizeof(uint32_t));
}

static void image_load(const uint8_t *data, size_t len, unsigned int threads, struct loaded *ret)
{
	int fd = test_image_file(data, len);
	struct load_chunk chunk;
	struct load *load = NULL;

	memset(ret, 0, sizeof(*ret));
	digest_start(&ret->content);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	ret->r = load_new(fd, &load);
	load_threads(load, threads);
	while (ret->r == 0 && (ret->r = load_next(load, &chunk)) == 1) {
		loaded_add(ret, &chunk);
		ret->r = 0;
	}
	ret->confirmed = load_confirmed(load, &ret->bytes);
	ret->cut = load_cut(load);
	if (ret->count)
		load_root(load, &ret->root);
	if (ret->r < 0)
		snprintf(ret->why, sizeof(ret->why), "%s", load_why(load));
	load_free(load);
	close(fd);
}

/* Returns how it ended. */
static int expect_same(const uint8_t *data, size_t len)
{
	struct loaded one, several;
	struct digest a, b;

	image_load(data, len, 1, &one);
	image_load(data, len, THREADS, &several);
	assert_int_equal(several.r, one.r);
	assert_string_equal(several.why, one.why);
	assert_int_equal(several.count, one.count);
	assert_int_equal(several.confirmed, one.confirmed);
	assert_int_equal(several.bytes, one.bytes);
	assert_int_equal(several.cut, one.cut);
	assert_true(digest_equal(&several.root, &one.root));
	digest_read(&one.content, &a);
	digest_read(&several.content, &b);
	assert_true(digest_equal(&a, &b));
	return one.r;
}

/* The threads and their memory are made anew for each: a sample has to do. */
static size_t stride(void)
{
	return RUNNING_ON_VALGRIND ? 2003 : 307;
}

static void images_damaged(uint8_t *data, size_t len)
{
	assert_int_equal(expect_same(data, len), 0);
	for (size_t at = 0; at < len; at += stride()) {
		assert_true(expect_same(data, at) < 0);
		data[at] ^= 1u << at % 8;
		assert_true(expect_same(data, len) < 0);
		data[at] ^= 1u << at % 8;
	}
}

static void test_golden(void **state)
{
	static const char *const names[] = {"tests/golden/image.zst", "tests/golden/stream.zst"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t len;
		uint8_t *data = test_image_golden(names[i], &len);

		images_damaged(data, len);
		free(data);
	}
}

/* With a CHECKPOINT and chunks on either side. */
static void test_small(void **state)
{
	struct test_image image;

	(void)state;
	test_image_small(&image);
	images_damaged(image.data, image.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
