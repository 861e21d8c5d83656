// SPDX-License-Identifier: GPL-2.0-or-later
/* The layout that a manifest tells of, and manifests that tell nonsense. */
#include "codec_test.h"

#include "codec/manifest.h"
#include "codec/manifest_table.h"

#define TEXT_MOST 384

static json_t *parsed(const char *text)
{
	json_t *manifest;

	assert_int_equal(manifest_parse(text, strlen(text), &manifest), 0);
	return manifest;
}

/* A table of PARTITIONS. */
static json_t *table_of(const char *partitions)
{
	char text[2048];

	snprintf(text, sizeof(text), "{\"table\":{\"type\":\"gpt\",\"partitions\":%s}}",
		 partitions);
	return parsed(text);
}

static void where_is(const json_t *manifest, uint64_t from, uint64_t length, const char *expected)
{
	char text[TEXT_MOST];

	manifest_where(manifest, from, length, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void partition_has_what_the_manifest_says(void **state)
{
	json_t *manifest = table_of("[{\"number\":2,\"start\":4096,\"size\":8192,\"type\":\"0x83\","
				    "\"name\":\"n\",\"uuid\":\"u\",\"fs\":{\"type\":\"ext4\","
				    "\"label\":\"l\",\"uuid\":\"f\"}},"
				    "{\"number\":3,\"start\":0,\"size\":0}]");
	struct manifest_partition partition;

	(void)state;
	assert_int_equal(manifest_partition_count(manifest), 2);
	assert_true(manifest_partition_get(manifest, 0, &partition));
	assert_int_equal(partition.number, 2);
	assert_int_equal(partition.start, 4096);
	assert_int_equal(partition.size, 8192);
	assert_string_equal(partition.type, "0x83");
	assert_string_equal(partition.name, "n");
	assert_string_equal(partition.uuid, "u");
	assert_string_equal(partition.fs, "ext4");
	assert_string_equal(partition.label, "l");
	assert_string_equal(partition.fs_uuid, "f");
	assert_true(manifest_partition_get(manifest, 1, &partition));
	assert_string_equal(partition.type, "");
	assert_string_equal(partition.fs_uuid, "");
	json_decref(manifest);
}

static void partition_that_cannot_be_is_none(void **state)
{
	static const char *const wrong[] = {
		"{}",
		"null",
		"7",
		"\"x\"",
		"[1,2,3]",
		"{\"number\":1,\"start\":0}",
		"{\"number\":1,\"size\":1}",
		"{\"start\":0,\"size\":1}",
		"{\"number\":-1,\"start\":0,\"size\":1}",
		"{\"number\":1,\"start\":-1,\"size\":1}",
		"{\"number\":1,\"start\":0,\"size\":-9223372036854775808}",
		"{\"number\":1.0,\"start\":0,\"size\":1}",
		"{\"number\":1,\"start\":\"0\",\"size\":1}",
		"{\"number\":1,\"start\":0,\"size\":[1]}",
		"{\"number\":true,\"start\":0,\"size\":1}",
	};
	struct manifest_partition partition;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), "[%s]", wrong[i]);
		json_t *manifest = table_of(text);

		assert_int_equal(manifest_partition_count(manifest), 1);
		test_unset(&partition, sizeof(partition));
		if (manifest_partition_get(manifest, 0, &partition))
			fail_msg("it took %s", wrong[i]);
		test_assert_unset(&partition, sizeof(partition));
		assert_false(manifest_partition_get(manifest, 1, &partition));
		where_is(manifest, 0, 4096, "outside all partitions");
		json_decref(manifest);
	}
}

static void strings_of_other_types_are_empty(void **state)
{
	json_t *manifest =
		table_of("[{\"number\":1,\"start\":0,\"size\":1,\"type\":5,\"name\":null,"
			 "\"uuid\":{},\"fs\":\"ext4\"},"
			 "{\"number\":1,\"start\":0,\"size\":1,\"fs\":{\"type\":[],"
			 "\"label\":1.5,\"uuid\":true}}]");
	struct manifest_partition partition;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_true(manifest_partition_get(manifest, i, &partition));
		assert_string_equal(partition.type, "");
		assert_string_equal(partition.name, "");
		assert_string_equal(partition.uuid, "");
		assert_string_equal(partition.fs, "");
		assert_string_equal(partition.label, "");
		assert_string_equal(partition.fs_uuid, "");
	}
	json_decref(manifest);
}

/* The file system FS, of the only partition. */
static void used_is(const char *fs, uint64_t size, uint64_t used)
{
	struct manifest_partition partition;
	char text[256];

	snprintf(text, sizeof(text), "[{\"number\":1,\"start\":0,\"size\":9,\"fs\":%s}]", fs);
	json_t *manifest = table_of(text);

	assert_true(manifest_partition_get(manifest, 0, &partition));
	if (partition.fs_size != size || partition.fs_used != used)
		fail_msg("wrong of %s", fs);
	json_decref(manifest);
}

static void use_is_told_or_nothing_is(void **state)
{
	(void)state;
	used_is("{\"size\":8,\"used\":7}", 8, 7);
	used_is("{\"size\":8,\"used\":8}", 8, 8);
	used_is("{\"size\":9223372036854775807,\"used\":0}", INT64_MAX, 0);
	used_is("{\"size\":8,\"used\":9}", 0, 0);
	used_is("{\"size\":0,\"used\":0}", 0, 0);
	used_is("{\"size\":8}", 0, 0);
	used_is("{\"used\":8}", 0, 0);
	used_is("{\"size\":8,\"used\":-1}", 0, 0);
	used_is("{\"size\":-8,\"used\":-9}", 0, 0);
	used_is("{\"size\":\"8\",\"used\":7}", 0, 0);
	used_is("{\"size\":8,\"used\":7.5}", 0, 0);
	used_is("[8,7]", 0, 0);
	used_is("null", 0, 0);
}

static void no_table_tells_nothing(void **state)
{
	static const char *const none[] = {"{}", "{\"table\":null}", "{\"table\":[1]}",
					   "{\"table\":{\"partitions\":{\"a\":1}}}",
					   "{\"table\":{\"partitions\":[]}}"};
	struct manifest_partition partition;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		json_t *manifest = parsed(none[i]);

		assert_int_equal(manifest_partition_count(manifest), 0);
		assert_false(manifest_partition_get(manifest, 0, &partition));
		where_is(manifest, 0, 4096, "");
		json_decref(manifest);
	}
	assert_int_equal(manifest_partition_count(NULL), 0);
	where_is(NULL, 0, 1, "");
}

static void ranges_are_two_numbers(void **state)
{
	json_t *manifest = parsed("{\"unallocated\":[[4096,512],[1],[1,2,3],[-1,2],[1,\"2\"],null,"
				  "[9223372036854775807,9223372036854775807]],\"unreadable\":7}");
	uint64_t offset = 1, length = 1;

	(void)state;
	assert_int_equal(manifest_range_count(manifest, "unallocated"), 7);
	assert_int_equal(manifest_range_count(manifest, "unreadable"), 0);
	assert_int_equal(manifest_range_count(manifest, "resumes"), 0);
	assert_true(manifest_range_get(manifest, "unallocated", 0, &offset, &length));
	assert_int_equal(offset, 4096);
	assert_int_equal(length, 512);
	for (size_t i = 1; i < 6; i++)
		assert_false(manifest_range_get(manifest, "unallocated", i, &offset, &length));
	assert_true(manifest_range_get(manifest, "unallocated", 6, &offset, &length));
	assert_int_equal(offset, INT64_MAX);
	assert_int_equal(length, INT64_MAX);
	assert_false(manifest_range_get(manifest, "unallocated", 7, &offset, &length));
	assert_false(manifest_range_get(manifest, "unreadable", 0, &offset, &length));
	json_decref(manifest);
}

static void where_names_what_it_touches(void **state)
{
	json_t *manifest =
		table_of("[{\"number\":1,\"start\":1000,\"size\":100,\"name\":\"EFI\"},"
			 "{\"number\":2,\"start\":1100,\"size\":100,\"name\":\"x\","
			 "\"fs\":{\"type\":\"ext4\",\"label\":\"root\"}},"
			 "{\"number\":3,\"start\":2000,\"size\":0},"
			 "{\"number\":5,\"start\":3000,\"size\":10,\"fs\":{\"type\":\"swap\"}}]");

	(void)state;
	where_is(manifest, 0, 1000, "outside all partitions");
	where_is(manifest, 0, 1001, "in partition 1, \"EFI\"");
	where_is(manifest, 1099, 1, "in partition 1, \"EFI\"");
	where_is(manifest, 1099, 2, "in partition 1, \"EFI\" and partition 2, ext4 \"root\"");
	where_is(manifest, 1199, 1, "in partition 2, ext4 \"root\"");
	where_is(manifest, 1200, 1000, "outside all partitions");
	where_is(manifest, 3005, 1, "in partition 5, swap");
	where_is(manifest, 1150, 0, "in partition 2, ext4 \"root\"");
	json_decref(manifest);

	manifest = parsed("{\"contents\":{\"type\":\"xfs\",\"label\":\"data\"}}");
	where_is(manifest, 0, 1, "in its xfs");
	json_decref(manifest);
}

/* Partitions over each other, and over all that can be: three are named, the others counted. */
static void where_counts_what_overlaps(void **state)
{
	char text[2048] = "[";
	json_t *manifest;

	(void)state;
	for (int i = 1; i <= 8; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used,
			 "%s{\"number\":%d,\"start\":%s,\"size\":9223372036854775807}",
			 i == 1 ? "" : ",", i, i == 8 ? "9223372036854775807" : "0");
	}
	strcat(text, "]");
	manifest = table_of(text);
	where_is(manifest, 4096, 4096, "in partition 1 and partition 2 and partition 3 and 4 more");
	where_is(manifest, INT64_MAX, 1, "in partition 8");
	json_decref(manifest);
}

/* Names longer than there is room for are cut; nothing is written behind it. */
static void where_is_cut_to_its_room(void **state)
{
	static char text[1024];
	char name[600];
	json_t *manifest;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(text, sizeof(text),
		 "[{\"number\":9223372036854775807,\"start\":0,\"size\":1,\"name\":\"%s\","
		 "\"fs\":{\"type\":\"%s\"}}]",
		 name, name + 400);
	manifest = table_of(text);
	for (size_t len = 1; len <= 160; len++) {
		char *exact = malloc(len);

		assert_non_null(exact);
		manifest_where(manifest, 0, 1, exact, len);
		assert_in_range(strlen(exact), 0, len - 1);
		free(exact);
	}
	json_decref(manifest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(partition_has_what_the_manifest_says),
		cmocka_unit_test(partition_that_cannot_be_is_none),
		cmocka_unit_test(strings_of_other_types_are_empty),
		cmocka_unit_test(use_is_told_or_nothing_is),
		cmocka_unit_test(no_table_tells_nothing),
		cmocka_unit_test(ranges_are_two_numbers),
		cmocka_unit_test(where_names_what_it_touches),
		cmocka_unit_test(where_counts_what_overlaps),
		cmocka_unit_test(where_is_cut_to_its_room),
	};

	return cmocka_run_group_tests_name("manifest_table", tests, NULL, NULL);
}
