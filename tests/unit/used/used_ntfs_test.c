// SPDX-License-Identifier: GPL-2.0-or-later
/* An NTFS made by hand, with one thing wrong in it at a time, and one bit. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/bytes.h"
#include "used/used_kinds.h"

#define CLUSTER		   512u
#define CLUSTERS	   8192u
#define SIZE		   (CLUSTERS * CLUSTER + CLUSTER) /* and the copy of the boot sector */
#define MFT		   (16u * CLUSTER)
#define RECORDS		   26u
#define MIRROR		   (100u * CLUSTER)
#define BITS		   (120u * CLUSTER) /* of the first half of the clusters */
#define MORE		   (130u * CLUSTER) /* of the second one */
#define LOG		   (200u * CLUSTER)
#define LOG_LEN		   (32u * CLUSTER)
#define INDEX		   (300u * CLUSTER) /* three blocks, of which the last two are in use */
#define SLEEP		   (6000u * CLUSTER)
#define BLOCK		   4096u
#define RECORD(number)	   (MFT + 1024u * (number))
#define ATTR(number, slot) (RECORD(number) + 56 + 192 * (slot))

struct wrong {
	const char *doubt; /* how it begins; NULL: none */
	uint32_t at, width;
	uint64_t value;
	bool late; /* changed when fixups and the copy are there already */
};

static uint8_t disk[SIZE];
static const char *doubt;

static void put(uint32_t at, uint32_t width, uint64_t value)
{
	bytes_put(disk + at, value, width);
}

static void use(uint32_t offset, uint32_t len)
{
	for (uint32_t i = offset / CLUSTER; i < (offset + len) / CLUSTER; i++)
		disk[(i < CLUSTERS / 2 ? BITS : MORE) + i % (CLUSTERS / 2) / 8] |= 1u << i % 8;
}

static void make_attr(uint32_t at, uint32_t type, const char *name)
{
	put(at, 4, type);
	put(at + 4, 4, 192);
	put(at + 9, 1, strlen(name));
	put(at + 10, 2, 24);
	for (uint32_t i = 0; name[i]; i++)
		put(at + 24 + 2 * i, 2, (uint8_t)name[i]);
	put(at + 192, 4, UINT32_MAX);
}

static void make_value(uint32_t at, uint32_t type, const char *name, uint32_t len)
{
	make_attr(at, type, name);
	put(at + 16, 4, len);
	put(at + 20, 2, 40);
}

/* In two runs where there is a second one, with a byte for its length. */
static void make_runs(uint32_t at, uint32_t type, const char *name, uint32_t offset, uint32_t len,
		      uint32_t second)
{
	make_attr(at, type, name);
	put(at + 8, 1, 1);
	put(at + 10, 2, 64);
	for (uint32_t i = 0; name[i]; i++)
		put(at + 64 + 2 * i, 2, (uint8_t)name[i]);
	put(at + 32, 2, 72);
	put(at + 40, 8, len);
	put(at + 48, 8, len);
	put(at + 56, 8, len);
	put(at + 72, 1, 0x21);
	put(at + 73, 1, (second ? len / 2 : len) / CLUSTER);
	put(at + 74, 2, offset / CLUSTER);
	if (second) {
		put(at + 76, 1, 0x21);
		put(at + 77, 1, len / 2 / CLUSTER);
		put(at + 78, 2, second / CLUSTER - offset / CLUSTER);
		use(second, len / 2);
	}
	use(offset, second ? len / 2 : len);
}

static void make_record(uint32_t number)
{
	uint32_t at = RECORD(number);

	put(at, 4, 0x454c4946);
	put(at + 4, 2, 48);
	put(at + 6, 2, 3);
	put(at + 16, 2, 1);
	put(at + 20, 2, 56);
	put(at + 22, 2, 1);
	put(at + 24, 4, 1024);
	put(at + 44, 4, number);
	put(at + 48, 2, 7);
	put(at + 56, 4, UINT32_MAX);
}

static void make_name(uint32_t at, uint64_t parent, const char *name)
{
	make_value(at, 0x30, "", 66 + 2 * (uint32_t)strlen(name));
	put(at + 40, 8, UINT64_C(5) << 48 | parent);
	put(at + 40 + 64, 1, strlen(name));
	for (uint32_t i = 0; name[i]; i++)
		put(at + 40 + 66 + 2 * i, 2, (uint8_t)name[i]);
}

static void make_page(uint32_t at, uint64_t written)
{
	put(at, 4, 0x52545352);
	put(at + 4, 2, 30);
	put(at + 6, 2, 9);
	put(at + 16, 4, BLOCK);
	put(at + 20, 4, BLOCK);
	put(at + 24, 2, 48);
	put(at + 26, 2, 1);
	put(at + 28, 2, 1);
	put(at + 30, 2, 5);
	put(at + 48, 8, written);
	put(at + 48 + 14, 2, 2);
}

static void make(void)
{
	memset(disk, 0, SIZE);
	memcpy(disk + 3, "NTFS    ", 8);
	put(11, 2, CLUSTER);
	put(13, 1, 1);
	put(40, 8, CLUSTERS);
	put(48, 8, MFT / CLUSTER);
	put(56, 8, MIRROR / CLUSTER);
	put(64, 1, 0xf6);
	for (uint32_t i = 0; i < 8; i++)
		make_record(i);
	make_record(24);
	make_record(25);
	put(RECORD(24) + 22, 2, 0); /* no file, and another's number */
	put(RECORD(24) + 44, 4, 0);
	make_runs(ATTR(0, 0), 0x80, "", MFT, RECORDS * 1024, 0);
	make_runs(ATTR(1, 0), 0x80, "", MIRROR, 4096, 0);
	make_runs(ATTR(2, 0), 0x80, "", LOG, LOG_LEN, 0);
	make_value(ATTR(3, 0), 0x70, "", 12);
	put(ATTR(3, 0) + 40 + 8, 2, 0x0103);
	make_runs(ATTR(6, 0), 0x80, "", BITS, 1024, MORE);
	make_runs(ATTR(7, 0), 0x80, "", 0, MFT, 0);
	make_name(ATTR(25, 0), 5, "hiberFIL.SYS");
	make_runs(ATTR(25, 1), 0x80, "", SLEEP, 4096, 0);
	make_page(LOG, 77);
	make_page(LOG + BLOCK, 76);
}

static void protect(uint32_t at, uint32_t size)
{
	uint32_t fix = at + bytes_get16(disk + at + 4);

	for (uint32_t end = at + 510; bytes_get32(disk + at) && end < at + size; end += 512) {
		fix += 2;
		memcpy(disk + fix, disk + end, 2);
		memcpy(disk + end, disk + at + bytes_get16(disk + at + 4), 2);
	}
}

static void protect_all(void)
{
	for (uint32_t i = 0; i < RECORDS; i++)
		protect(RECORD(i), 1024);
	for (uint32_t i = 0; i < 2 && disk[LOG] == 'R'; i++)
		protect(LOG + i * BLOCK, BLOCK);
	memcpy(disk + MIRROR, disk + MFT, 4096);
}

static int disk_get(void *from, uint64_t offset, void *buf, size_t len)
{
	(void)from;
	assert_true(offset <= SIZE && len <= SIZE - offset);
	memcpy(buf, disk + offset, len);
	return 0;
}

/* What is free, or NULL with a doubt. */
static struct spare *look(void)
{
	const struct probe_area area = {.read = disk_get, .size = SIZE};
	struct spare *spare = spare_new(SIZE);

	assert_non_null(spare);
	doubt = NULL;
	int r = used_ntfs(&area, spare, &doubt);

	if (r == 0) {
		assert_int_equal(spare_finish(spare), 0);
		return spare;
	}
	assert_int_equal(r, -EUCLEAN);
	assert_non_null(doubt);
	spare_free(spare);
	return NULL;
}

/* All clusters that no file has, in ranges that are long enough. */
static void assert_all(const struct spare *spare)
{
	static const uint32_t ranges[][2] = {
		{RECORD(RECORDS), MIRROR},
		{MORE + CLUSTER, LOG},
		{LOG + LOG_LEN, SLEEP},
		{SLEEP + BLOCK, CLUSTERS * CLUSTER},
	};
	struct spare_range range;
	uint64_t at = 0;

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		assert_true(spare_next(spare, at, &range));
		assert_int_equal(range.start, ranges[i][0]);
		assert_int_equal(range.end, ranges[i][1]);
		at = range.end;
	}
	assert_false(spare_next(spare, at, &range));
}

static void assert_wrong(const struct wrong *wrong, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		make();
		if (!wrong[i].late)
			put(wrong[i].at, wrong[i].width, wrong[i].value);
		protect_all();
		if (wrong[i].late)
			put(wrong[i].at, wrong[i].width, wrong[i].value);
		struct spare *spare = look();

		if (!wrong[i].doubt != !doubt ||
		    (doubt && strncmp(doubt, wrong[i].doubt, strlen(wrong[i].doubt)) != 0))
			fail_msg("%zu: %s", i, doubt ? doubt : "no doubt");
		if (spare)
			assert_all(spare);
		spare_free(spare);
	}
}
#define ASSERT_WRONG(wrong) assert_wrong(wrong, sizeof(wrong) / sizeof((wrong)[0]))

static void what_is_free_is_found(void **state)
{
	(void)state;
	make();
	protect_all();
	struct spare *spare = look();

	assert_null(doubt);
	assert_all(spare);
	spare_free(spare);
}

static void what_was_not_put_down_is_used(void **state)
{
	static const struct wrong wrong[] = {
		{"it is marked as damaged", ATTR(3, 0) + 50, 2, 0x0001, false},
		{"it is marked as damaged", ATTR(3, 0) + 50, 2, 0x4000, false},
		{NULL, ATTR(3, 0) + 50, 2, 0x8000, false},
		{"its version", ATTR(3, 0) + 48, 2, 0x0002, false},
		{NULL, ATTR(3, 0) + 48, 2, 0x0201, false},
		{"it was not unmounted", LOG + 48 + 14, 2, 0, false},
		{"it was not unmounted", LOG + 48 + 12, 4, 0, false},
		{NULL, LOG + 48 + 12, 4, 0xffff, false},    /* no flag, no client */
		{NULL, LOG + BLOCK + 48 + 14, 2, 0, false}, /* of before */
		{NULL, LOG + BLOCK + 48, 8, 78, false},
		{"it was not unmounted", LOG + 28, 2, 2, false}, /* a Windows that starts fast */
		{NULL, LOG + BLOCK + 28, 2, 2, false},
		{"its log is damaged", LOG + BLOCK, 4, 0, false},
		{"its log is damaged", LOG + 16, 4, 8192, false},
		{"its log is damaged", LOG + 24, 2, 480, false},
		{"its log is damaged", LOG + 1022, 2, 6, true},
		{"its log is damaged", LOG, 1, 0xff, true},
		{"a file of its own is damaged, or in", ATTR(2, 0) + 48, 8, 4096, false},
		{"a file of its own is too short", ATTR(2, 0) + 56, 8, 4096, false},
		{"a Windows sleeps", SLEEP, 4, 0x72626968, false},
		{"a Windows sleeps", SLEEP, 4, 0x52424948, false},
		{"a Windows sleeps", SLEEP, 4, 0x52545352, false},
		{"a Windows sleeps", SLEEP + 4095, 1, 1, false},
		{NULL, SLEEP, 4, 0x656b6177, false},
		{NULL, SLEEP, 4, 0x454b4157, false},
		{NULL, ATTR(25, 1) + 56, 8, 0, false}, /* nothing of it was ever written */
		{"a Windows may sleep", ATTR(25, 1) + 8, 1, 0, false},
		{"a Windows may sleep", ATTR(25, 1), 4, 0x100, false},
		{"a Windows may sleep", ATTR(25, 2), 8, UINT64_C(192) << 32 | 0x20, false},
		{"a Windows may sleep", RECORD(25) + 32, 8, UINT64_C(1) << 48 | 24, false},
		{"a file of its own is too short", ATTR(25, 1) + 12, 2, 1, false},
	};

	(void)state;
	ASSERT_WRONG(wrong);
}

static void what_contradicts_itself_is_used(void **state)
{
	static const struct wrong wrong[] = {
		{"its boot sector", 40, 8, CLUSTERS + 2, false},
		{"its boot sector", 56, 8, CLUSTERS, false},
		{"a record of its MFT", 48, 8, 20, false},
		{"its MFT does not begin", ATTR(0, 0) + 74, 2, 17, false},
		{"a file of its own is damaged", ATTR(0, 0) + 73, 1, 2, false},
		{"a file of its own is damaged, or in", ATTR(0, 1), 8, UINT64_C(192) << 32 | 0x20,
		 false},
		{"its MFT and the copy", MIRROR + 3 * 1024 + 600, 1, 1, true},
		{"a record of its MFT", MIRROR + 3 * 1024 + 510, 1, 1, true},
		{"a record of its MFT", RECORD(6) + 510, 1, 1, true},
		{"a record of its MFT", RECORD(20), 4, 0x44414142, false},
		{NULL, RECORD(24) + 510, 1, 1, true},
		{"its map is of another size", 40, 8, CLUSTERS + 1, false},
		{"a file of its own is damaged, or in", ATTR(6, 0) + 48, 8, 1023, false},
		{"its map is of another size", ATTR(6, 0) + 48, 8, 1537, false},
		{"a file of its own is too short", ATTR(6, 0) + 56, 8, 1023, false},
		{"a file of its own is damaged, or in", ATTR(6, 1), 8, UINT64_C(192) << 32 | 0x20,
		 false},
		{"a file of its own is damaged", ATTR(6, 0) + 76, 1, 0, false},
		{"a file of its own is damaged", ATTR(6, 0) + 76, 4, 0x0101, false}, /* a hole */
		{"a file of it goes on in what is free", BITS, 4, 0, false},
		{"a file of it goes on in what is free", BITS + 8, 1, 0x07, false},
		{"a file of it goes on in what is free", BITS + 12, 1, 0xe0, false},
		{"a file of it goes on in what is free", BITS + 16, 1, 0, false},
		{"a file of it goes on in what is free", MORE + 238, 1, 0x7f, false},
		{"a file of it goes on in what is free", ATTR(25, 1) + 74, 2, 6001, false},
	};

	(void)state;
	ASSERT_WRONG(wrong);
}

/* Of a flipped bit comes a doubt, or nothing that is in use becomes free. */
static void a_flipped_bit_frees_nothing(void **state)
{
	static const uint32_t places[][2] = {
		{0, 80}, {MFT, RECORDS * 1024}, {MIRROR, 4096}, {LOG, 2 * 80}};
	struct spare_range range;
	uint32_t doubts = 0;

	(void)state;
	srand(1);
	for (int i = 0; i < 3000; i++) {
		const uint32_t *place = places[i % 4];
		uint32_t at = place[0] + (uint32_t)rand() % place[1];

		/* Most of a record is zero. */
		make();
		for (int try = 0; try < 50 && disk[at] == 0; try++)
			at = place[0] + (uint32_t)rand() % place[1];
		protect_all();
		disk[at] ^= 1u << rand() % 8;
		struct spare *spare = look();

		doubts += !spare;
		for (uint64_t end = 0; spare && spare_next(spare, end, &range); end = range.end) {
			for (uint64_t c = range.start / CLUSTER; c < range.end / CLUSTER; c++)
				assert_false(disk[(c < CLUSTERS / 2 ? BITS : MORE) +
						  c % (CLUSTERS / 2) / 8] >>
						     c % 8 &
					     1);
		}
		spare_free(spare);
	}
	assert_in_range(doubts, 1000, 2999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_free_is_found),
		cmocka_unit_test(what_was_not_put_down_is_used),
		cmocka_unit_test(what_contradicts_itself_is_used),
		cmocka_unit_test(a_flipped_bit_frees_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
