// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec_test.h"

#include "codec/image.h"
#include "codec/pack.h"

static void image_set(uint8_t *buf, size_t offset, size_t width, uint64_t value)
{
	for (size_t i = 0; i < width; i++)
		buf[offset + i] = (uint8_t)(value >> (8 * i));
}

static void frame_tells_data_from_skippable_ones(void **state)
{
	uint8_t buf[16] = {0x28, 0xb5, 0x2f, 0xfd};
	struct image_frame frame;

	(void)state;
	test_unset(&frame, sizeof(frame));
	assert_int_equal(image_frame_get(buf, sizeof(buf), &frame), -ENOMSG);
	test_assert_unset(&frame, sizeof(frame));
	for (uint32_t magic = 0x184d2a50; magic <= 0x184d2a5f; magic++) {
		if (magic == IMAGE_MAGIC)
			continue;
		image_set(buf, 0, 4, magic);
		image_set(buf, 4, 4, UINT32_MAX);
		assert_int_equal(image_frame_get(buf, sizeof(buf), &frame), 0);
		assert_int_equal(frame.magic, magic);
		assert_int_equal(frame.size, UINT32_MAX);
	}
}

static void frame_refuses_all_else(void **state)
{
	static const uint32_t magics[] = {0,	      0x184d2a4f, 0x184d2a60, 0x184c2204,
					  0xfd2fb527, 0xfd2fb529, UINT32_MAX};
	uint8_t buf[16] = {0};
	struct image_frame frame;

	(void)state;
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		image_set(buf, 0, 4, magics[i]);
		assert_int_equal(image_frame_get(buf, sizeof(buf), &frame), -EBADMSG);
	}
}

static void frame_refuses_too_few_bytes(void **state)
{
	uint8_t whole[16] = {0x28, 0xb5, 0x2f, 0xfd};
	struct image_frame frame;

	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++) {
		uint8_t *part = test_copy(whole, len);

		assert_int_equal(image_frame_get(part, len, &frame), -EBADMSG);
		free(part);
	}
}

static void frame_knows_every_kind_and_no_other(void **state)
{
	uint8_t buf[16];
	struct image_frame frame;

	(void)state;
	assert_int_equal(image_pad_header_put(100, buf), 0);
	for (int kind = 0; kind < 256; kind++) {
		buf[12] = (uint8_t)kind;
		if (kind >= IMAGE_HEAD && kind <= IMAGE_PAD) {
			assert_int_equal(image_frame_get(buf, sizeof(buf), &frame), 0);
			assert_int_equal(frame.kind, kind);
			assert_int_equal(frame.size, 92);
		} else {
			assert_int_equal(image_frame_get(buf, sizeof(buf), &frame), -EBADMSG);
		}
	}
}

static void frame_refuses_a_wrong_tag(void **state)
{
	uint8_t buf[16];
	struct image_frame frame;

	(void)state;
	for (size_t i = 8; i < 16; i++) {
		assert_int_equal(image_pad_header_put(100, buf), 0);
		buf[i] ^= 0x40;
		assert_int_equal(image_frame_get(buf, sizeof(buf), &frame),
				 i == 13 ? -EPROTONOSUPPORT : -EBADMSG);
	}
	assert_int_equal(image_pad_header_put(100, buf), 0);
	image_set(buf, 4, 4, IMAGE_TAG - 1); /* no room for the tag */
	assert_int_equal(image_frame_get(buf, sizeof(buf), &frame), -EBADMSG);
}

static void pad_refuses_lengths_out_of_bounds(void **state)
{
	uint8_t buf[16];
	struct image_frame frame;

	(void)state;
	assert_int_equal(image_pad_header_put(15, buf), -EINVAL);
	assert_int_equal(image_pad_header_put(16, buf), 0);
	assert_int_equal(image_frame_get(buf, sizeof(buf), &frame), 0);
	assert_int_equal(frame.size, 8);
	assert_int_equal(image_pad_header_put((size_t)UINT32_MAX + 8, buf), 0);
	assert_int_equal(image_pad_header_put((size_t)UINT32_MAX + 9, buf), -EINVAL);
}

static void table_header_comes_back(void **state)
{
	uint8_t buf[IMAGE_TABLE_HEADER];
	uint64_t entries;

	(void)state;
	image_table_header_put(1, buf);
	assert_int_equal(image_table_header_get(buf, &entries), 0);
	assert_int_equal(entries, 1);
	image_table_header_put(CHUNK_COUNT_MOST, buf);
	assert_int_equal(image_table_header_get(buf, &entries), 0);
	assert_int_equal(entries, CHUNK_COUNT_MOST);
}

static void table_header_refuses_fields_out_of_bounds(void **state)
{
	uint8_t buf[IMAGE_TABLE_HEADER];
	uint64_t entries;

	(void)state;
	test_unset(&entries, sizeof(entries));
	image_table_header_put(CHUNK_COUNT_MOST + 1ull, buf);
	assert_int_equal(image_table_header_get(buf, &entries), -EBADMSG);
	image_table_header_put(0, buf);
	assert_int_equal(image_table_header_get(buf, &entries), -EBADMSG);
	image_table_header_put(5, buf);
	image_set(buf, 16, 8, 6);
	assert_int_equal(image_table_header_get(buf, &entries), -EBADMSG);
	image_set(buf, 16, 8, 5 + (1ull << 59)); /* times 32 wraps to 5 * 32 */
	assert_int_equal(image_table_header_get(buf, &entries), -EBADMSG);
	image_table_header_put(5, buf);
	buf[12] = IMAGE_SUM;
	assert_int_equal(image_table_header_get(buf, &entries), -EBADMSG);
	image_table_header_put(5, buf);
	buf[0] = 0x5e;
	assert_int_equal(image_table_header_get(buf, &entries), -EBADMSG);
	test_assert_unset(&entries, sizeof(entries));
}

static void manifest_header_has_bounds(void **state)
{
	static const struct {
		uint32_t len;
		int err;
	} cases[] = {{0, -EBADMSG},
		     {1, -EBADMSG},
		     {2, 0},
		     {IMAGE_MANIFEST_MOST, 0},
		     {IMAGE_MANIFEST_MOST + 1, -EBADMSG}};
	uint8_t buf[IMAGE_MANIFEST_HEADER];
	uint32_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		image_manifest_header_put(cases[i].len, buf);
		test_unset(&len, sizeof(len));
		assert_int_equal(image_manifest_header_get(buf, &len), cases[i].err);
		if (cases[i].err)
			test_assert_unset(&len, sizeof(len));
		else
			assert_int_equal(len, cases[i].len);
	}
	image_manifest_header_put(100, buf);
	buf[12] = IMAGE_HEAD;
	assert_int_equal(image_manifest_header_get(buf, &len), -EBADMSG);
}

/* The least that an image of three chunks can be. */
static struct image_sum image_test_sum(void)
{
	struct image_sum sum = {.entries = 3};

	sum.trailer_size = IMAGE_TABLE_HEADER + 3 * IMAGE_ENTRY + IMAGE_MANIFEST_HEADER +
			   IMAGE_SUM_FRAME + image_seek_size(3 + 4);
	sum.file_size = sum.trailer_size + 3 * PACK_FRAME_LEAST;
	memset(sum.digest.bytes, 0xda, DIGEST_SIZE);
	return sum;
}

static void sum_comes_back(void **state)
{
	struct image_sum sum = image_test_sum(), read;
	uint8_t buf[IMAGE_SUM_FRAME];

	(void)state;
	image_sum_put(&sum, buf);
	assert_int_equal(image_sum_get(buf, &read), 0);
	assert_memory_equal(&sum, &read, sizeof(sum));
	assert_memory_equal(buf + IMAGE_SUM_DIGEST, sum.digest.bytes, DIGEST_SIZE);
}

static int image_test_sum_get(const struct image_sum *sum)
{
	uint8_t buf[IMAGE_SUM_FRAME];
	struct image_sum read;
	int err;

	image_sum_put(sum, buf);
	test_unset(&read, sizeof(read));
	err = image_sum_get(buf, &read);
	if (err)
		test_assert_unset(&read, sizeof(read));
	return err;
}

static void sum_refuses_sizes_that_cannot_be(void **state)
{
	struct image_sum sum = image_test_sum();

	(void)state;
	assert_int_equal(image_test_sum_get(&sum), 0);
	sum.file_size--;
	assert_int_equal(image_test_sum_get(&sum), -EBADMSG);
	sum = image_test_sum();
	sum.trailer_size--;
	assert_int_equal(image_test_sum_get(&sum), -EBADMSG);
	sum = image_test_sum();
	sum.trailer_size = sum.file_size;
	assert_int_equal(image_test_sum_get(&sum), -EBADMSG);
	sum.trailer_size = UINT64_MAX;
	assert_int_equal(image_test_sum_get(&sum), -EBADMSG);
	sum = image_test_sum();
	sum.file_size = INT64_MAX;
	assert_int_equal(image_test_sum_get(&sum), 0);
	sum.file_size = 1ull << 63;
	assert_int_equal(image_test_sum_get(&sum), -EBADMSG);
}

static void sum_refuses_a_number_of_entries_that_cannot_be(void **state)
{
	struct image_sum sum = image_test_sum();

	(void)state;
	sum.entries = 1;
	assert_int_equal(image_test_sum_get(&sum), 0);
	sum.entries = 0;
	assert_int_equal(image_test_sum_get(&sum), -EBADMSG);
	sum.entries = 4;
	assert_int_equal(image_test_sum_get(&sum), -EBADMSG);
	sum.entries = 3 + (1ull << 59); /* times 32 wraps to 3 * 32 */
	assert_int_equal(image_test_sum_get(&sum), -EBADMSG);
	sum.entries = CHUNK_COUNT_MOST + 1ull;
	sum.trailer_size = 1ull << 60;
	sum.file_size = 1ull << 61;
	assert_int_equal(image_test_sum_get(&sum), -EBADMSG);
	sum.entries = CHUNK_COUNT_MOST;
	assert_int_equal(image_test_sum_get(&sum), 0);
}

static void sum_refuses_another_frame(void **state)
{
	struct image_sum sum = image_test_sum();
	uint8_t buf[IMAGE_SUM_FRAME];

	(void)state;
	for (size_t i = 0; i < 16; i++) {
		image_sum_put(&sum, buf);
		buf[i] ^= 1;
		assert_int_equal(image_sum_get(buf, &sum), -EBADMSG);
	}
}

static void seek_table_is_as_long_as_it_says(void **state)
{
	static const uint32_t counts[] = {1, 2, 6, 1u << 20, IMAGE_FRAMES_MOST};
	uint8_t header[IMAGE_SEEK_HEADER], footer[IMAGE_SEEK_FOOTER];
	uint32_t frames;

	(void)state;
	assert_int_equal(image_seek_size(6), 8 + 6 * 8 + 9);
	assert_int_equal(image_seek_size(IMAGE_FRAMES_MOST), 17 + (1ull << 30));
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		image_seek_header_put(counts[i], header);
		assert_int_equal(image_seek_header_get(header, &frames), 0);
		assert_int_equal(frames, counts[i]);
		image_seek_footer_put(counts[i], footer);
		assert_int_equal(image_seek_footer_get(footer, &frames), 0);
		assert_int_equal(frames, counts[i]);
	}
}

/* The seekable format 0.1.0 itself: a footer for two frames, without checksums. */
static void seek_table_has_the_known_bytes(void **state)
{
	static const uint8_t known_header[] = {0x5e, 0x2a, 0x4d, 0x18, 25, 0, 0, 0};
	static const uint8_t known_entry[] = {0x04, 0x03, 0x02, 0x01, 0, 0, 0x40, 0};
	static const uint8_t known_footer[] = {2, 0, 0, 0, 0, 0xb1, 0xea, 0x92, 0x8f};
	uint8_t header[IMAGE_SEEK_HEADER], entry[IMAGE_SEEK_ENTRY], footer[IMAGE_SEEK_FOOTER];
	uint32_t stored, content;

	(void)state;
	image_seek_header_put(2, header);
	assert_memory_equal(header, known_header, sizeof(header));
	image_seek_entry_put(0x01020304, 1u << 22, entry);
	assert_memory_equal(entry, known_entry, sizeof(entry));
	image_seek_entry_get(known_entry, &stored, &content);
	assert_int_equal(stored, 0x01020304);
	assert_int_equal(content, 1u << 22);
	image_seek_footer_put(2, footer);
	assert_memory_equal(footer, known_footer, sizeof(footer));
}

static void seek_header_refuses_malformed_ones(void **state)
{
	static const uint32_t sizes[] = {
		0, 8, 9, 16, 18, 24, 26, UINT32_MAX, 8 * (IMAGE_FRAMES_MOST + 1) + 9};
	uint8_t header[IMAGE_SEEK_HEADER];
	uint32_t frames;

	(void)state;
	test_unset(&frames, sizeof(frames));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		image_seek_header_put(1, header);
		image_set(header, 4, 4, sizes[i]);
		assert_int_equal(image_seek_header_get(header, &frames), -EBADMSG);
	}
	image_seek_header_put(1, header);
	header[0] = 0x5b;
	assert_int_equal(image_seek_header_get(header, &frames), -EBADMSG);
	test_assert_unset(&frames, sizeof(frames));
}

static void seek_footer_refuses_malformed_ones(void **state)
{
	uint8_t footer[IMAGE_SEEK_FOOTER];
	uint32_t frames;

	(void)state;
	test_unset(&frames, sizeof(frames));
	image_seek_footer_put(0, footer);
	assert_int_equal(image_seek_footer_get(footer, &frames), -EBADMSG);
	image_seek_footer_put(IMAGE_FRAMES_MOST + 1, footer);
	assert_int_equal(image_seek_footer_get(footer, &frames), -EBADMSG);
	for (size_t bit = 8 * 4; bit < 8 * IMAGE_SEEK_FOOTER; bit++) {
		image_seek_footer_put(7, footer);
		footer[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(image_seek_footer_get(footer, &frames), -EBADMSG);
	}
	test_assert_unset(&frames, sizeof(frames));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_tells_data_from_skippable_ones),
		cmocka_unit_test(frame_refuses_all_else),
		cmocka_unit_test(frame_refuses_too_few_bytes),
		cmocka_unit_test(frame_knows_every_kind_and_no_other),
		cmocka_unit_test(frame_refuses_a_wrong_tag),
		cmocka_unit_test(pad_refuses_lengths_out_of_bounds),
		cmocka_unit_test(table_header_comes_back),
		cmocka_unit_test(table_header_refuses_fields_out_of_bounds),
		cmocka_unit_test(manifest_header_has_bounds),
		cmocka_unit_test(sum_comes_back),
		cmocka_unit_test(sum_refuses_sizes_that_cannot_be),
		cmocka_unit_test(sum_refuses_a_number_of_entries_that_cannot_be),
		cmocka_unit_test(sum_refuses_another_frame),
		cmocka_unit_test(seek_table_is_as_long_as_it_says),
		cmocka_unit_test(seek_table_has_the_known_bytes),
		cmocka_unit_test(seek_header_refuses_malformed_ones),
		cmocka_unit_test(seek_footer_refuses_malformed_ones),
	};

	return cmocka_run_group_tests_name("image_trailer", tests, NULL, NULL);
}
