// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A small image is cut at every byte, and every bit of it is flipped: the walk over its frames,
 * verify as a whole and load each have to see it.
 */
#include "view_test.h"

#include "io/load.h"
#include "io/verify.h"

/* Under valgrind a sample has to do: every eleventh cut and every 97th bit. */
static size_t stride(size_t sample)
{
	return RUNNING_ON_VALGRIND ? sample : 1;
}

static const struct verify_options one = {.threads = 1};

static int verified(const void *data, size_t len, unsigned int threads, struct verify_result *ret)
{
	struct verify_options options = {.threads = threads};
	int fd = test_image_file(data, len);
	int r = verify_file(fd, &options, ret);

	if (r < 0)
		assert_true(ret->why[0]);
	close(fd);
	return r;
}

/* The walk alone: what verify_file does where the trailer is right. */
static int walked(int fd)
{
	struct verify_result result;
	struct view *view = NULL;
	int r = view_open(fd, &view);

	if (r == 0)
		r = verify_view(view, &one, &result);
	view_close(view);
	return r;
}

static int loaded(int fd)
{
	struct load_chunk chunk;
	struct load *load = NULL;
	int r;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	r = load_new(fd, &load);
	if (r == 0)
		while ((r = load_next(load, &chunk)) == 1)
			;
	load_free(load);
	return r;
}

static void verify_test_every_cut(void **state)
{
	static struct test_image image;
	struct verify_result result;

	(void)state;
	test_image_small(&image);
	for (size_t cut = 0; cut < image.len; cut += stride(11)) {
		int fd = test_image_file(image.data, cut);

		if (walked(fd) >= 0 || loaded(fd) >= 0 || verify_file(fd, &one, &result) >= 0)
			fail_msg("cut at %zu of %zu bytes, and accepted", cut, image.len);
		assert_true(result.why[0]);
		close(fd);
	}
}

static void verify_test_every_bit(void **state)
{
	static struct test_image image;
	struct verify_result result;

	(void)state;
	test_image_small(&image);
	int fd = test_image_file(image.data, image.len);

	assert_int_equal(walked(fd), 0);
	assert_int_equal(loaded(fd), 0);
	for (size_t bit = 0; bit < 8 * image.len; bit += stride(97)) {
		uint8_t flipped = image.data[bit / 8] ^ (1u << bit % 8);

		assert_int_equal(pwrite(fd, &flipped, 1, bit / 8), 1);
		if (walked(fd) >= 0)
			fail_msg("bit %zu of byte %zu flipped, and the walk accepts it", bit % 8,
				 bit / 8);
		if (loaded(fd) >= 0)
			fail_msg("bit %zu of byte %zu flipped, and load accepts it", bit % 8,
				 bit / 8);
		if (verify_file(fd, &one, &result) >= 0)
			fail_msg("bit %zu of byte %zu flipped, and accepted", bit % 8, bit / 8);
		assert_true(result.why[0]);
		assert_int_equal(pwrite(fd, &image.data[bit / 8], 1, bit / 8), 1);
	}
	close(fd);
}

static void verify_test_golden(void **state)
{
	size_t len;
	uint8_t *data = test_image_golden("tests/golden/image.zst", &len);
	struct verify_result result;
	char root[DIGEST_TEXT];

	(void)state;
	for (unsigned int threads = 0; threads <= 4; threads++) {
		assert_int_equal(verified(data, len, threads, &result), 0);
		digest_format(&result.root, root);
		assert_string_equal(root, "e85692217356aec61b9d8f133784fad6");
		assert_int_equal(result.chunks, 7);
		assert_int_equal(result.size, 25084);
		assert_int_equal(result.file_size, len);
	}
	free(data);
}

static void says(const struct verify_result *result, const char *what)
{
	if (!strstr(result->why, what))
		fail_msg("'%s' does not say '%s'", result->why, what);
}

static size_t place(const struct test_image *image, uint32_t frame)
{
	size_t at = 0;

	for (uint32_t i = 0; i < frame; i++)
		at += image->stored[i];
	return at;
}

/* Frames of the small image: 0 a, 1 HEAD, 2 zeros, 3 CHECKPOINT, 4 c, 5 d, 6 PAD. */
static void verify_test_names(void **state)
{
	static struct test_image image;
	struct verify_result result;

	(void)state;
	test_image_small(&image);
	image.data[place(&image, 4) + 12] ^= 1;
	assert_int_equal(verified(image.data, image.len, 4, &result), -EBADMSG);
	says(&result,
	     "chunk 2 (device bytes 8192 to 12287, in partition 7, ext4 \"root\") is damaged");
	image.data[place(&image, 0) + 12] ^= 1;
	assert_int_equal(verified(image.data, image.len, 4, &result), -EBADMSG);
	says(&result, "chunk 0 (device bytes 0 to 4095, outside all partitions) is damaged");

	test_image_small(&image);
	image.data[place(&image, 3) + 40] ^= 1;
	assert_int_equal(verified(image.data, image.len, 2, &result), -EBADMSG);
	says(&result, "the CHECKPOINT of chunks 0 to 1");

	test_image_small(&image);
	image.data[place(&image, 6) + 20] ^= 1;
	assert_int_equal(verified(image.data, image.len, 2, &result), -EBADMSG);
	says(&result, "the PAD behind chunk 3");
}

/* Two frames of one length, each where the other was. */
static void verify_test_reordered(void **state)
{
	static struct test_image image;
	struct verify_result result;
	uint8_t frame[64];

	(void)state;
	test_image_small(&image);
	size_t a = place(&image, 0), c = place(&image, 4), len = image.stored[0];

	assert_int_equal(len, image.stored[4]);
	memcpy(frame, image.data + a, len);
	memcpy(image.data + a, image.data + c, len);
	memcpy(image.data + c, frame, len);
	assert_int_equal(verified(image.data, image.len, 1, &result), -EBADMSG);
	says(&result, "chunk 0 (device bytes 0 to 4095, outside all partitions) is chunk 2's: "
		      "frames have changed places");
}

/* What the format asks of a writer, under sums that are all right. */
static void verify_test_wrong_writer(void **state)
{
	static struct test_image image;
	struct verify_result result;
	const struct {
		uint32_t flags;
		bool checkpoint;
		const char *why;
	} cases[] = {
		{IMAGE_ENTRY_ZERO, false, "chunk 1 (device bytes 4096 to 4105) is not the one"},
		{0, true, "a CHECKPOINT stands there that can speak of no chunk"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		test_image_start(&image, TEST_CHUNK + 10);
		test_image_chunk(&image, 'a');
		image.flags = cases[i].flags;
		test_image_chunk(&image, 'b');
		if (cases[i].checkpoint) {
			size_t at = image.len;

			test_image_checkpoint(&image);
			memcpy(image.data + image.len, image.data + at, image.len - at);
			test_image_frame(&image, image.len - at, 0);
		}
		test_image_finish(&image, json_object());
		assert_int_equal(verified(image.data, image.len, 1, &result), -EBADMSG);
		says(&result, cases[i].why);
	}

	/* A slot without its PAD, and a PAD without a slot. */
	for (int slot = 0; slot < 2; slot++) {
		test_image_start(&image, TEST_CHUNK + 10);
		image.flags = slot ? 0 : IMAGE_ENTRY_SLOT;
		test_image_chunk(&image, 'a');
		if (slot)
			image.entries[0].flags |= IMAGE_ENTRY_SLOT;
		else
			image.entries[0].flags &= ~(uint32_t)IMAGE_ENTRY_SLOT;
		test_image_chunk(&image, 'b');
		test_image_finish(&image, json_object());
		assert_int_equal(verified(image.data, image.len, 1, &result), -EBADMSG);
	}
}

static void verify_test_incomplete(void **state)
{
	static struct test_image image;
	struct verify_result result;

	(void)state;
	test_image_small(&image);
	assert_int_equal(verified(image.data, place(&image, 3) - 1, 1, &result), -ENODATA);
	says(&result, "not complete; no CHECKPOINT stands before that");
	assert_int_equal(verified(image.data, place(&image, 5), 1, &result), -ENODATA);
	says(&result, "up to the CHECKPOINT behind chunk 1 (8192 of 12298 bytes of the device)");
	assert_int_equal(verified(image.data, image.len - 1, 1, &result), -ENODATA);
	assert_int_equal(result.chunks, 4);
	/* Damage, and not only an end, shows from the front too. */
	image.data[place(&image, 4) + 12] ^= 1;
	assert_int_equal(verified(image.data, image.len - 1, 1, &result), -EBADMSG);
	says(&result, "chunk 2");
	says(&result, "; it is right up to the CHECKPOINT behind chunk 1");
}

static void verify_test_pipe(void **state)
{
	static struct test_image image;
	struct verify_result result;
	int fds[2];

	(void)state;
	test_image_small(&image);
	for (int cut = 0; cut < 2; cut++) {
		assert_int_equal(pipe(fds), 0);
		assert_int_equal(write(fds[1], image.data, image.len - cut), image.len - cut);
		close(fds[1]);
		assert_int_equal(verify_file(fds[0], &one, &result), cut ? -ENODATA : 0);
		assert_int_equal(result.file_size, 0);
		close(fds[0]);
	}
}

static void tell(void *arg, uint64_t done, uint64_t total)
{
	uint64_t *last = arg;

	assert_true(done >= *last && done <= total);
	assert_int_equal(total, 25084);
	*last = done;
}

static void verify_test_tells(void **state)
{
	uint64_t last = 0;
	struct verify_options options = {.threads = 2, .tell = tell, .arg = &last};
	struct verify_result result;
	size_t len;
	uint8_t *data = test_image_golden("tests/golden/image.zst", &len);
	int fd = test_image_file(data, len);

	(void)state;
	assert_int_equal(verify_file(fd, &options, &result), 0);
	assert_int_equal(last, 25084);
	last = 0;
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(verify_stream(fd, &options, &result), 0);
	assert_string_equal(result.why, "");
	assert_int_equal(last, 25084);
	close(fd);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verify_test_golden),
		cmocka_unit_test(verify_test_every_cut),
		cmocka_unit_test(verify_test_every_bit),
		cmocka_unit_test(verify_test_names),
		cmocka_unit_test(verify_test_reordered),
		cmocka_unit_test(verify_test_incomplete),
		cmocka_unit_test(verify_test_wrong_writer),
		cmocka_unit_test(verify_test_pipe),
		cmocka_unit_test(verify_test_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
