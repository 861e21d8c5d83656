// SPDX-License-Identifier: GPL-2.0-or-later
/* What a folder of images calls its files, whatever the peer calls itself and its disks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sink/folder_name.h"

#define COUNT(cases) (sizeof(cases) / sizeof(*(cases)))
#define SIXTEEN	     "0123456789abcdef"
#define SIXTY_FOUR   SIXTEEN SIXTEEN SIXTEEN SIXTEEN

static void test_part(void **state)
{
	static const char *const cases[][2] = {
		{"laptop", "laptop"},
		{"Laptop-2_b.lan", "Laptop-2_b.lan"},
		{"", "machine"},
		{".", "_"},
		{"..", "_."},
		{".hidden", "_hidden"},
		{"-rf", "_rf"},
		{"--force", "_-force"},
		{"../../etc/passwd", "_._.._etc_passwd"},
		{"/", "_"},
		{"a b\tc\nd", "a_b_c_d"},
		{"\033[2J", "__2J"},
		{"$(reboot)`x`;'\"*?", "__reboot__x______"},
		{"na\xc3\xafve", "na__ve"},
		{"\xff\xfe", "__"},
		{SIXTY_FOUR, SIXTY_FOUR},
		{SIXTY_FOUR "x", SIXTY_FOUR},
	};
	char name[FOLDER_NAME_PART + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		folder_name_part(cases[i][0], "machine", name);
		assert_string_equal(name, cases[i][1]);
	}
}

static void test_disk(void **state)
{
	static const char *const cases[][2] = {
		{"/dev/nvme0n1", "nvme0n1"},
		{"/dev/mapper/vg-root", "vg-root"},
		{"file", "file"},
		{"-", "stream"},
		{"/dev/-", "_"},
		{"folder/file.img", "file.img"},
		{"folder/file///", "file"},
		{"", "disk"},
		{"/", "disk"},
		{"///", "disk"},
		{"/dev/..", "_."},
		{"/dev/.sda", "_sda"},
		{"/dev/-o", "_o"},
		{"/dev/a\\b", "a_b"},
		{"/x/" SIXTY_FOUR SIXTY_FOUR, SIXTY_FOUR},
	};
	char name[FOLDER_NAME_PART + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		folder_name_disk(cases[i][0], name);
		assert_string_equal(name, cases[i][1]);
	}
}

static void test_image(void **state)
{
	char name[FOLDER_NAME_MOST + 1];

	(void)state;
	folder_name_image("laptop", "sda", 1, name);
	assert_string_equal(name, "laptop-sda.zst");
	folder_name_image("laptop", "sda", 2, name);
	assert_string_equal(name, "laptop-sda-2.zst");
	/* The longest of all is not cut, and has room for ".part". */
	folder_name_image(SIXTY_FOUR, SIXTY_FOUR, UINT32_MAX, name);
	assert_string_equal(name, SIXTY_FOUR "-" SIXTY_FOUR "-4294967295.zst");
	assert_true(strlen(name) + strlen(".part") <= FOLDER_NAME_MOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_part),
		cmocka_unit_test(test_disk),
		cmocka_unit_test(test_image),
	};

	return cmocka_run_group_tests_name("folder_name", tests, NULL, NULL);
}
