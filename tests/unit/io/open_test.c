// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Images whose HEAD leaves the size open: of every length around a chunk's, from both ends, cut at
 * every byte and with every bit flipped, and by writers that do not keep to the format.
 */
#include "view_test.h"

#include "io/load.h"
#include "io/verify.h"

static const struct verify_options one = {.threads = 1};

/* Under valgrind a sample has to do. */
static size_t stride(size_t sample)
{
	return RUNNING_ON_VALGRIND ? sample : 1;
}

/* Both ways to verify. What they say of the file from its end is in RET. */
static int verified(const void *data, size_t len, struct verify_result *ret)
{
	struct verify_result walked;
	int fd = test_image_file(data, len);
	int r = verify_file(fd, &one, ret);

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	int streamed = verify_stream(fd, &one, &walked);

	if ((r < 0) != (streamed < 0))
		fail_msg("a file: %d %s; a pipe: %d %s", r, ret->why, streamed, walked.why);
	if (r < 0)
		assert_true(ret->why[0] && walked.why[0]);
	else
		assert_true(ret->size == walked.size && ret->chunks == walked.chunks &&
			    digest_equal(&ret->root, &walked.root));
	close(fd);
	return r;
}

static void says(const struct verify_result *result, const char *what)
{
	if (!strstr(result->why, what))
		fail_msg("'%s' does not say '%s'", result->why, what);
}

/* What store writes of SIZE bytes, whose last chunk is zeros. Returns its file. */
static int stored(uint64_t size)
{
	static const char identity[] = "{\"path\":\"-\",\"kind\":\"stream\"}";
	struct image_head head = {
		.transfer_id = {1},
		.map = {.size = CHUNK_OPEN, .chunk_size = TEST_CHUNK},
		.identity = identity,
		.identity_len = strlen(identity),
	};
	struct chunk_map map = {.size = size, .chunk_size = TEST_CHUNK};
	uint8_t content[TEST_CHUNK], frame[2 * TEST_CHUNK];
	json_t *manifest = json_object();
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct digest root;
	struct store *store;
	struct pack *pack;
	size_t len;

	assert_int_equal(store_new(fd, &head, &store), 0);
	assert_int_equal(pack_new(PACK_LEVEL_DEFAULT, &pack), 0);
	for (uint64_t i = 0; i < chunk_count(&map); i++) {
		uint32_t length = chunk_length(&map, i);
		struct image_entry entry = {0};

		memset(content, i + 1 == chunk_count(&map) ? 0 : (int)i + 1, length);
		if (length == TEST_CHUNK && chunk_is_zero(content, length)) {
			assert_int_equal(store_zero(store, 1, 0), 0);
			continue;
		}
		assert_int_equal(pack_chunk(pack, content, length, frame, sizeof(frame), &len), 0);
		digest_chunk(content, length, &entry.digest);
		entry.stored_hash = digest_stored(frame, len);
		entry.stored_size = len;
		assert_int_equal(store_chunk(store, &entry, frame), 0);
		/* Behind one that is not whole there is no other. */
		if (length < TEST_CHUNK) {
			assert_int_equal(store_chunk(store, &entry, frame), -EOVERFLOW);
			assert_int_equal(store_zero(store, 1, 0), -EOVERFLOW);
		}
	}
	assert_int_equal(store_finish(store, manifest, &root), 0);
	assert_int_equal(json_integer_value(json_object_get(manifest, "size")), size);
	json_decref(manifest);
	store_free(store);
	pack_free(pack);
	return fd;
}

static void open_test_every_length(void **state)
{
	static const uint64_t sizes[] = {0,
					 1,
					 TEST_CHUNK - 1,
					 TEST_CHUNK,
					 TEST_CHUNK + 1,
					 3 * TEST_CHUNK,
					 3 * TEST_CHUNK + 5};
	struct verify_result result;
	uint8_t buf[16384];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int fd = stored(sizes[i]);
		struct load *load;
		struct view *view;

		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(load_new(fd, &load), 0);
		assert_true(chunk_map_open(&load_head(load)->map));
		load_free(load);
		assert_int_equal(view_open(fd, &view), 0);
		assert_int_equal(view_head(view)->map.size, sizes[i]);
		view_close(view);
		ssize_t len = pread(fd, buf, sizeof(buf), 0);
		assert_int_equal(verified(buf, len, &result), 0);
		assert_int_equal(result.size, sizes[i]);
		close(fd);
	}
}

/* Nothing came, or less than that: there is no image to finish. */
static void open_test_store_of_nothing(void **state)
{
	struct image_head head = {
		.transfer_id = {1},
		.map = {.size = CHUNK_OPEN, .chunk_size = TEST_CHUNK},
		.identity = "{}",
		.identity_len = 2,
	};
	int fd = memfd_create("image", MFD_CLOEXEC);
	json_t *manifest = json_object();
	struct digest root;
	struct store *store;

	(void)state;
	assert_int_equal(store_new(fd, &head, &store), 0);
	assert_int_equal(store_finish(store, manifest, &root), -ENODATA);
	store_free(store);
	json_decref(manifest);
	close(fd);
}

static void open_test_every_cut(void **state)
{
	static struct test_image image;
	struct verify_result result;

	(void)state;
	test_image_small_open(&image);
	for (size_t cut = 0; cut < image.len; cut += stride(11))
		if (verified(image.data, cut, &result) >= 0)
			fail_msg("cut at %zu of %zu bytes, and accepted", cut, image.len);
}

static void open_test_every_bit(void **state)
{
	static struct test_image image;
	struct verify_result result;

	(void)state;
	test_image_small_open(&image);
	assert_int_equal(verified(image.data, image.len, &result), 0);
	assert_int_equal(result.size, 3 * TEST_CHUNK + 10);
	assert_int_equal(result.chunks, 4);
	for (size_t bit = 0; bit < 8 * image.len; bit += stride(97)) {
		image.data[bit / 8] ^= 1u << bit % 8;
		if (verified(image.data, image.len, &result) >= 0)
			fail_msg("bit %zu of byte %zu flipped, and accepted", bit % 8, bit / 8);
		image.data[bit / 8] ^= 1u << bit % 8;
	}
}

static size_t place(const struct test_image *image, uint32_t frame)
{
	size_t at = 0;

	for (uint32_t i = 0; i < frame; i++)
		at += image->stored[i];
	return at;
}

/* Frames of the small image: 0 a, 1 HEAD, 2 zeros, 3 CHECKPOINT, 4 c, 5 d, 6 PAD. */
static void open_test_names(void **state)
{
	static struct test_image image;
	struct verify_result result;

	(void)state;
	test_image_small_open(&image);
	image.data[place(&image, 5) + 8] ^= 1;
	assert_int_equal(verified(image.data, image.len, &result), -EBADMSG);
	says(&result, "chunk 3 (device bytes 12288 to 12297");
	test_image_small_open(&image);
	assert_int_equal(verified(image.data, place(&image, 5), &result), -ENODATA);
	says(&result, "up to the CHECKPOINT behind chunk 1 (8192 bytes of the stream)");
	assert_int_equal(result.size, 0);
	/* TABLE has begun: now it is known how many there were. */
	assert_int_equal(verified(image.data, image.len - 1, &result), -ENODATA);
	assert_int_equal(result.chunks, 4);
	assert_int_equal(result.size, 3 * TEST_CHUNK + 10);
}

/* What the format asks of a writer, under sums that are all right. */
static void open_test_wrong_writer(void **state)
{
	static struct test_image image;
	struct verify_result result;
	const struct {
		uint64_t size;	       /* that the trailer has */
		uint32_t middle, last; /* lengths of chunks 1 and 2; 0: as they should be */
		uint32_t lie;	       /* the seek table's for chunk 2; 0: right */
	} cases[] = {
		{2 * TEST_CHUNK + 9, 0, 0, 0},		     /* a byte less than there is */
		{2 * TEST_CHUNK, 0, 0, 0},		     /* a chunk less */
		{3 * TEST_CHUNK, 0, 0, 0},		     /* as if the last one were whole */
		{2 * TEST_CHUNK + 10, 100, 0, 0},	     /* short in the middle, */
		{TEST_CHUNK + 110, 100, 0, 0},		     /* and counted as that, */
		{3 * TEST_CHUNK - 1, 4095, 4096, 0},	     /* and the number of chunks is right */
		{2 * TEST_CHUNK + 9, 0, 0, 9},		     /* three agree, but not the frame */
		{2 * TEST_CHUNK + 10, 0, 0, TEST_CHUNK + 1}, /* longer than a chunk */
		{3 * TEST_CHUNK + 1, 0, 0, TEST_CHUNK + 1},
		{2 * TEST_CHUNK, 0, 0, UINT32_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		test_image_start(&image, 2 * TEST_CHUNK + 10);
		image.open = true;
		test_image_chunk(&image, 'a');
		image.length = cases[i].middle;
		test_image_chunk(&image, 'b');
		image.length = cases[i].last;
		test_image_chunk(&image, 'c');
		test_image_checkpoint(&image);
		if (cases[i].lie)
			image.content[3] = cases[i].lie;
		image.head.map.size = cases[i].size;
		test_image_finish(&image, json_object());
		if (verified(image.data, image.len, &result) != -EBADMSG)
			fail_msg("case %zu: accepted, or '%s'", i, result.why);
	}
	says(&result, "its seek table is damaged");
}

/* No chunk is empty but the only one. */
static void open_test_empty_chunk(void **state)
{
	static struct test_image image;
	struct verify_result result;

	(void)state;
	for (int first = 0; first < 2; first++) {
		/* A map of no bytes says so of its first chunk, and of what is behind it. */
		test_image_start(&image, first ? 0 : TEST_CHUNK);
		image.open = true;
		test_image_chunk(&image, 'a');
		if (first)
			image.length = 10;
		test_image_chunk(&image, 'b');
		image.head.map.size = first ? 10 : TEST_CHUNK;
		test_image_finish(&image, json_object());
		assert_int_equal(verified(image.data, image.len, &result), -EBADMSG);
	}
}

/* TABLE, MANIFEST and SUM of another image, which has a chunk less. */
static void open_test_other_trailer(void **state)
{
	static struct test_image image, other;
	struct verify_result result;

	(void)state;
	test_image_small_open(&image);
	test_image_start(&other, 2 * TEST_CHUNK);
	other.open = true;
	test_image_chunk(&other, 'a');
	test_image_chunk(&other, 0);
	test_image_finish(&other, json_object());
	size_t keep = place(&image, 7), cut = place(&other, 3);

	memcpy(image.data + keep, other.data + cut, other.len - cut);
	assert_int_equal(verified(image.data, keep + other.len - cut, &result), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_test_every_length),
		cmocka_unit_test(open_test_store_of_nothing),
		cmocka_unit_test(open_test_every_cut),
		cmocka_unit_test(open_test_every_bit),
		cmocka_unit_test(open_test_names),
		cmocka_unit_test(open_test_wrong_writer),
		cmocka_unit_test(open_test_empty_chunk),
		cmocka_unit_test(open_test_other_trailer),
	};

	return cmocka_run_group_tests_name("open", tests, NULL, NULL);
}
