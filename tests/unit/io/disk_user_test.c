// SPDX-License-Identifier: GPL-2.0-or-later
#include "disk_test.h"

#include <sys/swap.h>
#include <sys/sysmacros.h>

#include "io/disk.h"
#include "io/disk_user.h"

static void a_file_has_no_user(void **state)
{
	char user[64] = "as it was";

	(void)state;
	assert_int_equal(disk_user(test_file("file", 10, 1), user, sizeof(user)), 0);
	assert_int_equal(disk_user(test_path("missing"), user, sizeof(user)), -ENOENT);
	assert_int_equal(disk_user("/dev/null", user, sizeof(user)), 0);
	assert_string_equal(user, "as it was");
}

static void loop_with_ext4(const char *name, struct test_loop *loop)
{
	test_loop_open(test_file(name, 16 * MIB, -1), 512, 0, loop);
	test_run("mkfs.ext4 -q %s", loop->path);
}

/* The text for a mount at POINT, a folder below ours. */
static void assert_mounted(const char *device, const char *how, const char *point)
{
	char user[256] = "", expected[256];

	snprintf(expected, sizeof(expected), "%s %s", how, test_path(point));
	assert_int_equal(disk_user(device, user, sizeof(user)), 1);
	assert_string_equal(user, expected);
}

static void assert_free(const char *device)
{
	char user[256] = "";

	if (disk_user(device, user, sizeof(user)) != 0)
		fail_msg("%s: %s", device, user);
}

static void mounts_are_found(void **state)
{
	const char *point = "a b\\c";
	struct test_loop loop;

	(void)state;
	loop_with_ext4("mounts", &loop);
	assert_free(loop.path);
	assert_int_equal(mkdir(test_path(point), 0700), 0);
	assert_int_equal(mount(loop.path, test_path(point), "ext4", MS_RDONLY, NULL), 0);
	assert_mounted(loop.path, "mounted read-only on", point);
	assert_int_equal(umount(test_path(point)), 0);
	assert_int_equal(mount(loop.path, test_path(point), "ext4", 0, NULL), 0);
	assert_mounted(loop.path, "mounted on", point);
	assert_int_equal(umount(test_path(point)), 0);
	assert_free(loop.path);
	test_loop_close(&loop);
}

static void a_partition_speaks_for_its_disk(void **state)
{
	struct test_loop loop;
	char first[48], second[48];

	(void)state;
	test_loop_open(test_file("parts", 34 * MIB, -1), 512, 0, &loop);
	test_loop_partition(&loop, 1, MIB, 16 * MIB, first);
	test_loop_partition(&loop, 2, 17 * MIB, 16 * MIB, second);
	test_run("mkfs.ext4 -q %s", second);
	assert_int_equal(mkdir(test_path("part"), 0700), 0);
	assert_int_equal(mount(second, test_path("part"), "ext4", 0, NULL), 0);
	assert_mounted(second, "mounted on", "part");
	assert_mounted(loop.path, "mounted on", "part");
	assert_free(first);
	assert_int_equal(umount(test_path("part")), 0);
	assert_free(loop.path);

	/* The disk as a whole: its partitions are used as well, whatever they hold. */
	test_run("mkfs.ext4 -q -F %s", loop.path);
	assert_int_equal(mount(loop.path, test_path("part"), "ext4", 0, NULL), 0);
	assert_mounted(first, "mounted on", "part");
	assert_int_equal(umount(test_path("part")), 0);
	test_loop_forget(&loop, 1);
	test_loop_forget(&loop, 2);
	test_loop_close(&loop);
}

static void swap_is_found(void **state)
{
	struct disk_user user = {0};
	struct test_loop loop;
	char text[64] = "";
	struct stat st;
	int said, found;

	(void)state;
	test_loop_open(test_file("swap", 16 * MIB, 0), 512, 0, &loop);
	assert_int_equal(stat(loop.path, &st), 0);
	test_run("mkswap %s", loop.path);
	if (swapon(loop.path, 0) < 0)
		test_skip("no swap here: %s", strerror(errno));
	said = disk_user(loop.path, text, sizeof(text));
	found = disk_user_find(st.st_rdev, &user);
	/* Before anything can fail: nothing else would take it off again. */
	assert_int_equal(swapoff(loop.path), 0);
	assert_int_equal(said, 1);
	assert_string_equal(text, "swap");
	assert_int_equal(found, 0);
	assert_true(user.held);
	assert_false(user.mounted);
	assert_free(loop.path);
	test_loop_close(&loop);
}

/* Whether what PATH reads stands on the disk at TARGET. */
static bool holds(const char *target, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct disk *disk;
	bool held;

	assert_true(fd >= 0);
	assert_int_equal(disk_open_source(target, &disk), 0);
	held = disk_holds(disk, fd);
	disk_close(disk);
	close(fd);
	return held;
}

static void what_stands_on_a_disk_is_known(void **state)
{
	struct test_loop loop, other;
	char part[48];

	(void)state;
	test_file("one", 10, 1);
	assert_true(holds(test_path("one"), test_path("one")));
	assert_false(holds(test_path("one"), test_file("two", 10, 1)));
	assert_int_equal(link(test_path("one"), test_path("link")), 0);
	assert_true(holds(test_path("one"), test_path("link")));

	loop_with_ext4("first", &loop);
	test_loop_open(test_file("second", 16 * MIB, -1), 512, 0, &other);
	assert_int_equal(mkdir(test_path("on"), 0700), 0);
	assert_int_equal(mount(loop.path, test_path("on"), "ext4", 0, NULL), 0);
	assert_true(holds(loop.path, test_file("on/image", 10, 1)));
	assert_false(holds(other.path, test_path("on/image")));
	assert_false(holds(loop.path, test_path("one")));
	assert_false(holds(loop.path, "/dev/null"));
	assert_int_equal(umount(test_path("on")), 0);

	test_loop_partition(&other, 1, MIB, MIB, part);
	assert_true(holds(other.path, part));
	assert_true(holds(part, other.path));
	assert_true(holds(part, part));
	assert_false(holds(part, loop.path));
	test_loop_forget(&other, 1);
	test_loop_close(&other);
	test_loop_close(&loop);
}

static void a_device_that_is_not_there_is_an_error(void **state)
{
	struct disk_user user;

	(void)state;
	assert_int_equal(disk_user_find(makedev(4000, 4000), &user), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_has_no_user),
		cmocka_unit_test(mounts_are_found),
		cmocka_unit_test(a_partition_speaks_for_its_disk),
		cmocka_unit_test(swap_is_found),
		cmocka_unit_test(what_stands_on_a_disk_is_known),
		cmocka_unit_test(a_device_that_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
