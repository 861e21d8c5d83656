// SPDX-License-Identifier: GPL-2.0-or-later
/* What rd.tbstream.exclude names is never a target. */
#include "disk_test.h"

#include "io/probe.h"

/* Whether a list of this text excludes the device at PATH. */
static bool excluded(const char *path, const char *text)
{
	const char *list = test_path("exclude");
	FILE *file = fopen(list, "we");
	struct disk *disk;
	bool found;

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(disk_open_source(path, &disk), 0);
	found = probe_excluded(disk, list);
	disk_close(disk);
	return found;
}

static void no_list_excludes_nothing(void **state)
{
	struct disk *disk;

	(void)state;
	assert_int_equal(disk_open_source(test_file("file", 10, 1), &disk), 0);
	assert_false(probe_excluded(disk, test_path("none")));
	disk_close(disk);
	assert_false(excluded(test_path("file"), "all\n"));
}

static void a_disk_and_its_partitions_are_one(void **state)
{
	struct test_loop stick, other;
	char part[48], text[128];

	(void)state;
	test_loop_open(test_file("stick", 8 * MIB, -1), 512, 0, &stick);
	test_loop_open(test_file("other", 8 * MIB, -1), 512, 0, &other);
	test_loop_partition(&stick, 1, MIB, MIB, part);

	snprintf(text, sizeof(text), "UUID=none\n%s\n", part);
	assert_true(excluded(stick.path, text));
	assert_true(excluded(part, text));
	assert_false(excluded(other.path, text));
	assert_true(excluded(part, stick.path));
	assert_true(excluded(other.path, "all"));

	test_loop_forget(&stick, 1);
	test_loop_close(&stick);
	test_loop_close(&other);
}

static void what_is_not_there_excludes_nothing(void **state)
{
	struct test_loop loop;

	(void)state;
	test_loop_open(test_file("back", 8 * MIB, -1), 512, 0, &loop);
	assert_false(excluded(loop.path, "UUID=AB-CD\nPARTUUID=1\nid:x\n/dev/none\n/dev/null\n"));
	/* It has no serial number: an empty one is nobody's. */
	assert_false(excluded(loop.path, "serial:\nserial:S5GX\n\nnonsense\n"));
	test_loop_close(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_list_excludes_nothing),
		cmocka_unit_test(a_disk_and_its_partitions_are_one),
		cmocka_unit_test(what_is_not_there_excludes_nothing),
	};

	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
