// SPDX-License-Identifier: GPL-2.0-or-later
/* Sources that are read again from any chunk on: a file, an image, a partition of one. */
#include "../io/view_test.h"

#include "codec/chunk.h"
#include "source/source.h"

#define CHUNKS 4

struct seeking {
	struct source *source;
	struct digest digests[CHUNKS];
	uint64_t count;
};

/* All chunks, once. */
static void seeking_open(struct seeking *seeking, int fd, int partition)
{
	struct source_chunk chunk;
	char path[32], why[512];

	memset(seeking, 0, sizeof(*seeking));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(source_open(path, PACK_LEVEL_DEFAULT, partition, &seeking->source, why,
				     sizeof(why)),
			 0);
	seeking->count = chunk_count(&source_head(seeking->source)->map);
	assert_true(seeking->count <= CHUNKS);
	while (source_next(seeking->source, &chunk) == 1)
		seeking->digests[chunk.index] = chunk.entry.digest;
	assert_int_equal(chunk.index, seeking->count - 1);
}

/* From every chunk on, in the midst of all and behind the end, and with digests in between. */
static void seeking_check(struct seeking *seeking)
{
	const struct image_head *head = source_head(seeking->source);
	uint32_t identity_len = head->identity_len;
	char *identity = strndup(head->identity, identity_len);
	struct source_chunk chunk;
	struct digest digest;

	for (uint64_t from = seeking->count + 1; from-- > 0;) {
		assert_int_equal(source_seek(seeking->source, from), 0);
		for (uint64_t i = from; i < seeking->count; i++) {
			uint64_t at = seeking->count - 1 - i;

			assert_int_equal(source_digest(seeking->source, at, &digest), 0);
			assert_true(digest_equal(&digest, &seeking->digests[at]));
			assert_int_equal(source_next(seeking->source, &chunk), 1);
			assert_int_equal(chunk.index, i);
			assert_true(digest_equal(&chunk.entry.digest, &seeking->digests[i]));
		}
		assert_int_equal(source_next(seeking->source, &chunk), 0);
	}
	assert_int_equal(head->identity_len, identity_len);
	assert_memory_equal(head->identity, identity, identity_len);
	free(identity);
	source_close(seeking->source);
}

static void test_file(void **state)
{
	int fd = test_image_file("front", 5);
	struct seeking seeking;

	(void)state;
	/* Holes before, between and behind. */
	assert_int_equal(pwrite(fd, "x", 1, 5 << 20), 1);
	assert_int_equal(ftruncate(fd, (12 << 20) + 7), 0);
	seeking_open(&seeking, fd, 0);
	assert_int_equal(seeking.count, 4);
	seeking_check(&seeking);
	close(fd);
}

/* What changes between is seen. */
static void test_change(void **state)
{
	int fd = test_image_file("front", 5);
	struct seeking seeking;
	struct digest digest;

	(void)state;
	assert_int_equal(ftruncate(fd, 5 << 20), 0);
	seeking_open(&seeking, fd, 0);
	assert_int_equal(pwrite(fd, "x", 1, (5 << 20) - 1), 1);
	assert_int_equal(source_digest(seeking.source, 0, &digest), 0);
	assert_true(digest_equal(&digest, &seeking.digests[0]));
	assert_int_equal(source_digest(seeking.source, 1, &digest), 0);
	assert_false(digest_equal(&digest, &seeking.digests[1]));
	assert_int_equal(ftruncate(fd, 4 << 20), 0);
	assert_true(source_digest(seeking.source, 1, &digest) < 0);
	assert_non_null(strstr(source_why(seeking.source), "cannot be read at byte 4194304"));
	source_close(seeking.source);
	close(fd);
}

static void test_image(void **state)
{
	struct test_image image;
	struct seeking seeking;

	(void)state;
	test_image_small(&image);
	int fd = test_image_file(image.data, image.len);

	seeking_open(&seeking, fd, 0);
	assert_int_equal(seeking.count, 4);
	seeking_check(&seeking);
	close(fd);
}

static void test_partition(void **state)
{
	struct test_image image;
	struct seeking seeking;

	(void)state;
	test_image_small(&image);
	int fd = test_image_file(image.data, image.len);

	seeking_open(&seeking, fd, 7);
	assert_int_equal(seeking.count, 1);
	seeking_check(&seeking);
	close(fd);
}

/* Any bytes of the disk: those of a file, of the one in an image, and of a partition there. */
static void test_peek(void **state)
{
	struct seeking seeking;
	struct test_image image;
	char text[4] = "";

	(void)state;
	int fd = test_image_file("front", 5);
	seeking_open(&seeking, fd, 0);
	assert_int_equal(source_peek(seeking.source, 1, text, 4), 0);
	assert_memory_equal(text, "ront", 4);
	assert_int_equal(source_peek(seeking.source, 2, text, 4), -ERANGE);
	assert_int_equal(source_peek(seeking.source, UINT64_MAX, text, 4), -ERANGE);
	source_close(seeking.source);
	close(fd);
	test_image_small(&image);
	fd = test_image_file(image.data, image.len);
	seeking_open(&seeking, fd, 0);
	assert_int_equal(source_peek(seeking.source, 2 * TEST_CHUNK - 2, text, 4), 0);
	assert_memory_equal(text, "\0\0\0c", 4);
	source_close(seeking.source);
	seeking_open(&seeking, fd, 7);
	assert_int_equal(source_peek(seeking.source, TEST_CHUNK - 4, text, 4), 0);
	assert_memory_equal(text, "cccc", 4);
	assert_int_equal(source_peek(seeking.source, TEST_CHUNK - 3, text, 4), -ERANGE);
	source_close(seeking.source);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),  cmocka_unit_test(test_change),
		cmocka_unit_test(test_image), cmocka_unit_test(test_partition),
		cmocka_unit_test(test_peek),
	};

	return cmocka_run_group_tests_name("source_seek", tests, NULL, NULL);
}
