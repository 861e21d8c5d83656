// SPDX-License-Identifier: GPL-2.0-or-later
/* An image as a sink: where FAT is looked for, whose files end at 4 GiB. The kernel's word is ours.
 */
#include <errno.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "sink/sink.h"

#define FOUR_GIB (1ull << 32)

static long type;
static char looked[256];

int statfs(const char *file, struct statfs *buf)
{
	snprintf(looked, sizeof(looked), "%s", file);
	*buf = (struct statfs){.f_type = type};
	return 0;
}

int fstatfs(int fd, struct statfs *buf)
{
	snprintf(looked, sizeof(looked), "descriptor %d", fd);
	*buf = (struct statfs){.f_type = type};
	return fd < 0 ? -1 : 0;
}

static char folder[32];

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/sink-test-XXXXXX");
	return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return chdir("/") || rmdir(folder) ? -1 : 0;
}

/* Begins an image of SIZE bytes at PATH (NULL: standard output, which is FD). Returns as
 * sink_begin. */
static int begun(const char *path, int fd, uint64_t size, bool force)
{
	const struct image_head head = {
		.transfer_id = {1},
		.map = {.size = size, .chunk_size = CHUNK_SIZE},
		.identity = "{}",
		.identity_len = 2,
	};
	struct sink_options options = {.force = force, .from = -1};
	char why[512] = "", part[64];
	struct sink *sink;

	looked[0] = '\0';
	if (path)
		assert_int_equal(sink_open_file(path, &options, &sink, why, sizeof(why)), 0);
	else
		assert_int_equal(sink_open_image(fd, &options, &sink), 0);
	int r = sink_begin(sink, &head, NULL);

	if (r < 0)
		assert_non_null(strstr(sink_why(sink), "is on a FAT file system"));
	sink_close(sink);
	if (path) {
		snprintf(part, sizeof(part), "%s.part", path);
		assert_int_equal(unlink(part), r < 0 ? -1 : 0);
	}
	return r;
}

static void test_fat(void **state)
{
	char path[64];

	(void)state;
	type = MSDOS_SUPER_MAGIC;
	snprintf(path, sizeof(path), "%s/image.zst", folder);
	assert_int_equal(begun(path, -1, FOUR_GIB, false), -EFBIG);
	assert_string_equal(looked, folder);
	assert_int_equal(begun("image.zst", -1, FOUR_GIB, false), -EFBIG);
	assert_string_equal(looked, ".");
	assert_int_equal(begun(path, -1, FOUR_GIB, true), 0);
	assert_int_equal(begun(path, -1, FOUR_GIB - 1, false), 0);
	/* How long a stream will be nobody knows. */
	assert_int_equal(begun(path, -1, CHUNK_OPEN, false), 0);
}

static void test_fat_on_standard_output(void **state)
{
	int fd = memfd_create("out", MFD_CLOEXEC);
	char what[32];

	(void)state;
	type = MSDOS_SUPER_MAGIC;
	snprintf(what, sizeof(what), "descriptor %d", fd);
	assert_int_equal(begun(NULL, fd, FOUR_GIB, false), -EFBIG);
	assert_string_equal(looked, what);
	assert_int_equal(begun(NULL, fd, CHUNK_OPEN, false), 0);
	close(fd);
}

static void test_other_file_systems(void **state)
{
	(void)state;
	type = EXT4_SUPER_MAGIC;
	assert_int_equal(begun("image.zst", -1, FOUR_GIB, false), 0);
	assert_string_equal(looked, ".");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fat),
		cmocka_unit_test(test_fat_on_standard_output),
		cmocka_unit_test(test_other_file_systems),
	};

	return cmocka_run_group_tests_name("sink_fat", tests, setup, teardown);
}
