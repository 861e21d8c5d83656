// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec_test.h"

#include "codec/bytes.h"
#include "codec/gpt.h"

#define COUNT 128u /* entries, of 128 bytes */
#define ENTRY 128u
#define ARRAY (COUNT * ENTRY)

/* Bit by bit, so that it cannot be wrong in the way that a table can. */
static uint32_t crc32_of(const uint8_t *data, size_t len)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

static void header_seal(uint8_t *header)
{
	bytes_put32(header + 16, 0);
	bytes_put32(header + 16, crc32_of(header, bytes_get32(header + 12)));
}

static void entry_put(uint8_t *array, unsigned int index, uint64_t first, uint64_t last)
{
	memset(array + index * ENTRY, 0xa0 + (int)index, 32); /* type and UUID */
	bytes_put64(array + index * ENTRY + 32, first);
	bytes_put64(array + index * ENTRY + 40, last);
}

static size_t head_size(uint32_t sector)
{
	return 2 * sector + ARRAY;
}

/* The beginning of a disk of SECTORS sectors, with partitions that end with sector 999. */
static uint8_t *head_make(uint32_t sector, uint64_t sectors)
{
	uint8_t *head = calloc(1, head_size(sector)), *header, *array;
	uint64_t backup = ARRAY / sector + 1;

	assert_non_null(head);
	header = head + sector;
	array = head + 2 * sector;
	head[446 + 4] = 0xee;
	bytes_put32(head + 446 + 8, 1);
	bytes_put32(head + 446 + 12, sectors - 1 > UINT32_MAX ? UINT32_MAX : sectors - 1);
	bytes_put16(head + 510, 0xaa55);
	entry_put(array, 0, 100, 199);
	entry_put(array, 5, 400, 999);
	entry_put(array, COUNT - 1, 300, 399);
	memcpy(header, "EFI PART", 8);
	bytes_put32(header + 8, 0x10000);
	bytes_put32(header + 12, 92);
	bytes_put64(header + 24, 1);
	bytes_put64(header + 32, sectors - 1);
	bytes_put64(header + 40, 2 + ARRAY / sector);
	bytes_put64(header + 48, sectors - 1 - backup);
	bytes_put64(header + 72, 2);
	bytes_put32(header + 80, COUNT);
	bytes_put32(header + 84, ENTRY);
	bytes_put32(header + 88, crc32_of(array, ARRAY));
	header_seal(header);
	return head;
}

static const uint32_t sectors_of[] = {512, 4096};

static void a_table_is_read(void **state)
{
	struct gpt gpt;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint32_t sector = sectors_of[i];
		uint8_t *head = head_make(sector, 2000);

		assert_int_equal(gpt_read(head, head_size(sector), 0, &gpt), 0);
		assert_int_equal(gpt.sector, sector);
		assert_int_equal(gpt_read(head, head_size(sector), sector, &gpt), 0);
		assert_int_equal(gpt.end, 1000);
		assert_int_equal(gpt.backup, 1999);
		assert_int_equal(gpt.array, 2);
		assert_int_equal(gpt_backup_size(&gpt), ARRAY + sector);
		/* Of the other size there is none. */
		assert_int_equal(gpt_read(head, head_size(sector), sectors_of[!i], &gpt), -ENOMSG);
		/* Without the last entry's last byte it cannot be judged. */
		uint8_t *cut = test_copy(head, head_size(sector) - 1);

		assert_int_equal(gpt_read(cut, head_size(sector) - 1, sector, &gpt), -EBADMSG);
		free(cut);
		free(head);
	}
}

static void no_table_is_told_apart(void **state)
{
	uint8_t zeros[1024] = {0};
	struct gpt gpt;

	(void)state;
	assert_int_equal(gpt_read(zeros, sizeof(zeros), 0, &gpt), -ENOMSG);
	assert_int_equal(gpt_read(zeros, sizeof(zeros), 512, &gpt), -ENOMSG);
	assert_int_equal(gpt_read(zeros, sizeof(zeros), 1, &gpt), -ENOMSG);
	assert_int_equal(gpt_read(zeros, 600, 512, &gpt), -ENOMSG);
	assert_int_equal(gpt_read(zeros, 0, 0, &gpt), -ENOMSG);
}

/* Every byte of the header and of the entries counts. */
static void damage_is_seen(void **state)
{
	uint8_t *head = head_make(512, 2000);
	struct gpt gpt;

	(void)state;
	for (size_t at = 512 + 8; at < head_size(512); at++) {
		if (at >= 512 + 92 && at < 1024) /* behind the header nothing is said */
			continue;
		head[at] ^= 1;
		if (gpt_read(head, head_size(512), 512, &gpt) != -EBADMSG)
			fail_msg("the change of byte %zu was not seen", at);
		head[at] ^= 1;
	}
	assert_int_equal(gpt_read(head, head_size(512), 512, &gpt), 0);
	free(head);
}

/* Right checksums, and nonsense. */
static void assert_strange(size_t offset, uint64_t value, size_t width)
{
	uint8_t *head = head_make(512, 2000);
	struct gpt gpt;

	bytes_put(head + 512 + offset, value, width);
	header_seal(head + 512);
	if (gpt_read(head, head_size(512), 512, &gpt) != -EBADMSG)
		fail_msg("%llu in the header's field at %zu was taken", (unsigned long long)value,
			 offset);
	free(head);
}

static void nonsense_is_refused(void **state)
{
	(void)state;
	assert_strange(8, 0x20000, 4);
	assert_strange(24, 2, 8);
	assert_strange(32, 100, 8);
	assert_strange(32, UINT64_MAX, 8);
	assert_strange(40, 0, 8);
	assert_strange(40, 33, 8);
	assert_strange(40, UINT64_MAX, 8);
	assert_strange(48, 998, 8);
	assert_strange(48, UINT64_MAX, 8);
	assert_strange(72, 0, 8);
	assert_strange(72, 1, 8);
	assert_strange(72, 3, 8);
	assert_strange(72, UINT64_MAX, 8);
	assert_strange(72, UINT64_MAX / 512 + 3, 8);
	assert_strange(80, 0, 4);
	assert_strange(80, 129, 4);
	assert_strange(80, UINT32_MAX, 4);
	assert_strange(84, 0, 4);
	assert_strange(84, 64, 4);
	assert_strange(84, UINT32_MAX, 4);
}

/* A move to SECTORS sectors and what has to come of it. */
static void assert_moved(uint32_t sector, uint64_t from, uint64_t to)
{
	uint8_t *head = head_make(sector, from), *before = test_copy(head, head_size(sector));
	struct gpt gpt, moved;
	uint64_t offset;

	assert_int_equal(gpt_read(head, head_size(sector), sector, &gpt), 0);
	uint64_t size = gpt_backup_size(&gpt);
	uint8_t *backup = malloc(size);
	const uint8_t *header = backup + size - sector;

	assert_non_null(backup);
	assert_int_equal(gpt_move(&gpt, head, to * sector, backup, &offset), 0);
	assert_int_equal(offset, to * sector - size);
	assert_int_equal(gpt_read(head, head_size(sector), sector, &moved), 0);
	assert_int_equal(moved.backup, to - 1);
	assert_int_equal(moved.last, to - 1 - size / sector);
	assert_int_equal(moved.end, gpt.end);
	assert_int_equal(bytes_get32(head + 446 + 12), to - 1 > UINT32_MAX ? UINT32_MAX : to - 1);
	/* The entries, and all else of the first two sectors, are as they were. */
	assert_memory_equal(head + 2 * sector, before + 2 * sector, ARRAY);
	assert_memory_equal(backup, before + 2 * sector, ARRAY);
	assert_memory_equal(head, before, 446 + 12);
	assert_memory_equal(head + 446 + 16, before + 446 + 16, sector - 446 - 16);
	/* The backup speaks of itself. */
	assert_memory_equal(header, before + sector, 16);
	assert_int_equal(bytes_get64(header + 24), to - 1);
	assert_int_equal(bytes_get64(header + 32), 1);
	assert_int_equal(bytes_get64(header + 48), moved.last);
	assert_int_equal(bytes_get64(header + 72), to - size / sector);
	uint8_t *copy = test_copy(header, sector);

	header_seal(copy);
	assert_memory_equal(header, copy, sector);
	free(copy);
	free(backup);
	free(before);
	free(head);
}

static void the_backup_moves(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint64_t backup = ARRAY / sectors_of[i] + 1;

		assert_moved(sectors_of[i], 2000, 2001);
		assert_moved(sectors_of[i], 2000, 20000000);
		assert_moved(sectors_of[i], 2000, 1ull << 33);
		assert_moved(sectors_of[i], 1ull << 33, 1ull << 34);
		assert_moved(sectors_of[i], 1ull << 33, 1999);
		assert_moved(sectors_of[i], 2000, 2000);
		assert_moved(sectors_of[i], 2000, 1000 + backup);
	}
}

static void a_partition_is_never_cut(void **state)
{
	uint8_t *head = head_make(512, 2000), *before = test_copy(head, head_size(512));
	uint8_t backup[ARRAY + 512];
	struct gpt gpt;
	uint64_t offset;

	(void)state;
	assert_int_equal(gpt_read(head, head_size(512), 512, &gpt), 0);
	assert_int_equal(gpt_move(&gpt, head, 1032 * 512, backup, &offset), -ENOSPC);
	assert_int_equal(gpt_move(&gpt, head, 1033 * 512 - 1, backup, &offset), -ENOSPC);
	assert_int_equal(gpt_move(&gpt, head, 0, backup, &offset), -ENOSPC);
	assert_memory_equal(head, before, head_size(512));
	assert_int_equal(gpt_move(&gpt, head, 1033 * 512 + 511, backup, &offset), 0);
	free(before);
	free(head);
}

/* Whatever its size was: a disk that was larger than its table said is put right too. */
static void a_protective_entry_alone_covers_the_disk(void **state)
{
	uint8_t *head = head_make(512, 2000);
	uint8_t backup[ARRAY + 512];
	struct gpt gpt;
	uint64_t offset;

	(void)state;
	bytes_put32(head + 446 + 12, 99);
	assert_int_equal(gpt_read(head, head_size(512), 512, &gpt), 0);
	assert_int_equal(gpt_move(&gpt, head, 4000 * 512, backup, &offset), 0);
	assert_int_equal(bytes_get32(head + 446 + 12), 3999);
	free(head);
}

/* A hybrid MBR's own entries, and a protective one that never covered the disk, stay. */
static void other_entries_of_the_mbr_stay(void **state)
{
	uint8_t *head = head_make(512, 2000);
	uint8_t backup[ARRAY + 512];
	struct gpt gpt;
	uint64_t offset;

	(void)state;
	bytes_put32(head + 446 + 12, 99);
	head[446 + 16 + 4] = 0x0c;
	bytes_put32(head + 446 + 16 + 12, 1999);
	assert_int_equal(gpt_read(head, head_size(512), 512, &gpt), 0);
	assert_int_equal(gpt_move(&gpt, head, 4000 * 512, backup, &offset), 0);
	assert_int_equal(bytes_get32(head + 446 + 12), 99);
	assert_int_equal(bytes_get32(head + 446 + 16 + 12), 1999);
	free(head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_read),
		cmocka_unit_test(no_table_is_told_apart),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(the_backup_moves),
		cmocka_unit_test(a_partition_is_never_cut),
		cmocka_unit_test(a_protective_entry_alone_covers_the_disk),
		cmocka_unit_test(other_entries_of_the_mbr_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
