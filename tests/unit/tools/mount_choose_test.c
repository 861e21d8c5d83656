// SPDX-License-Identifier: GPL-2.0-or-later
/* Which partition is mounted, and that a manifest cannot lead outside the device. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "look/mount.h"

#define SIZE 100000u

/* The number chosen of the partitions in TEXT, an array; or -errno. */
static int chosen(const char *text, uint64_t number, struct mount_choice *ret)
{
	json_error_t error;
	json_t *partitions = json_loads(text, 0, &error);
	json_t *manifest;

	if (!partitions)
		fail_msg("%s", error.text);
	manifest = json_pack("{s:{s:o}, s:{s:s}}", "table", "partitions", partitions, "contents",
			     "type", "xfs");
	int r = mount_choose(manifest, "x.zst", SIZE, number, ret);

	if (r == 0) {
		assert_true(ret->from + ret->length <= SIZE);
		assert_true(ret->length);
		r = ret->number;
	}
	json_decref(manifest);
	return r;
}

#define EFI  "{\"number\":1,\"start\":512,\"size\":1024,\"fs\":{\"type\":\"vfat\"}}"
#define SWAP "{\"number\":2,\"start\":2048,\"size\":1024,\"fs\":{\"type\":\"swap\"}}"
#define ROOT "{\"number\":3,\"start\":4096,\"size\":95904,\"fs\":{\"type\":\"ext4\"}}"

static void mount_choose_test_which(void **state)
{
	struct mount_choice choice;

	(void)state;
	assert_int_equal(chosen("[]", 0, &choice), 0);
	assert_int_equal(choice.length, SIZE);
	assert_int_equal(chosen("[]", 1, &choice), -EINVAL);
	assert_int_equal(chosen("[" EFI "," SWAP "," ROOT "]", 0, &choice), -EINVAL);
	assert_int_equal(chosen("[" EFI "," SWAP "," ROOT "]", 3, &choice), 3);
	assert_int_equal(choice.from, 4096);
	assert_int_equal(choice.length, 95904);
	assert_int_equal(chosen("[" EFI "," SWAP "," ROOT "]", 4, &choice), -EINVAL);
	assert_int_equal(chosen("[" SWAP "," ROOT "]", 0, &choice), 3);
	assert_int_equal(chosen("[" SWAP "]", 0, &choice), 2);
}

static void mount_choose_test_hostile(void **state)
{
	static const char *const partitions[] = {
		"{\"number\":1,\"start\":100000,\"size\":1}",
		"{\"number\":1,\"start\":99999,\"size\":2}",
		"{\"number\":1,\"start\":1,\"size\":9223372036854775807}",
		"{\"number\":1,\"start\":9223372036854775807,\"size\":9223372036854775807}",
		"{\"number\":1,\"start\":-1,\"size\":1}",
		"{\"number\":1,\"start\":0,\"size\":0}",
		"{\"number\":0,\"start\":0,\"size\":1}",
		"{\"number\":1,\"start\":\"0\",\"size\":1}",
		"{\"number\":1}",
		"null",
	};
	struct mount_choice choice;
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(partitions) / sizeof(partitions[0]); i++) {
		snprintf(text, sizeof(text), "[%s]", partitions[i]);
		assert_int_equal(chosen(text, 0, &choice), -EINVAL);
		assert_int_equal(chosen(text, 1, &choice), -EINVAL);
		snprintf(text, sizeof(text), "[%s,%s]", partitions[i], ROOT);
		assert_int_equal(chosen(text, 0, &choice), 3);
	}
}

static void mount_choose_test_fs(void **state)
{
	(void)state;
	assert_non_null(mount_fs_find("ext4"));
	assert_null(mount_fs_find("crypto_LUKS"));
	assert_null(mount_fs_find(""));
	assert_null(mount_fs_find("ext4,overlay"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mount_choose_test_which),
		cmocka_unit_test(mount_choose_test_hostile),
		cmocka_unit_test(mount_choose_test_fs),
	};

	return cmocka_run_group_tests_name("mount_choose", tests, NULL, NULL);
}
