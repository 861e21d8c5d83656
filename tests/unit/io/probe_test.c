// SPDX-License-Identifier: GPL-2.0-or-later
#include "disk_test.h"

#include <sys/utsname.h>

#include "io/probe.h"

#define GPT_UUID "11111111-2222-3333-4444-555555555555"

static json_t *manifest_of(const char *path)
{
	struct disk *disk;
	json_t *manifest;

	assert_int_equal(disk_open_source(path, &disk), 0);
	assert_int_equal(probe_manifest(disk, &manifest), 0);
	disk_close(disk);
	return manifest;
}

static int contents_of(const char *path, char *ret, size_t len)
{
	struct disk *disk;
	int rc;

	assert_int_equal(disk_open_source(path, &disk), 0);
	rc = probe_contents(disk, ret, len);
	disk_close(disk);
	return rc;
}

static void assert_contents(const char *path, const char *expected)
{
	char text[160] = "";

	assert_int_equal(contents_of(path, text, sizeof(text)), expected[0] != '\0');
	assert_string_equal(text, expected);
}

/* The value under KEYS ("a.b") of OBJECT, as text. */
static const char *value(const json_t *object, const char *keys)
{
	static char number[32];
	char copy[128];

	snprintf(copy, sizeof(copy), "%s", keys);
	for (char *key = strtok(copy, "."); key; key = strtok(NULL, ".")) {
		if (json_is_array(object))
			object = json_array_get(object, (size_t)atoi(key));
		else
			object = json_object_get(object, key);
	}
	if (!json_is_integer(object))
		return object ? json_string_value(object) : "(none)";
	snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(object));
	return number;
}

/* A GPT with a FAT and an ext4 partition, as an installer makes it. */
static void gpt_make(const char *path, unsigned int sector)
{
	test_run("printf 'label: gpt\nlabel-id: " GPT_UUID "\n"
		 "start=%u, size=%u, type=U, name=\"EFI System\"\n"
		 "start=%u, size=%u, type=L, uuid=AAAAAAAA-0000-4000-8000-000000000001\n' | "
		 "sfdisk --no-tell-kernel --wipe never %s",
		 MIB / sector, 4 * MIB / sector, 5 * MIB / sector, 16 * MIB / sector, path);
	test_run("mkfs.vfat -n EFI -i 12345678 -S %u --offset %u %s 4096", sector, MIB / sector,
		 path);
	test_run("mkfs.ext4 -q -F -O ^metadata_csum -L root "
		 "-U aaaaaaaa-0000-4000-8000-000000000002 -E offset=%u %s 16M",
		 5 * MIB, path);
}

static void assert_gpt(const char *path)
{
	json_t *manifest = manifest_of(path);

	assert_string_equal(value(manifest, "table.type"), "gpt");
	assert_string_equal(value(manifest, "table.uuid"), GPT_UUID);
	assert_string_equal(value(manifest, "table.partitions.0.number"), "1");
	assert_string_equal(value(manifest, "table.partitions.0.start"), "1048576");
	assert_string_equal(value(manifest, "table.partitions.0.size"), "4194304");
	assert_string_equal(value(manifest, "table.partitions.0.type"),
			    "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
	assert_string_equal(value(manifest, "table.partitions.0.name"), "EFI System");
	assert_string_equal(value(manifest, "table.partitions.0.fs.type"), "vfat");
	assert_string_equal(value(manifest, "table.partitions.0.fs.label"), "EFI");
	assert_string_equal(value(manifest, "table.partitions.0.fs.uuid"), "1234-5678");
	assert_string_equal(value(manifest, "table.partitions.1.start"), "5242880");
	assert_string_equal(value(manifest, "table.partitions.1.uuid"),
			    "aaaaaaaa-0000-4000-8000-000000000001");
	assert_string_equal(value(manifest, "table.partitions.1.name"), "(none)");
	assert_string_equal(value(manifest, "table.partitions.1.fs.type"), "ext4");
	assert_string_equal(value(manifest, "table.partitions.1.fs.version"), "1.0");
	assert_string_equal(value(manifest, "table.partitions.1.fs.uuid"),
			    "aaaaaaaa-0000-4000-8000-000000000002");
	assert_string_equal(value(manifest, "table.partitions.1.fs.size"), "16777216");
	assert_string_not_equal(value(manifest, "table.partitions.1.fs.used"), "(none)");
	assert_string_equal(value(manifest, "table.partitions.2"), "(none)");
	assert_string_equal(value(manifest, "contents"), "(none)");
	json_decref(manifest);
	assert_contents(path, "GPT: EFI vfat, root ext4");
}

static void a_gpt_is_described(void **state)
{
	const char *path = test_file("gpt", 24 * MIB, -1);
	struct test_loop loop;
	struct utsname host;
	json_t *manifest;

	(void)state;
	gpt_make(path, 512);
	assert_gpt(path);
	manifest = manifest_of(path);
	assert_int_equal(uname(&host), 0);
	assert_string_equal(value(manifest, "source.kind"), "file");
	assert_string_equal(value(manifest, "source.path"), path);
	assert_string_equal(value(manifest, "source.size"), "25165824");
	assert_string_equal(value(manifest, "source.logical_sector"), "0");
	assert_string_equal(value(manifest, "host.name"), host.nodename);
	assert_string_equal(value(manifest, "host.kernel"), host.release);
	assert_string_equal(value(manifest, "tool"), "tbstream " TBSTREAM_VERSION);
	json_decref(manifest);
	test_loop_open(path, 512, LO_FLAGS_READ_ONLY, &loop);
	assert_gpt(loop.path);
	manifest = manifest_of(loop.path);
	assert_string_equal(value(manifest, "source.kind"), "disk");
	assert_string_equal(value(manifest, "source.logical_sector"), "512");
	json_decref(manifest);
	test_loop_close(&loop);
}

/* The same disk as a file: nothing there says that its sectors were 4096 bytes. */
static void large_sectors_are_described(void **state)
{
	const char *path = test_file("gpt4k", 24 * MIB, -1);
	struct test_loop loop;

	(void)state;
	test_loop_open(path, 4096, 0, &loop);
	gpt_make(loop.path, 4096);
	assert_gpt(loop.path);
	test_loop_close(&loop);
	assert_gpt(path);
}

static void an_mbr_is_described(void **state)
{
	const char *path = test_file("mbr", 24 * MIB, -1);
	json_t *manifest;

	(void)state;
	test_run("printf 'label: dos\nlabel-id: 0x12345678\n2048,8192,c,*\n10240,,E\n"
		 "12288,8192,83\n' | sfdisk --no-tell-kernel %s",
		 path);
	test_run("mkswap -L pages --offset %u %s || mkfs.ext4 -q -F -E offset=%u %s 4M",
		 12288 * 512, path, 12288 * 512, path);
	manifest = manifest_of(path);
	assert_string_equal(value(manifest, "table.type"), "dos");
	assert_string_equal(value(manifest, "table.uuid"), "12345678");
	assert_string_equal(value(manifest, "table.partitions.0.type"), "0x0c");
	assert_string_equal(value(manifest, "table.partitions.0.uuid"), "12345678-01");
	assert_string_equal(value(manifest, "table.partitions.0.fs"), "(none)");
	assert_string_equal(value(manifest, "table.partitions.2.number"), "5");
	assert_string_not_equal(value(manifest, "table.partitions.2.fs.type"), "(none)");
	json_decref(manifest);
}

static void a_file_system_without_a_table(void **state)
{
	const char *path = test_file("bare", 16 * MIB, -1);
	json_t *manifest;

	(void)state;
	test_run("mkfs.ext4 -q -F -L home %s", path);
	manifest = manifest_of(path);
	assert_string_equal(value(manifest, "contents.type"), "ext4");
	assert_string_equal(value(manifest, "contents.label"), "home");
	assert_string_equal(value(manifest, "contents.size"), "16777216");
	assert_string_equal(value(manifest, "table"), "(none)");
	json_decref(manifest);
	assert_contents(path, "ext4 home");
}

static void nothing_is_nothing(void **state)
{
	(void)state;
	assert_contents(test_file("empty", 0, 0), "");
	assert_contents(test_file("byte", 1, 1), "");
	assert_contents(test_file("zeros", MIB, 0), "");
	assert_contents(test_file("ones", MIB, 0xff), "");
	json_decref(manifest_of(test_path("empty")));
}

static void an_empty_table_is_something(void **state)
{
	const char *path = test_file("table", 4 * MIB, -1);

	(void)state;
	test_run("echo label: gpt | sfdisk --no-tell-kernel %s", path);
	assert_contents(path, "GPT: no partitions");
}

static void poke(const char *path, uint64_t offset, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, (off_t)offset), len);
	close(fd);
}

/* Labels of a disk reach a terminal, and JSON must be UTF-8. */
static void hostile_labels_are_harmless(void **state)
{
	static const char hostile[16] = "\x1b]0;\a\xff\x80\xc3z\n\t\xe2\x80x";
	const char *path = test_file("hostile", 24 * MIB, -1);
	const char *clean = "?]0;????z????x";
	char text[160] = "";
	json_t *manifest;
	char *json;

	(void)state;
	gpt_make(path, 512);
	poke(path, 5 * MIB + 1024 + 0x78, hostile, sizeof(hostile));
	manifest = manifest_of(path);
	json = json_dumps(manifest, JSON_COMPACT);
	assert_non_null(json);
	assert_string_equal(value(manifest, "table.partitions.1.fs.label"), clean);
	free(json);
	json_decref(manifest);
	assert_int_equal(contents_of(path, text, sizeof(text)), 1);
	snprintf(text + 100, 60, "GPT: EFI vfat, %s ext4", clean);
	assert_string_equal(text, text + 100);
}

/* A disk that was cut: its table speaks of what is no longer there. */
static void partitions_beyond_the_end_are_not_read(void **state)
{
	const char *path = test_file("cut", 24 * MIB, -1);
	json_t *manifest;

	(void)state;
	gpt_make(path, 512);
	assert_int_equal(truncate(path, 6 * MIB), 0);
	manifest = manifest_of(path);
	assert_string_equal(value(manifest, "table.partitions.1.fs"), "(none)");
	json_decref(manifest);
}

static void a_summary_is_cut_cleanly(void **state)
{
	const char *path = test_file("gpt", 24 * MIB, -1);
	char text[160];

	(void)state;
	gpt_make(path, 512);
	for (size_t len = 4; len < 40; len++) {
		memset(text, 0x5a, sizeof(text));
		assert_int_equal(contents_of(path, text, len), 1);
		assert_true(strlen(text) < len);
		assert_int_equal(text[len], 0x5a);
	}
	assert_int_equal(contents_of(path, text, 22), 1);
	assert_string_equal(text, "GPT: EFI vfat, ...");
}

static void what_cannot_be_read_is_an_error(void **state)
{
	const char *path = test_file("gone", MIB, 1);
	struct test_loop loop;
	char text[160];

	(void)state;
	test_loop_open(path, 512, 0, &loop);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(contents_of(loop.path, text, sizeof(text)), -EIO);
	json_decref(manifest_of(loop.path));
	test_loop_close(&loop);
}

/* Whatever disks this machine has; loop devices are none. */
static void this_machine_is_listed(void **state)
{
	struct probe_disk *disks = NULL;
	struct test_loop loop;
	char model[96], serial[96];
	size_t count = 0;

	(void)state;
	test_loop_open(test_file("loop", MIB, 0), 512, 0, &loop);
	assert_int_equal(probe_list(&disks, &count), 0);
	for (size_t i = 0; i < count; i++) {
		print_message("# %s|%s|%s|%s|%s\n", disks[i].path, disks[i].model, disks[i].serial,
			      disks[i].transport, disks[i].contents);
		assert_string_not_equal(disks[i].path, loop.path);
		assert_int_equal(strncmp(disks[i].path, "/dev/", 5), 0);
		assert_true(disks[i].size > 0);
		if (i > 0)
			assert_true(strverscmp(disks[i - 1].path, disks[i].path) < 0);
	}
	free(disks);
	test_loop_close(&loop);
	probe_machine(model, sizeof(model), serial, sizeof(serial));
	print_message("# %s|%s\n", model, serial);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gpt_is_described),
		cmocka_unit_test(large_sectors_are_described),
		cmocka_unit_test(an_mbr_is_described),
		cmocka_unit_test(a_file_system_without_a_table),
		cmocka_unit_test(nothing_is_nothing),
		cmocka_unit_test(an_empty_table_is_something),
		cmocka_unit_test(hostile_labels_are_harmless),
		cmocka_unit_test(partitions_beyond_the_end_are_not_read),
		cmocka_unit_test(a_summary_is_cut_cleanly),
		cmocka_unit_test(what_cannot_be_read_is_an_error),
		cmocka_unit_test(this_machine_is_listed),
	};

	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
