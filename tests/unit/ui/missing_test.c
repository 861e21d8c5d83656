// SPDX-License-Identifier: GPL-2.0-or-later
/* What an image lacks, in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/manifest.h"
#include "ui/missing.h"

#define SIZE (1ull << 30)

static void assert_tells(const char *text, uint64_t bytes, const char *wanted)
{
	json_t *manifest = NULL;
	char said[400];

	assert_int_equal(manifest_parse(text, strlen(text), &manifest), 0);
	assert_int_equal(missing_tell(manifest, SIZE, said, sizeof(said)), bytes);
	assert_string_equal(said, wanted);
	json_decref(manifest);
}

static void nothing_is_said_where_nothing_is_missing(void **state)
{
	(void)state;
	assert_tells("{}", 0, "");
	assert_tells("{\"unreadable\":[]}", 0, "");
	assert_tells("{\"unreadable\":7}", 0, "");
	assert_tells("{\"unreadable\":[[2000000000,1],[5,0]]}", 0, "");
}

static void without_a_table_it_is_how_much(void **state)
{
	(void)state;
	assert_tells("{\"unreadable\":[[512,512]]}", 512, "512 bytes in 1 range");
	assert_tells("{\"unreadable\":[[0,1024],[4096,1024]],\"contents\":{\"type\":\"ext4\"}}",
		     2048, "2.0 KiB in 2 ranges: 2.0 KiB in its ext4");
}

#define PART(number, start, size) "{\"number\":" #number ",\"start\":" #start ",\"size\":" #size "}"

static void partitions_are_named(void **state)
{
	(void)state;
	assert_tells("{\"unreadable\":[[0,512],[1000,2000],[9000,100]],\"table\":{\"partitions\":["
		     "{\"number\":1,\"start\":512,\"size\":1488,"
		     "\"fs\":{\"type\":\"vfat\",\"label\":\"EFI\"}}," PART(2, 2000, 5000) "]}}",
		     2612,
		     "2.6 KiB in 3 ranges: 1000 bytes in partition 1, vfat \"EFI\", 1000 bytes in "
		     "partition 2, 612 bytes outside all partitions");
}

/* One within another counts once; what is beyond the disk, or no partition, not at all. */
static void partitions_that_cannot_be_do_no_harm(void **state)
{
	(void)state;
	assert_tells("{\"unreadable\":[[1000,1000]],\"table\":{\"partitions\":["
		     "7,{}," PART(1, 0, 5000) "," PART(2, 1000, 1000) "," PART(
			     3, 2000000000, 1) "," PART(4, 1500, 9223372036854775807) "]}}",
		     1000, "1000 bytes in 1 range: 1000 bytes in partition 1");
}

static void no_more_than_a_few_are_named(void **state)
{
	(void)state;
	assert_tells(
		"{\"unreadable\":[[0,600]],\"table\":{\"partitions\":[" PART(1, 0, 100) "," PART(
			2, 100, 100) "," PART(3, 200, 100) "," PART(4, 300,
								    100) "," PART(5, 400,
										  100) "]}}",
		600,
		"600 bytes in 1 range: 100 bytes in partition 1, 100 bytes in partition 2, 100 "
		"bytes in partition 3, 100 bytes in partition 4, and in 2 more");
}

static void it_is_cut_where_there_is_no_room(void **state)
{
	json_t *manifest = NULL;
	static const char text[] = "{\"unreadable\":[[512,512]],\"contents\":{\"type\":\"ext4\"}}";
	char said[64];

	(void)state;
	assert_int_equal(manifest_parse(text, strlen(text), &manifest), 0);
	for (size_t len = 1; len < sizeof(said); len++) {
		memset(said, 'x', sizeof(said));
		assert_int_equal(missing_tell(manifest, SIZE, said, len), 512);
		assert_true(strnlen(said, len) < len);
		assert_int_equal(said[len], 'x');
	}
	json_decref(manifest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_said_where_nothing_is_missing),
		cmocka_unit_test(without_a_table_it_is_how_much),
		cmocka_unit_test(partitions_are_named),
		cmocka_unit_test(partitions_that_cannot_be_do_no_harm),
		cmocka_unit_test(no_more_than_a_few_are_named),
		cmocka_unit_test(it_is_cut_where_there_is_no_room),
	};

	return cmocka_run_group_tests_name("missing", tests, NULL, NULL);
}
