// SPDX-License-Identifier: GPL-2.0-or-later
/* The golden image as a device of bytes: every window, what is kept, what is damaged. */
#include "view_test.h"

#include "codec/manifest_table.h"
#include "io/view_device.h"

struct golden {
	uint8_t *image, *raw;
	size_t image_len, raw_len;
	int fd;
	struct view *view;
};

static void golden_open(struct golden *golden)
{
	golden->image = test_image_golden("tests/golden/image.zst", &golden->image_len);
	golden->raw = test_image_golden("tests/golden/device.raw", &golden->raw_len);
	golden->fd = test_image_file(golden->image, golden->image_len);
	assert_int_equal(view_open(golden->fd, &golden->view), 0);
}

static void golden_close(struct golden *golden)
{
	view_close(golden->view);
	close(golden->fd);
	free(golden->image);
	free(golden->raw);
}

static struct view_device *open_window(const struct view *view, uint64_t start, uint64_t size)
{
	struct view_device *device;

	assert_int_equal(view_device_open(view, start, size, &device), 0);
	assert_int_equal(view_device_size(device), size);
	return device;
}

static void view_device_test_every_place(void **state)
{
	static const size_t lens[] = {1, 2, 511, 4096, 4097, 9000};
	static uint8_t buf[32768];
	struct golden golden;

	(void)state;
	golden_open(&golden);
	struct view_device *device = open_window(golden.view, 0, golden.raw_len);

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		for (size_t at = 0; at + lens[i] <= golden.raw_len; at += 509) {
			assert_int_equal(view_device_read(device, buf, lens[i], at), 0);
			assert_memory_equal(buf, golden.raw + at, lens[i]);
		}
	assert_int_equal(view_device_read(device, buf, golden.raw_len, 0), 0);
	assert_memory_equal(buf, golden.raw, golden.raw_len);
	/* All seven chunks fit. */
	assert_int_equal(view_device_loads(device), 7);
	view_device_close(device);
	golden_close(&golden);
}

static void view_device_test_window(void **state)
{
	uint8_t buf[8192];
	struct golden golden;
	struct view_device *device;

	(void)state;
	golden_open(&golden);
	device = open_window(golden.view, 5000, 6000);
	assert_int_equal(view_device_read(device, buf, 6000, 0), 0);
	assert_memory_equal(buf, golden.raw + 5000, 6000);
	assert_int_equal(view_device_loads(device), 2);
	assert_int_equal(view_device_read(device, buf, 1, 5999), 0);
	assert_int_equal(view_device_read(device, buf, 0, 6000), 0);
	assert_int_equal(view_device_read(device, buf, 1, 6000), -ERANGE);
	assert_int_equal(view_device_read(device, buf, 2, 5999), -ERANGE);
	assert_int_equal(view_device_read(device, buf, 1, UINT64_MAX), -ERANGE);
	assert_int_equal(view_device_read(device, buf, SIZE_MAX, 1), -ERANGE);
	view_device_close(device);

	assert_int_equal(view_device_open(golden.view, 0, golden.raw_len + 1, &device), -ERANGE);
	assert_int_equal(view_device_open(golden.view, golden.raw_len + 1, 0, &device), -ERANGE);
	assert_int_equal(view_device_open(golden.view, 1, UINT64_MAX, &device), -ERANGE);
	assert_int_equal(view_device_open(golden.view, UINT64_MAX, 1, &device), -ERANGE);
	device = open_window(golden.view, golden.raw_len, 0);
	assert_int_equal(view_device_read(device, buf, 1, 0), -ERANGE);
	view_device_close(device);
	golden_close(&golden);
}

/* A damaged chunk is named, and remembered until the next piece of work; the others are read. */
static void view_device_test_damage(void **state)
{
	uint8_t buf[4096];
	struct golden golden;
	const char *why;

	(void)state;
	golden_open(&golden);
	struct view_device *device = open_window(golden.view, 4096, 16384);
	/* In chunk 3, whose frame begins at 4496. */
	uint8_t byte = golden.image[4600] ^ 1;

	assert_int_equal(pwrite(golden.fd, &byte, 1, 4600), 1);
	view_device_begin(device, UINT64_MAX);
	assert_int_equal(view_device_read(device, buf, 4096, 4096), 0);
	assert_int_equal(view_device_failed(device, &why), 0);
	assert_string_equal(why, "");
	assert_int_equal(view_device_read(device, buf, 2, 8191), -EBADMSG);
	assert_int_equal(view_device_read(device, buf, 4096, 12288), 0);
	assert_memory_equal(buf, golden.raw + 16384, 4096);
	assert_int_equal(view_device_failed(device, &why), -EBADMSG);
	assert_string_equal(why, "chunk 3 (device byte 12288) is damaged");
	view_device_begin(device, UINT64_MAX);
	assert_int_equal(view_device_failed(device, &why), 0);
	view_device_close(device);
	golden_close(&golden);
}

/* The last sector of chunk 4 could not be read. */
static void view_device_test_unreadable(void **state)
{
	uint8_t buf[4096];
	struct golden golden;
	uint64_t offset, length;

	(void)state;
	golden_open(&golden);
	assert_true(
		manifest_range_get(view_manifest(golden.view), "unreadable", 0, &offset, &length));
	struct view_device *device = open_window(golden.view, 4096, golden.raw_len - 4096);

	view_device_begin(device, UINT64_MAX);
	assert_int_equal(view_device_read(device, buf, 16, offset - 4096 - 16), 0);
	assert_false(view_device_unreadable(device));
	assert_int_equal(view_device_read(device, buf, 1, offset - 4096 + length - 1), 0);
	assert_true(view_device_unreadable(device));
	view_device_begin(device, UINT64_MAX);
	assert_int_equal(view_device_read(device, buf, 1, offset - 4096 + length), 0);
	assert_false(view_device_unreadable(device));
	assert_int_equal(view_device_read(device, buf, 17, offset - 4096 - 16), 0);
	assert_true(view_device_unreadable(device));
	view_device_close(device);
	/* A window beside it knows nothing of it. */
	device = open_window(golden.view, 0, offset);
	assert_int_equal(view_device_read(device, buf, 16, offset - 16), 0);
	assert_false(view_device_unreadable(device));
	view_device_close(device);
	golden_close(&golden);
}

/* Every byte is asked for, of a device that lacks some in several places. */
static void view_device_test_many_ranges(void **state)
{
	static struct test_image image;
	struct view *view;
	char byte;

	(void)state;
	test_image_start(&image, 2 * TEST_CHUNK);
	image.flags = IMAGE_ENTRY_UNREADABLE;
	test_image_chunk(&image, 'a');
	image.flags = IMAGE_ENTRY_UNREADABLE;
	test_image_chunk(&image, 'b');
	test_image_finish(&image, json_pack("{s:[[i,i],[i,i],[i,i],[i,i]]}", "unreadable", 10, 20,
					    100, 1, 200, 50, 5000, 3));
	int fd = test_image_file(image.data, image.len);
	assert_int_equal(view_open(fd, &view), 0);
	struct view_device *device = open_window(view, 0, 2 * TEST_CHUNK);

	for (int at = 0; at < 2 * (int)TEST_CHUNK; at++) {
		bool lacks = (at >= 10 && at < 30) || at == 100 || (at >= 200 && at < 250) ||
			     (at >= 5000 && at < 5003);

		view_device_begin(device, UINT64_MAX);
		assert_int_equal(view_device_read(device, &byte, 1, at), 0);
		assert_int_equal(view_device_unreadable(device), lacks);
	}
	view_device_close(device);
	view_close(view);
	close(fd);
}

/* What reads in circles comes to an end. */
static void view_device_test_bound(void **state)
{
	uint8_t buf[512];
	struct golden golden;
	const char *why;
	int reads = 0;

	(void)state;
	golden_open(&golden);
	struct view_device *device = open_window(golden.view, 0, golden.raw_len);

	view_device_begin(device, 10000);
	while (view_device_read(device, buf, sizeof(buf), 0) == 0)
		reads++;
	assert_in_range(reads, 10, 20);
	assert_int_equal(view_device_failed(device, &why), -E2BIG);
	view_device_begin(device, 1);
	assert_int_equal(view_device_read(device, buf, 0, 0), -E2BIG);
	view_device_close(device);
	golden_close(&golden);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(view_device_test_every_place),
		cmocka_unit_test(view_device_test_window),
		cmocka_unit_test(view_device_test_damage),
		cmocka_unit_test(view_device_test_unreadable),
		cmocka_unit_test(view_device_test_many_ranges),
		cmocka_unit_test(view_device_test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
