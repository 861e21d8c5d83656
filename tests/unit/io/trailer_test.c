// SPDX-License-Identifier: GPL-2.0-or-later
/* What is no image, and what is a damaged one: by the last bytes of a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/trailer.h"

#define FRAMES (1 + IMAGE_FRAMES_BESIDE)
#define JSON   2
#define FRONT  4096 /* what stands before the trailer */

/* The trailer of an image of one chunk, as long as its numbers say. */
#define BEFORE	(IMAGE_TABLE_HEADER + IMAGE_ENTRY + IMAGE_MANIFEST_HEADER)
#define TRAILER (BEFORE + JSON + IMAGE_SUM_FRAME + image_seek_size(FRAMES))

/* What trailer_find says of the last LEN bytes of a file with this SUM, and a seek table of FRAMES.
 */
static int found(const struct image_sum *sum, uint64_t len, struct trailer *ret)
{
	uint64_t seek = image_seek_size(FRAMES), size = FRONT + TRAILER;
	static uint8_t file[FRONT + 4096];
	int fd = memfd_create("trailer", MFD_CLOEXEC);

	assert_true(size <= sizeof(file));
	memset(file, 0, sizeof(file));
	image_sum_put(sum, file + size - seek - IMAGE_SUM_FRAME);
	image_seek_footer_put(FRAMES, file + size - IMAGE_SEEK_FOOTER);
	assert_int_equal(write(fd, file + size - len, len), len);
	int r = trailer_find(fd, len, ret);
	close(fd);
	return r;
}

static struct image_sum sum_good(void)
{
	return (struct image_sum){
		.file_size = FRONT + TRAILER, .trailer_size = TRAILER, .entries = 1};
}

static void test_good(void **state)
{
	struct image_sum sum = sum_good();
	struct trailer trailer;

	(void)state;
	assert_int_equal(found(&sum, sum.file_size, &trailer), 0);
	assert_int_equal(trailer.table, FRONT);
	assert_int_equal(trailer.json_len, JSON);
	assert_int_equal(trailer.seek, sum.file_size - image_seek_size(FRAMES));
	assert_int_equal(trailer.frames, FRAMES);
}

/* Too short for what ends an image; with all of SUM there, it is one that lacks the rest. */
static void test_short(void **state)
{
	const uint64_t behind = image_seek_size(FRAMES) + IMAGE_SUM_FRAME;
	const uint64_t none[] = {0, IMAGE_SEEK_FOOTER - 1, IMAGE_SEEK_FOOTER, behind - 1};
	struct image_sum sum = sum_good();
	struct trailer trailer;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(found(&sum, none[i], &trailer), -ENOMSG);
	assert_int_equal(found(&sum, behind, &trailer), -EBADMSG);
}

/* Numbers that do not fit together; what cannot be at all is no SUM of ours. */
static void test_numbers(void **state)
{
	const struct image_sum good = sum_good();
	const struct {
		int64_t file_size, trailer_size, entries;
		int r;
	} cases[] = {
		{1, 0, 0, -EBADMSG},
		{-1, 0, 0, -EBADMSG},
		{0, FRONT + 1, 0, -ENOMSG},
		{0, 1 - JSON, 0, -EBADMSG},
		{0, -(int64_t)good.trailer_size, 0, -ENOMSG},
		{0, IMAGE_ENTRY + IMAGE_SEEK_ENTRY, 1, -EBADMSG},
		{0, 0, 1, -ENOMSG},
		{0, 0, -2, -ENOMSG},
	};
	struct trailer trailer;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct image_sum sum = good;

		sum.file_size += cases[i].file_size;
		sum.trailer_size += cases[i].trailer_size;
		sum.entries += cases[i].entries;
		assert_int_equal(found(&sum, good.file_size, &trailer), cases[i].r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests_name("trailer", tests, NULL, NULL);
}
