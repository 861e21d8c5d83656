// SPDX-License-Identifier: GPL-2.0-or-later
#include "disk_test.h"

#include "io/disk.h"

static void folders_and_pipes_are_refused(void **state)
{
	struct disk *disk = NULL;

	(void)state;
	assert_int_equal(disk_open_source(test_folder, &disk), -EISDIR);
	assert_int_equal(disk_open_source("/dev/null", &disk), -ENOTBLK);
	assert_int_equal(disk_open_source(test_path("missing"), &disk), -ENOENT);
	/* Opening it would wait for a writer. */
	assert_int_equal(mkfifo(test_path("fifo"), 0600), 0);
	assert_int_equal(disk_open_source(test_path("fifo"), &disk), -ENOTBLK);
	assert_int_equal(disk_open_target(test_path("fifo"), &disk), -ENOTBLK);
	assert_int_equal(disk_open_target(test_path("missing"), &disk), -ENOENT);
	assert_null(disk);
	disk_close(NULL);
}

static void a_file_is_measured_and_read(void **state)
{
	const char *path = test_file("file", 10000, 7);
	struct disk *disk;
	char buf[100];

	(void)state;
	assert_int_equal(disk_open_source(path, &disk), 0);
	assert_int_equal(disk->size, 10000);
	assert_int_equal(disk->logical_sector, 0);
	assert_false(disk->block);
	assert_string_equal(disk->path, path);
	assert_int_equal(disk_read(disk, 9900, buf, 100), 0);
	assert_int_equal(buf[99], 7);
	assert_int_equal(disk_read(disk, 9901, buf, 100), -ENODATA);
	assert_int_equal(disk_write(disk, 0, buf, 1), -EBADF);
	assert_int_equal(disk_reread_table(disk), 0);
	disk_close(disk);
}

static void nothing_stays_open(void **state)
{
	const char *path = test_file("closed", 100, 7);
	struct disk *disk;
	int before = dup(0);

	(void)state;
	close(before);
	assert_int_equal(disk_open_source(path, &disk), 0);
	disk_close(disk);
	assert_int_equal(disk_open_target(path, &disk), 0);
	disk_close(disk);
	int after = dup(0);
	close(after);
	assert_int_equal(after, before);
}

static void holes_are_skipped(void **state)
{
	const char *path = test_file("holes", 8 * MIB, -1);
	struct disk *disk;
	uint64_t data;

	(void)state;
	assert_int_equal(disk_open_target(path, &disk), 0);
	assert_int_equal(disk_next_data(disk, 0), 8 * MIB);
	assert_int_equal(disk_write(disk, 5 * MIB, "x", 1), 0);
	data = disk_next_data(disk, 0);
	assert_in_range(data, 1, 5 * MIB);
	assert_int_equal(disk_next_data(disk, 5 * MIB), 5 * MIB);
	assert_int_equal(disk_next_data(disk, 7 * MIB), 8 * MIB);
	assert_int_equal(disk_next_data(disk, 9 * MIB), 8 * MIB);
	disk_close(disk);
}

/* Zeros go where they belong, whatever the alignment, and nowhere else. */
static void zero_and_look(struct disk *disk, uint64_t offset, uint64_t len)
{
	char *ones = malloc(disk->size);

	assert_non_null(ones);
	memset(ones, 1, disk->size);
	assert_int_equal(disk_write(disk, 0, ones, disk->size), 0);
	assert_int_equal(disk_zero(disk, offset, len), 0);
	assert_int_equal(disk_sync(disk), 0);
	assert_true(test_holds(disk->path, 0, offset, 1));
	assert_true(test_holds(disk->path, offset, len, 0));
	assert_true(test_holds(disk->path, offset + len, disk->size - offset - len, 1));
	free(ones);
}

static void zero_ranges(struct disk *disk)
{
	zero_and_look(disk, 0, disk->size);
	zero_and_look(disk, 0, 1);
	zero_and_look(disk, 4095, 2);
	zero_and_look(disk, 4096, 4096);
	zero_and_look(disk, 4096 + 512, 3 * 4096);
	zero_and_look(disk, 1, disk->size - 2);
	zero_and_look(disk, disk->size - 1, 1);
	zero_and_look(disk, disk->size, 0);
	assert_int_equal(disk_zero(disk, UINT64_MAX, 2), -EINVAL);
	assert_int_equal(disk_zero(disk, INT64_MAX, 1), -EINVAL);
}

static void a_file_is_zeroed(void **state)
{
	struct disk *disk;

	(void)state;
	assert_int_equal(disk_open_target(test_file("zero", 100003, 1), &disk), 0);
	zero_ranges(disk);
	disk_close(disk);
}

static void devices_are_zeroed(void **state)
{
	struct test_loop loop;
	struct disk *disk;

	(void)state;
	for (unsigned int sector = 512; sector <= 4096; sector += 3584) {
		test_loop_open(test_file("back", MIB, 1), sector, 0, &loop);
		assert_int_equal(disk_open_target(loop.path, &disk), 0);
		assert_true(disk->block);
		assert_int_equal(disk->size, MIB);
		assert_int_equal(disk->logical_sector, sector);
		assert_true(disk->physical_sector >= sector);
		assert_int_equal(disk_next_data(disk, 4096), 4096);
		zero_ranges(disk);
		disk_close(disk);
		test_loop_close(&loop);
	}
}

static uint64_t blocks_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

/* A device that discards gives the room back: its backing file gets a hole. */
static void devices_discard(void **state)
{
	const char *back = test_file("back", 8 * MIB, 1);
	struct test_loop loop;
	struct disk *disk;

	(void)state;
	test_loop_open(back, 512, 0, &loop);
	assert_int_equal(disk_open_target(loop.path, &disk), 0);
	assert_int_equal(disk_zero(disk, 0, 4 * MIB), 0);
	assert_int_equal(disk_sync(disk), 0);
	assert_true(blocks_of(back) >= 8 * MIB);
	disk->discard = true;
	assert_int_equal(disk_zero(disk, 4 * MIB + 1, 4 * MIB - 2), 0);
	assert_int_equal(disk_sync(disk), 0);
	assert_true(test_holds(loop.path, 0, 4 * MIB, 0));
	assert_true(test_holds(loop.path, 4 * MIB, 1, 1));
	assert_true(test_holds(loop.path, 4 * MIB + 1, 4 * MIB - 2, 0));
	assert_true(test_holds(loop.path, 8 * MIB - 1, 1, 1));
	assert_true(blocks_of(back) < 5 * MIB);
	disk_close(disk);
	test_loop_close(&loop);
}

/* Aligned writes go past the page cache, others through it: together they are one disk. */
static void aligned_and_other_writes_mix(void **state)
{
	uint8_t *data = aligned_alloc(DISK_ALIGN, 2 * MIB);
	struct test_loop loop;
	struct disk *disk;

	(void)state;
	assert_non_null(data);
	for (unsigned int sector = 512; sector <= 4096; sector += 3584) {
		test_loop_open(test_file("back", 4 * MIB, 1), sector, 0, &loop);
		assert_int_equal(disk_open_target(loop.path, &disk), 0);
		assert_true(disk->direct >= 0);
		memset(data, 2, 2 * MIB);
		assert_int_equal(disk_write(disk, 0, data, 2 * MIB), 0);
		assert_true(test_holds(loop.path, 0, 2 * MIB, 2));
		memset(data, 3, 2 * MIB);
		assert_int_equal(disk_write(disk, MIB - 1, data, MIB), 0);
		assert_int_equal(disk_write(disk, 3 * MIB, data + 1, 4096), 0);
		memset(data, 4, 2 * MIB);
		assert_int_equal(disk_write(disk, 2 * MIB - sector, data, sector), 0);
		assert_int_equal(disk_sync(disk), 0);
		assert_true(test_holds(loop.path, 0, MIB - 1, 2));
		assert_true(test_holds(loop.path, MIB - 1, MIB + 1 - sector, 3));
		assert_true(test_holds(loop.path, 2 * MIB - sector, sector, 4));
		assert_true(test_holds(loop.path, 2 * MIB, MIB, 1));
		assert_true(test_holds(loop.path, 3 * MIB, 4096, 3));
		assert_true(test_holds(loop.path, 3 * MIB + 4096, MIB - 4096, 1));
		assert_int_equal(disk_write(disk, 4 * MIB - 4096, data, 8192), -ENOSPC);
		disk_close(disk);
		test_loop_close(&loop);
	}
	free(data);
}

/* Reads PATH back by way of its target, all of it, in two pieces. */
static void medium_read(const char *path, uint64_t size, int value)
{
	uint8_t *buf = aligned_alloc(DISK_ALIGN, 2 * MIB);
	struct disk *disk, *medium;

	assert_non_null(buf);
	assert_int_equal(disk_open_target(path, &disk), 0);
	memset(buf, value, size);
	assert_int_equal(disk_write(disk, 0, buf, size), 0);
	memset(buf, 0, size);
	assert_int_equal(disk_open_medium(disk, &medium), 0);
	assert_int_equal(disk_read_medium(medium, MIB, buf + MIB, size - MIB), 0);
	assert_int_equal(disk_read_medium(medium, 0, buf, MIB), 0);
	for (uint64_t i = 0; i < size; i++)
		assert_int_equal(buf[i], value);
	assert_int_equal(disk_read_medium(medium, 2 * MIB, buf, 1), -ENODATA);
	disk_close(medium);
	disk_close(disk);
	free(buf);
}

static void the_medium_is_read(void **state)
{
	struct test_loop loop;

	(void)state;
	medium_read(test_file("file", MIB + 1, 1), MIB + 1, 7);
	medium_read(test_file("file", 2 * MIB, 1), 2 * MIB, 8);
	for (unsigned int sector = 512; sector <= 4096; sector += 3584) {
		test_loop_open(test_file("back", 2 * MIB, 1), sector, 0, &loop);
		medium_read(loop.path, 2 * MIB, 9);
		medium_read(loop.path, MIB + 3, 10);
		test_loop_close(&loop);
	}
}

static void a_target_is_held_alone(void **state)
{
	struct test_loop loop;
	struct disk *disk, *other = NULL;

	(void)state;
	test_loop_open(test_file("alone", 16 * MIB, -1), 512, 0, &loop);
	test_run("mkfs.ext4 -q %s", loop.path);
	assert_int_equal(mkdir(test_path("mnt"), 0700), 0);
	assert_int_equal(disk_open_target(loop.path, &disk), 0);
	assert_int_equal(disk_open_target(loop.path, &other), -EBUSY);
	assert_int_equal(mount(loop.path, test_path("mnt"), "ext4", 0, NULL), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(disk_open_source(loop.path, &other), 0);
	disk_close(other);
	disk_close(disk);

	assert_int_equal(mount(loop.path, test_path("mnt"), "ext4", 0, NULL), 0);
	disk = NULL;
	assert_int_equal(disk_open_target(loop.path, &disk), -EBUSY);
	assert_null(disk);
	assert_int_equal(umount(test_path("mnt")), 0);
	test_loop_close(&loop);
}

static void a_readonly_device_says_so(void **state)
{
	struct test_loop loop;
	struct disk *disk = NULL;

	(void)state;
	test_loop_open(test_file("readonly", MIB, 3), 512, LO_FLAGS_READ_ONLY, &loop);
	assert_int_equal(disk_open_target(loop.path, &disk), -EROFS);
	assert_null(disk);
	assert_int_equal(disk_open_source(loop.path, &disk), 0);
	disk_close(disk);
	test_loop_close(&loop);
}

/* A device whose backing file is cut under it cannot read what is gone. */
static void a_medium_error_is_eio(void **state)
{
	const char *back = test_file("cut", 4 * MIB, 3);
	char buf[8192] = {0};
	struct test_loop loop;
	struct disk *disk;

	(void)state;
	test_loop_open(back, 512, 0, &loop);
	assert_int_equal(truncate(back, MIB), 0);
	assert_int_equal(disk_open_source(loop.path, &disk), 0);
	assert_int_equal(disk_read(disk, 0, buf, sizeof(buf)), 0);
	assert_int_equal(buf[0], 3);
	assert_int_equal(disk_read(disk, 2 * MIB, buf, sizeof(buf)), -EIO);
	assert_int_equal(disk_read(disk, 4 * MIB - 4096, buf, sizeof(buf)), -EIO);
	disk_close(disk);
	test_loop_close(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders_and_pipes_are_refused),
		cmocka_unit_test(a_file_is_measured_and_read),
		cmocka_unit_test(nothing_stays_open),
		cmocka_unit_test(holes_are_skipped),
		cmocka_unit_test(a_file_is_zeroed),
		cmocka_unit_test(devices_are_zeroed),
		cmocka_unit_test(devices_discard),
		cmocka_unit_test(aligned_and_other_writes_mix),
		cmocka_unit_test(the_medium_is_read),
		cmocka_unit_test(a_target_is_held_alone),
		cmocka_unit_test(a_readonly_device_says_so),
		cmocka_unit_test(a_medium_error_is_eio),
	};

	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
