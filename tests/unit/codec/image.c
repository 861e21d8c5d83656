// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec_test.h"

#include "codec/image.h"
#include "codec/pack.h"

#define IMAGE_TEST_ROOM 4096

static const struct image_head image_test_head = {
	.transfer_id = {1},
	.map = {.size = 1000000, .chunk_size = CHUNK_SIZE},
	.logical_sector = 512,
	.physical_sector = 4096,
	.created = 1767225600,
	.identity = "{\"model\":\"x\"}",
	.identity_len = 13,
};

static const struct image_entry image_test_entry = {
	.stored_hash = 0x0102030405060708,
	.stored_size = 0x11223,
	.flags = IMAGE_ENTRY_UNREADABLE | IMAGE_ENTRY_SLOT,
};

/* Puts the right hash behind a HEAD or CHECKPOINT that was changed by hand. */
static void image_test_seal(uint8_t *frame, size_t len)
{
	uint64_t hash = digest_stored(frame + 8, len - 16);

	for (int i = 0; i < 8; i++)
		frame[len - 8 + i] = (uint8_t)(hash >> (8 * i));
}

static int image_test_head_get(const uint8_t *frame, size_t len)
{
	struct image_head head;
	int err;

	test_unset(&head, sizeof(head));
	err = image_head_get(frame, len, &head);
	if (err)
		test_assert_unset(&head, sizeof(head));
	return err;
}

static int image_test_checkpoint_get(const uint8_t *frame, size_t len)
{
	struct {
		const uint8_t *entries;
		uint64_t first;
		uint32_t count, unused;
	} out;
	int err;

	test_unset(&out, sizeof(out));
	err = image_checkpoint_get(frame, len, &out.first, &out.count, &out.entries);
	if (err)
		test_assert_unset(&out, sizeof(out));
	return err;
}

typedef int image_test_get(const uint8_t *frame, size_t len);

static void image_test_truncated(image_test_get *get, const uint8_t *frame, size_t len)
{
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = test_copy(frame, cut);

		if (get(part, cut) != -EBADMSG)
			fail_msg("cut to %zu of %zu bytes it was taken", cut, len);
		free(part);
	}
}

static void image_test_flipped(image_test_get *get, const uint8_t *frame, size_t len)
{
	uint8_t *changed = test_copy(frame, len);

	for (size_t bit = 0; bit < 8 * len; bit++) {
		changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (get(changed, len) == 0)
			fail_msg("with bit %zu of byte %zu flipped it was taken", bit % 8, bit / 8);
		changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	free(changed);
}

/* FRAME with WIDTH bytes at OFFSET set to VALUE is refused, although its hash is right. */
static void image_test_field(image_test_get *get, const uint8_t *frame, size_t len, size_t offset,
			     size_t width, uint64_t value)
{
	uint8_t *changed = test_copy(frame, len);

	for (size_t i = 0; i < width && offset + i < len; i++)
		changed[offset + i] = (uint8_t)(value >> (8 * i));
	image_test_seal(changed, len);
	if (get(changed, len) != -EBADMSG)
		fail_msg("with %llu at byte %zu it was taken", (unsigned long long)value, offset);
	free(changed);
}

/* FRAME cut to every length, its own length and its hash made right each time, is refused. */
static void image_test_shortened(image_test_get *get, const uint8_t *frame, size_t len)
{
	for (size_t cut = 24; cut < len; cut++) {
		uint8_t *part = test_copy(frame, cut);

		for (int i = 0; i < 4; i++)
			part[4 + i] = (uint8_t)((cut - 8) >> (8 * i));
		image_test_seal(part, cut);
		if (get(part, cut) != -EBADMSG)
			fail_msg("shortened to %zu of %zu bytes it was taken", cut, len);
		free(part);
	}
}

static void head_comes_back(void **state)
{
	uint8_t buf[IMAGE_TEST_ROOM];
	struct image_head read;
	size_t len = image_head_size(&image_test_head);

	(void)state;
	assert_int_equal(image_head_put(&image_test_head, buf, len), len);
	assert_int_equal(image_head_get(buf, len, &read), 0);
	assert_memory_equal(read.transfer_id, image_test_head.transfer_id, 16);
	assert_int_equal(read.map.size, 1000000);
	assert_int_equal(read.map.chunk_size, CHUNK_SIZE);
	assert_int_equal(read.logical_sector, 512);
	assert_int_equal(read.physical_sector, 4096);
	assert_int_equal(read.created, 1767225600);
	assert_int_equal(read.identity_len, 13);
	assert_memory_equal(read.identity, "{\"model\":\"x\"}", 13);
	assert_int_equal(image_head_put(&image_test_head, buf, len - 1), -ENOBUFS);
}

static void head_get_refuses_every_truncation_and_flipped_bit(void **state)
{
	uint8_t buf[IMAGE_TEST_ROOM] = {0};
	size_t len = image_head_size(&image_test_head);

	(void)state;
	assert_int_equal(image_head_put(&image_test_head, buf, len), len);
	image_test_truncated(image_test_head_get, buf, len);
	image_test_shortened(image_test_head_get, buf, len);
	image_test_flipped(image_test_head_get, buf, len);
	assert_int_equal(image_test_head_get(buf, len + 1), -EBADMSG);
}

static void head_get_refuses_fields_out_of_bounds(void **state)
{
	uint8_t buf[IMAGE_TEST_ROOM];
	size_t len = image_head_size(&image_test_head);

	(void)state;
	assert_int_equal(image_head_put(&image_test_head, buf, len), len);
	image_test_field(image_test_head_get, buf, len, 12, 1, IMAGE_CHECKPOINT); /* kind */
	image_test_field(image_test_head_get, buf, len, 14, 2, 1);		  /* zeros */
	image_test_field(image_test_head_get, buf, len, 16, 1, 0);		/* no transfer id */
	image_test_field(image_test_head_get, buf, len, 32, 8, UINT64_MAX - 1); /* size */
	image_test_field(image_test_head_get, buf, len, 32, 8, (1ull << 48) + 1);
	image_test_field(image_test_head_get, buf, len, 40, 8, 1ull << 63); /* created */
	image_test_field(image_test_head_get, buf, len, 48, 4, 0);	    /* chunk size */
	image_test_field(image_test_head_get, buf, len, 48, 4, CHUNK_SIZE * 2);
	image_test_field(image_test_head_get, buf, len, 48, 4, CHUNK_SIZE - 4096);
	image_test_field(image_test_head_get, buf, len, 52, 4, 1); /* logical sector */
	image_test_field(image_test_head_get, buf, len, 52, 4, 256);
	image_test_field(image_test_head_get, buf, len, 52, 4, 520);
	image_test_field(image_test_head_get, buf, len, 52, 4, 8192); /* above the physical one */
	image_test_field(image_test_head_get, buf, len, 56, 4, 511);
	image_test_field(image_test_head_get, buf, len, 60, 4, 12); /* the identity's length */
	image_test_field(image_test_head_get, buf, len, 60, 4, 14);
	image_test_field(image_test_head_get, buf, len, 60, 4, UINT32_MAX);
}

static void head_get_tells_another_version(void **state)
{
	uint8_t buf[IMAGE_TEST_ROOM];
	size_t len = image_head_size(&image_test_head);
	struct image_frame frame;

	(void)state;
	assert_int_equal(image_head_put(&image_test_head, buf, len), len);
	buf[13] = IMAGE_VERSION + 1;
	buf[12] = 77; /* kinds may be others then */
	assert_int_equal(image_test_head_get(buf, len), -EPROTONOSUPPORT);
	assert_int_equal(image_frame_get(buf, len, &frame), -EPROTONOSUPPORT);
}

static void head_put_refuses_fields_out_of_bounds(void **state)
{
	uint8_t buf[IMAGE_TEST_ROOM];
	struct image_head head = image_test_head;

	(void)state;
	head.transfer_id[0] = 0;
	assert_int_equal(image_head_put(&head, buf, sizeof(buf)), -EINVAL);
	head = image_test_head;
	head.map.chunk_size = 1000;
	assert_int_equal(image_head_put(&head, buf, sizeof(buf)), -EINVAL);
	head = image_test_head;
	head.logical_sector = 513;
	assert_int_equal(image_head_put(&head, buf, sizeof(buf)), -EINVAL);
	head = image_test_head;
	head.created = UINT64_MAX;
	assert_int_equal(image_head_put(&head, buf, sizeof(buf)), -EINVAL);
	head = image_test_head;
	head.identity_len = 1;
	assert_int_equal(image_head_put(&head, buf, sizeof(buf)), -EINVAL);
	head.identity_len = IMAGE_IDENTITY_MOST + 1;
	assert_int_equal(image_head_put(&head, buf, sizeof(buf)), -EINVAL);
	head = image_test_head;
	head.logical_sector = head.physical_sector = 0; /* a file */
	assert_int_equal(image_head_put(&head, buf, sizeof(buf)), image_head_size(&head));
}

static void head_takes_fields_at_their_bounds(void **state)
{
	uint8_t buf[IMAGE_TEST_ROOM];
	struct image_head head = image_test_head;

	(void)state;
	head.created = INT64_MAX;
	head.physical_sector = head.logical_sector;
	head.identity_len = 2;
	head.map.size = (uint64_t)CHUNK_COUNT_MOST * CHUNK_SIZE_MOST;
	assert_int_equal(image_head_put(&head, buf, sizeof(buf)), image_head_size(&head));
	assert_int_equal(image_test_head_get(buf, image_head_size(&head)), 0);
	head.physical_sector = 0;
	assert_int_equal(image_head_put(&head, buf, sizeof(buf)), image_head_size(&head));
	head.map.size = CHUNK_OPEN;
	assert_int_equal(image_head_put(&head, buf, sizeof(buf)), image_head_size(&head));
	assert_int_equal(image_test_head_get(buf, image_head_size(&head)), 0);
}

static void head_takes_the_longest_identity(void **state)
{
	struct image_head head = image_test_head, read;
	char *identity = calloc(1, IMAGE_IDENTITY_MOST);
	size_t len;
	uint8_t *buf;

	(void)state;
	assert_non_null(identity);
	head.identity = identity;
	head.identity_len = IMAGE_IDENTITY_MOST;
	len = image_head_size(&head);
	buf = malloc(len);
	assert_non_null(buf);
	assert_int_equal(image_head_put(&head, buf, len), len);
	assert_int_equal(image_head_get(buf, len, &read), 0);
	assert_ptr_equal(read.identity + read.identity_len + 8, buf + len);
	free(buf);
	free(identity);
}

static void entry_refuses_what_no_chunk_can_have(void **state)
{
	struct image_entry entry = image_test_entry, read;
	uint8_t buf[IMAGE_ENTRY];

	(void)state;
	image_entry_put(&entry, buf);
	assert_int_equal(image_entry_get(buf, &read), 0);
	assert_memory_equal(&entry, &read, sizeof(entry));
	entry.stored_size = PACK_FRAME_LEAST;
	assert_true(image_entry_valid(&entry));
	entry.stored_size = PACK_FRAME_MOST;
	assert_true(image_entry_valid(&entry));
	entry.flags = IMAGE_ENTRY_FLAGS + 1;
	test_unset(&read, sizeof(read));
	image_entry_put(&entry, buf);
	assert_int_equal(image_entry_get(buf, &read), -EBADMSG);
	entry.flags = 0;
	entry.stored_size = PACK_FRAME_LEAST - 1;
	image_entry_put(&entry, buf);
	assert_int_equal(image_entry_get(buf, &read), -EBADMSG);
	entry.stored_size = PACK_FRAME_MOST + 1;
	image_entry_put(&entry, buf);
	assert_int_equal(image_entry_get(buf, &read), -EBADMSG);
	test_assert_unset(&read, sizeof(read));
}

static void checkpoint_comes_back(void **state)
{
	struct image_entry entries[3] = {image_test_entry, image_test_entry, image_test_entry},
			   read;
	uint8_t buf[IMAGE_TEST_ROOM];
	size_t len = image_checkpoint_size(3);
	const uint8_t *raw;
	uint64_t first;
	uint32_t count;

	(void)state;
	entries[1].flags = 0;
	assert_int_equal(image_checkpoint_put(16, entries, 3, buf, len), len);
	assert_int_equal(image_checkpoint_get(buf, len, &first, &count, &raw), 0);
	assert_int_equal(first, 16);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(image_entry_get(raw + i * IMAGE_ENTRY, &read), 0);
		assert_memory_equal(&read, &entries[i], sizeof(read));
	}
	assert_int_equal(image_checkpoint_put(16, entries, 3, buf, len - 1), -ENOBUFS);
}

static void checkpoint_get_refuses_every_truncation_and_flipped_bit(void **state)
{
	struct image_entry entries[3] = {image_test_entry, image_test_entry, image_test_entry};
	uint8_t buf[IMAGE_TEST_ROOM] = {0};
	size_t len = image_checkpoint_size(3);

	(void)state;
	assert_int_equal(image_checkpoint_put(0, entries, 3, buf, len), len);
	image_test_truncated(image_test_checkpoint_get, buf, len);
	image_test_shortened(image_test_checkpoint_get, buf, len);
	image_test_flipped(image_test_checkpoint_get, buf, len);
	assert_int_equal(image_test_checkpoint_get(buf, len + 1), -EBADMSG);
}

static void checkpoint_get_refuses_fields_out_of_bounds(void **state)
{
	struct image_entry entries[3] = {image_test_entry, image_test_entry, image_test_entry};
	uint8_t buf[IMAGE_TEST_ROOM];
	size_t len = image_checkpoint_size(3);
	image_test_get *get = image_test_checkpoint_get;

	(void)state;
	assert_int_equal(image_checkpoint_put(0, entries, 3, buf, len), len);
	image_test_field(get, buf, len, 13, 1, 2); /* version: no reason of its own here */
	image_test_field(get, buf, len, 16, 8, CHUNK_COUNT_MOST - 2); /* first + count */
	image_test_field(get, buf, len, 16, 8, UINT64_MAX);
	image_test_field(get, buf, len, 24, 4, 0); /* count */
	image_test_field(get, buf, len, 24, 4, 2);
	image_test_field(get, buf, len, 24, 4, 4);
	image_test_field(get, buf, len, 24, 4, 0x08000003); /* times 32 wraps to 3 * 32 */
	image_test_field(get, buf, len, 24, 4, UINT32_MAX);
	image_test_field(get, buf, len, 28, 4, 1);	      /* zeros */
	image_test_field(get, buf, len, 32 + 64 + 24, 4, 0);  /* the last entry's frame size */
	image_test_field(get, buf, len, 32 + 64 + 28, 4, 16); /* ... flags */
}

static void checkpoint_put_refuses_fields_out_of_bounds(void **state)
{
	struct image_entry entries[1] = {image_test_entry};
	uint8_t buf[IMAGE_TEST_ROOM];

	(void)state;
	assert_int_equal(image_checkpoint_put(CHUNK_COUNT_MOST - 1, entries, 1, buf, sizeof(buf)),
			 image_checkpoint_size(1));
	assert_int_equal(image_test_checkpoint_get(buf, image_checkpoint_size(1)), 0);
	assert_int_equal(image_checkpoint_put(0, entries, 0, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(image_checkpoint_put(CHUNK_COUNT_MOST, entries, 1, buf, sizeof(buf)),
			 -EINVAL);
	assert_int_equal(image_checkpoint_put(UINT64_MAX, entries, 1, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(
		image_checkpoint_put(0, entries, IMAGE_CHECKPOINT_MOST + 1, buf, sizeof(buf)),
		-EINVAL);
	entries[0].stored_size = 0;
	assert_int_equal(image_checkpoint_put(0, entries, 1, buf, sizeof(buf)), -EINVAL);
}

static void checkpoint_takes_the_most_entries(void **state)
{
	struct image_entry *entries = malloc(IMAGE_CHECKPOINT_MOST * sizeof(*entries));
	size_t len = image_checkpoint_size(IMAGE_CHECKPOINT_MOST);
	uint8_t *buf = malloc(len);

	(void)state;
	assert_non_null(entries);
	assert_non_null(buf);
	for (size_t i = 0; i < IMAGE_CHECKPOINT_MOST; i++)
		entries[i] = image_test_entry;
	assert_int_equal(image_checkpoint_put(CHUNK_COUNT_MOST - IMAGE_CHECKPOINT_MOST, entries,
					      IMAGE_CHECKPOINT_MOST, buf, len),
			 len);
	assert_int_equal(image_test_checkpoint_get(buf, len), 0);
	free(buf);
	free(entries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(head_comes_back),
		cmocka_unit_test(head_get_refuses_every_truncation_and_flipped_bit),
		cmocka_unit_test(head_get_refuses_fields_out_of_bounds),
		cmocka_unit_test(head_get_tells_another_version),
		cmocka_unit_test(head_put_refuses_fields_out_of_bounds),
		cmocka_unit_test(head_takes_fields_at_their_bounds),
		cmocka_unit_test(head_takes_the_longest_identity),
		cmocka_unit_test(entry_refuses_what_no_chunk_can_have),
		cmocka_unit_test(checkpoint_comes_back),
		cmocka_unit_test(checkpoint_get_refuses_every_truncation_and_flipped_bit),
		cmocka_unit_test(checkpoint_get_refuses_fields_out_of_bounds),
		cmocka_unit_test(checkpoint_put_refuses_fields_out_of_bounds),
		cmocka_unit_test(checkpoint_takes_the_most_entries),
	};

	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
