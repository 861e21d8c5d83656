// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "codec/bytes.h"
#include "codec/image_redo.h"

#define LIMIT 1000u

static const uint8_t frame[] = "a frame", mark[] = "its CHECKPOINT";

static struct image_redo redo_of_three(void)
{
	return (struct image_redo){
		.transfer_id = {1, [15] = 16},
		.count = 3,
		.parts = {{.at = 100, .len = sizeof(frame), .bytes = frame},
			  {.at = 108, .len = 5},
			  {.at = LIMIT - sizeof(mark), .len = sizeof(mark), .bytes = mark}},
	};
}

/* The hash is right whatever was changed. */
static void seal(uint8_t *buf, size_t len)
{
	bytes_put64(buf + len - 8, digest_stored(buf + 8, len - 16));
}

static void comes_back(void **state)
{
	struct image_redo redo = redo_of_three(), back;
	uint8_t buf[200], zeros[5] = {0};
	int len = image_redo_put(&redo, buf, sizeof(buf));

	(void)state;
	assert_int_equal(len, image_redo_size(&redo));
	assert_int_equal(image_redo_length(buf + len - IMAGE_REDO_FOOTER), len);
	assert_int_equal(image_redo_get(buf, len, LIMIT, &back), 0);
	assert_memory_equal(back.transfer_id, redo.transfer_id, 16);
	assert_int_equal(back.count, 3);
	for (int i = 0; i < 3; i++) {
		const struct image_redo_part *part = &redo.parts[i];

		assert_int_equal(back.parts[i].at, part->at);
		assert_int_equal(back.parts[i].len, part->len);
		assert_memory_equal(back.parts[i].bytes, part->bytes ? part->bytes : zeros,
				    part->len);
	}
}

static void puts_nothing_wrong(void **state)
{
	struct image_redo redo = redo_of_three();
	uint8_t buf[200];

	(void)state;
	assert_int_equal(image_redo_put(&redo, buf, image_redo_size(&redo) - 1), -ENOBUFS);
	redo.count = 0;
	assert_int_equal(image_redo_put(&redo, buf, sizeof(buf)), -EINVAL);
	redo.count = IMAGE_REDO_PARTS + 1;
	assert_int_equal(image_redo_put(&redo, buf, sizeof(buf)), -EINVAL);
	redo.count = 1;
	redo.parts[0].len = UINT32_MAX;
	assert_int_equal(image_redo_put(&redo, buf, sizeof(buf)), -EINVAL);
}

/* Whatever bit is another, and wherever it ends. */
static void refuses_damage(void **state)
{
	struct image_redo redo = redo_of_three(), back;
	uint8_t buf[200];
	int len = image_redo_put(&redo, buf, sizeof(buf));

	(void)state;
	for (int bit = 0; bit < 8 * len; bit++) {
		buf[bit / 8] ^= 1 << bit % 8;
		assert_int_equal(image_redo_get(buf, len, LIMIT, &back), -EBADMSG);
		buf[bit / 8] ^= 1 << bit % 8;
	}
	for (int cut = 0; cut < len; cut++)
		assert_int_equal(image_redo_get(buf, cut, LIMIT, &back), -EBADMSG);
	assert_int_equal(image_redo_get(buf, len, LIMIT, &back), 0);
}

/* A frame with the right hash, made by somebody else. */
static void refuses_lies(void **state)
{
	/* What is written WIDTH bytes wide at a place of the frame, whose first part begins at 40.
	 */
	static const struct {
		size_t at, width;
		uint64_t value;
	} lies[] = {
		{4, 4, 90}, /* the frame's length */
		{12, 1, 6}, /* its kind */
		{32, 4, 0}, /* parts */
		{32, 4, 2}, /* ... fewer than there are */
		{32, 4, 4}, /* ... more */
		{32, 4, IMAGE_REDO_PARTS + 1},
		{36, 4, 1},	    /* zeros */
		{40, 8, LIMIT - 7}, /* a part that ends behind the limit */
		{40, 8, LIMIT + 1},
		{40, 8, UINT64_MAX - 3},
		{48, 4, 9}, /* its length: the next part begins nowhere */
		{48, 4, UINT32_MAX},
		{52, 4, 1},
	};
	struct image_redo redo = redo_of_three(), back;
	uint8_t buf[200];

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		int len = image_redo_put(&redo, buf, sizeof(buf));

		assert_int_equal(image_redo_get(buf, len, LIMIT, &back), 0);
		bytes_put(buf + lies[i].at, lies[i].value, lies[i].width);
		seal(buf, len);
		assert_int_equal(image_redo_get(buf, len, LIMIT, &back), -EBADMSG);
	}
	int len = image_redo_put(&redo, buf, sizeof(buf));
	assert_int_equal(image_redo_get(buf, len, LIMIT - 1, &back), -EBADMSG);
	bytes_put64(buf + len - IMAGE_REDO_FOOTER, len - 1);
	seal(buf, len);
	assert_int_equal(image_redo_get(buf, len, LIMIT, &back), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(puts_nothing_wrong),
		cmocka_unit_test(refuses_damage),
		cmocka_unit_test(refuses_lies),
	};

	return cmocka_run_group_tests_name("image_redo", tests, NULL, NULL);
}
