// SPDX-License-Identifier: GPL-2.0-or-later
#include "disk_test.h"

#include "io/target.h"

#define OLD   0xee     /* what stood on the disk */
#define CHUNK 1000000u /* does not fall on any border */

/* What the restored disk holds at OFFSET; never 0 and never OLD. */
static uint8_t content(uint64_t offset)
{
	return 1 + (offset * 2654435761u >> 13) % 200;
}

static uint8_t *contents(uint64_t size)
{
	uint8_t *data = malloc(size + 1);

	assert_non_null(data);
	for (uint64_t i = 0; i < size; i++)
		data[i] = content(i);
	return data;
}

static void assert_contents(const char *path, uint64_t from, uint64_t to, const uint8_t *data)
{
	uint8_t *read = malloc(to - from + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_non_null(read);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, read, to - from, (off_t)from), to - from);
	assert_memory_equal(read, data + from, to - from);
	close(fd);
	free(read);
}

/* Writes everything but commits nothing, the last chunk first. */
static struct target *target_fill(const char *path, uint64_t size, const uint8_t *data)
{
	struct target *target;
	struct disk *disk;
	uint64_t offset;

	assert_int_equal(disk_open_target(path, &disk), 0);
	assert_int_equal(target_new(disk, size, &target), 0);
	for (uint64_t i = (size + CHUNK - 1) / CHUNK; i-- > 0;) {
		offset = i * CHUNK;
		assert_int_equal(target_write(target, offset, data + offset,
					      size - offset < CHUNK ? size - offset : CHUNK),
				 0);
	}
	assert_int_equal(target_sync(target), 0);
	return target;
}

static uint64_t kept(uint64_t size)
{
	return size < TARGET_KEPT ? size : TARGET_KEPT;
}

/* As long as nothing is committed, neither end has a byte on it; then all of it is there. */
static void restore(const char *path, uint64_t disk_size, uint64_t size)
{
	uint64_t ends = kept(size);
	uint64_t middle = size > 2 * TARGET_KEPT ? size - TARGET_KEPT : ends;
	uint8_t *data = contents(size);
	struct target *target;
	uint64_t wiped;

	target = target_fill(path, size, data);
	assert_true(test_holds(path, 0, ends, 0));
	assert_true(test_holds(path, size - ends, ends, 0));
	assert_contents(path, ends, middle, data);
	assert_int_equal(target_commit(target), 0);
	assert_contents(path, 0, size, data);
	assert_int_equal(target_write(target, 0, data, 1), -EINVAL);
	target_free(target);

	/* What is left of the disk: as it was, but for where a backup GPT may be. */
	wiped = disk_size - kept(disk_size);
	if (wiped > size)
		assert_true(test_holds(path, size, wiped - size, OLD));
	else
		wiped = size;
	assert_true(test_holds(path, wiped, disk_size - wiped, 0));
	free(data);
}

static const uint64_t sizes[] = {
	0,	 1,	      512,     3 * MIB,	    4 * MIB,	  4 * MIB + 1,
	6 * MIB, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 13 * MIB + 7, 20 * MIB,
};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void files_of_all_sizes_are_restored(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		restore(test_file("file", sizes[i], OLD), sizes[i], sizes[i]);
		restore(test_file("file", 21 * MIB, OLD), 21 * MIB, sizes[i]);
	}
}

static void devices_are_restored(void **state)
{
	struct test_loop loop;

	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		test_loop_open(test_file("back", 21 * MIB, OLD), 512, 0, &loop);
		restore(loop.path, 21 * MIB, sizes[i]);
		test_loop_close(&loop);
	}
	test_loop_open(test_file("back", 9 * MIB, OLD), 4096, 0, &loop);
	restore(loop.path, 9 * MIB, 9 * MIB);
	test_loop_close(&loop);
}

static void an_interrupted_restore_is_no_disk(void **state)
{
	const char *path = test_file("file", 16 * MIB, OLD);
	uint8_t *data = contents(16 * MIB);

	(void)state;
	target_free(target_fill(path, 16 * MIB, data));
	assert_true(test_holds(path, 0, TARGET_KEPT, 0));
	assert_true(test_holds(path, 12 * MIB, TARGET_KEPT, 0));
	free(data);
	target_free(NULL);
}

/* Zeros over what was written, across both borders. */
static void zeros_overwrite(void **state)
{
	const uint64_t size = 20 * MIB, from = 3 * MIB + 5, to = 18 * MIB - 3;
	const char *path = test_file("file", size, OLD);
	uint8_t *data = contents(size);
	struct target *target;

	(void)state;
	target = target_fill(path, size, data);
	assert_int_equal(target_zero(target, from, to - from), 0);
	assert_int_equal(target_commit(target), 0);
	assert_int_equal(target_zero(target, from, 1), -EINVAL);
	target_free(target);
	assert_contents(path, 0, from, data);
	assert_true(test_holds(path, from, to - from, 0));
	assert_contents(path, to, size, data);
	free(data);
}

static void what_is_outside_is_refused(void **state)
{
	const char *path = test_file("file", 10 * MIB, OLD);
	struct target *target = NULL;
	struct disk *disk;

	(void)state;
	assert_int_equal(disk_open_target(path, &disk), 0);
	assert_int_equal(target_new(disk, 10 * MIB + 1, &target), -ENOSPC);
	assert_null(target);
	assert_true(test_holds(path, 0, 10 * MIB, OLD));
	assert_int_equal(target_new(disk, 9 * MIB, &target), 0);
	assert_int_equal(target_write(target, 9 * MIB, "x", 1), -EINVAL);
	assert_int_equal(target_write(target, 9 * MIB - 1, "xy", 2), -EINVAL);
	assert_int_equal(target_write(target, UINT64_MAX, "xy", 2), -EINVAL);
	assert_int_equal(target_zero(target, 9 * MIB, 1), -EINVAL);
	assert_int_equal(target_zero(target, 1, UINT64_MAX), -EINVAL);
	assert_int_equal(target_zero(target, 9 * MIB, 0), 0);
	target_free(target);
}

/* The bytes of a disk of 24 MiB with sectors of SECTOR bytes and a GPT of one partition. */
static uint8_t *gpt_disk(unsigned int sector)
{
	uint8_t *data = malloc(24 * MIB);
	struct test_loop loop;

	assert_non_null(data);
	test_loop_open(test_file("gpt", 24 * MIB, -1), sector, 0, &loop);
	test_run("printf 'label: gpt\nsize=8M, name=root\n' | sfdisk -q %s", loop.path);
	assert_int_equal(pread(loop.fd, data, 24 * MIB, 0), 24 * MIB);
	test_loop_close(&loop);
	return data;
}

/* These bytes on a disk of SIZE bytes: sfdisk finds its GPT right in every way. */
static void gpt_restore(const char *path, uint64_t size, unsigned int sector, const uint8_t *data)
{
	struct target *target;
	struct gpt gpt;

	target = target_fill(path, size < 24 * MIB ? size : 24 * MIB, data);
	assert_int_equal(target_gpt(target, 0, &gpt), 0);
	assert_int_equal(gpt.sector, sector);
	assert_int_equal(target_move_gpt(target, &gpt), -EINVAL);
	assert_int_equal(target_commit(target), 0);
	assert_int_equal(target_check_gpt(target), -EINVAL);
	assert_int_equal(target_move_gpt(target, &gpt), 0);
	assert_int_equal(target_check_gpt(target), 0);
	assert_int_equal(target_move_gpt(target, &gpt), -EINVAL);
	assert_int_equal(target_disk(target)->size, size);
	target_show(target);
	target_free(target);
	test_run("sfdisk --verify %s && ! sfdisk -l %s 2>&1 | "
		 "grep -iE 'mismatch|corrupt|not on the end|[0-9] error'",
		 path, path);
}

static void a_gpt_moves_with_the_size(void **state)
{
	static const uint64_t all[] = {9 * MIB + MIB / 2, 23 * MIB, 25 * MIB, 60 * MIB};
	struct test_loop loop;
	uint8_t *data;

	(void)state;
	for (unsigned int sector = 512; sector <= 4096; sector += 3584) {
		data = gpt_disk(sector);
		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
			test_loop_open(test_file("back", all[i], OLD), sector, 0, &loop);
			gpt_restore(loop.path, all[i], sector, data);
			test_loop_close(&loop);
		}
		free(data);
	}
	data = gpt_disk(512);
	gpt_restore(test_file("file", 25 * MIB + 7, OLD), 25 * MIB + 7, 512, data);
	free(data);
}

/* A byte of its header, of its backup's entries or of the backup's header that the disk lost. */
static void a_moved_gpt_is_read_back(void **state)
{
	static const uint64_t lost[] = {512 + 40, 25 * MIB - 20 * 512, 25 * MIB - 512 + 16};
	uint8_t *data = gpt_disk(512);

	(void)state;
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		const char *path = test_file("file", 25 * MIB, OLD);
		struct target *target = target_fill(path, 24 * MIB, data);
		struct gpt gpt;

		assert_int_equal(target_gpt(target, 512, &gpt), 0);
		assert_int_equal(target_commit(target), 0);
		assert_int_equal(target_move_gpt(target, &gpt), 0);
		assert_int_equal(target_check_gpt(target), 0);
		int fd = open(path, O_WRONLY | O_CLOEXEC);
		assert_int_equal(pwrite(fd, "\x5a", 1, (off_t)lost[i]), 1);
		close(fd);
		assert_int_equal(target_check_gpt(target), -EBADMSG);
		target_free(target);
	}
	free(data);
}

static void a_gpt_that_does_not_fit_stays(void **state)
{
	const char *path = test_file("file", 9 * MIB, OLD);
	uint8_t *data = gpt_disk(512);
	struct target *target;
	struct gpt gpt;

	(void)state;
	target = target_fill(path, 9 * MIB, data);
	assert_int_equal(target_gpt(target, 512, &gpt), 0);
	assert_int_equal(target_commit(target), 0);
	assert_int_equal(target_move_gpt(target, &gpt), -ENOSPC);
	assert_contents(path, 0, 9 * MIB, data);
	target_free(target);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_all_sizes_are_restored),
		cmocka_unit_test(devices_are_restored),
		cmocka_unit_test(an_interrupted_restore_is_no_disk),
		cmocka_unit_test(zeros_overwrite),
		cmocka_unit_test(what_is_outside_is_refused),
		cmocka_unit_test(a_gpt_moves_with_the_size),
		cmocka_unit_test(a_moved_gpt_is_read_back),
		cmocka_unit_test(a_gpt_that_does_not_fit_stays),
	};

	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
