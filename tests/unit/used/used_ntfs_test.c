// SPDX-License-Identifier: GPL-2.0-or-later
/* What mkntfs makes, with one thing wrong in it at a time. */
#include "used_test.h"

#include "codec/bytes.h"
#include "used/used_ntfs.h"

#define MKFS "mkntfs -q -Q -F \"$f\""
/* A file of 64 KiB of the character that it begins with, with that name, in one piece. */
#define PUT(name, first)                                                            \
	"; head -c 65536 /dev/zero | tr '\\\\0' z >\"$f.put\"; printf '%s' '" first \
	"' | dd of=\"$f.put\" conv=notrunc; ntfscp -f \"$f\" \"$f.put\" " name "; rm \"$f.put\""

static uint64_t cluster(void)
{
	return bytes_get16(disk + 11) * (uint64_t)disk[13];
}

static uint8_t *record(unsigned int number)
{
	int8_t size = (int8_t)disk[64];

	return disk + bytes_get64(disk + 48) * cluster() +
	       number * (size < 0 ? 1u << -size : size * cluster());
}

/* Where the value of the attribute TYPE of RECORD begins: in it, or in its first cluster. */
static uint8_t *value(uint8_t *from, uint32_t type)
{
	uint8_t *attr = from + bytes_get16(from + 20);

	while (bytes_get32(attr) != type) {
		assert_true(bytes_get32(attr + 4) > 0);
		attr += bytes_get32(attr + 4);
	}
	if (attr[8] == 0)
		return attr + bytes_get16(attr + 20);
	const uint8_t *run = attr + bytes_get16(attr + 32);

	return disk + bytes_get(run + 1 + (run[0] & 15), run[0] >> 4) * cluster();
}

/* As many as the bits of $Bitmap. */
static void whatever_it_was_made_with(void **state)
{
	static const char *const options[] = {MKFS, MKFS " -c 512", MKFS " -c 65536",
					      MKFS " -s 4096", MKFS PUT("a.bin", "a")};

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct spare *spare;
		uint64_t free = 0;

		make(options[i]);
		if (find(&spare) < 0)
			fail_msg("%s: %s", options[i], doubt);
		const uint8_t *bits = value(record(6), NTFS_ATTR_DATA);

		for (uint64_t c = 0; c < SIZE / cluster() - 1; c++)
			free += !(bits[c / 8] >> c % 8 & 1);
		assert_in_range(spare_bytes(spare), free * cluster() - (64u << 10),
				free * cluster());
		spare_free(spare);
	}
}

/* Every bit of the records that are looked at, but for what does not matter. */
static void a_bit_is_seen_or_does_not_matter(void **state)
{
	static const unsigned int records[] = {0, 1, 2, 3, 5, 6};
	struct spare *right, *spare;

	(void)state;
	make(MKFS);
	assert_int_equal(find(&right), 0);
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		for (uint32_t bit = 0; bit < 512 * 8; bit++) {
			uint8_t *at = record(records[i]) + bit / 8;

			*at ^= 1u << bit % 8;
			if (find(&spare) == 0)
				assert_true(same(right, spare));
			spare_free(spare);
			*at ^= 1u << bit % 8;
		}
	}
	spare_free(right);
}

static void a_volume_to_be_checked_is_all_used(void **state)
{
	(void)state;
	make(MKFS);
	value(record(3), NTFS_ATTR_VOLUME)[10] |= 1;
	memcpy(value(record(1), NTFS_ATTR_DATA) + 3 * 1024, record(3), 1024);
	assert_doubt("it is marked as one to be checked");
	/* Only one of the two was written. */
	value(record(3), NTFS_ATTR_VOLUME)[10] |= 1;
	assert_doubt("its MFT and the mirror of it differ");
	value(record(6), NTFS_ATTR_DATA)[0] = 0;
	assert_doubt("the map of its clusters contradicts its files");
}

/* A restart page of a log that has a client, unless CLEAN. */
static void restart(uint8_t *page, uint64_t lsn, bool clean)
{
	memset(page, 0, 4096);
	memcpy(page, "RSTR", 4);
	bytes_put32(page + 16, 4096);
	bytes_put16(page + 24, 48);
	bytes_put64(page + 48, lsn);
	bytes_put16(page + 48 + 12, clean ? 0xffff : 0);
}

static void a_log_in_use_is_all_used(void **state)
{
	struct spare *spare;

	(void)state;
	make(MKFS);
	uint8_t *log = value(record(2), NTFS_ATTR_DATA);

	restart(log, 5, true);
	assert_int_equal(find(&spare), 0);
	spare_free(spare);
	restart(log + 4096, 6, false);
	assert_doubt("it was not unmounted");
	restart(log, 5, false);
	assert_doubt("it was not unmounted");
	restart(log, 5, false);
	restart(log + 4096, 6, true);
	assert_int_equal(find(&spare), 0);
	spare_free(spare);
	memset(log, 0, 512);
	assert_doubt("its log is damaged");
}

static void a_windows_that_sleeps_is_all_used(void **state)
{
	struct spare *spare;

	(void)state;
	make(MKFS PUT("hiberfil.sys", "hibr"));
	assert_doubt("a Windows sleeps in it, by hibernation or \"fast startup\"");
	make(MKFS PUT("HiberFil.sys", "HIBR"));
	assert_doubt("a Windows sleeps in it, by hibernation or \"fast startup\"");
	make(MKFS PUT("hiberfil.sys", "wake"));
	assert_int_equal(find(&spare), 0);
	spare_free(spare);
	make(MKFS PUT("hiberfil.sy", "hibr"));
	assert_int_equal(find(&spare), 0);
	spare_free(spare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_it_was_made_with),
		cmocka_unit_test(a_bit_is_seen_or_does_not_matter),
		cmocka_unit_test(a_volume_to_be_checked_is_all_used),
		cmocka_unit_test(a_log_in_use_is_all_used),
		cmocka_unit_test(a_windows_that_sleeps_is_all_used),
	};

	reader = used_ntfs;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
