// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands, regions and what is not a message. */
#include "vfio_machine.h"

static void test_version(void **state)
{
	const uint8_t version[] = {0, 0, 1, 0, '{', '}', 0};
	const void *body;
	size_t len;

	(void)state;
	assert_int_equal(ask(1, version, sizeof(version), &body, &len), 0);
	assert_memory_equal(body, "\0\0\0\0{\"capabilities\":{", 21);
	assert_int_equal(((const char *)body)[len - 1], '\0');
}

static void test_version_refused(void **state)
{
	const uint8_t version[] = {1, 0, 0, 0};
	const void *body;
	size_t len;

	(void)state;
	assert_int_equal(ask(1, version, sizeof(version), &body, &len), EINVAL);
	assert_int_equal(len, 0);
}

static void test_infos(void **state)
{
	struct vfio_user_region_info region = {.argsz = sizeof(region), .index = 7};
	const void *body;
	size_t len;

	(void)state;
	assert_int_equal(ask(5, &region, sizeof(region), &body, &len), 0);
	memcpy(&region, body, sizeof(region));
	assert_int_equal(region.size, 16);
	assert_int_equal(region.flags, 3);
}

static void test_index_outside(void **state)
{
	const struct vfio_user_region_info region = {.index = VFIO_USER_REGIONS};
	const void *body;
	size_t len;

	(void)state;
	assert_int_equal(ask(5, &region, sizeof(region), &body, &len), EINVAL);
}

static void test_region_access(void **state)
{
	const struct {
		struct vfio_user_region_access access;
		uint32_t value;
	} write = {{.offset = 60, .region = 0, .count = 4}, 0x12345678};
	const void *body;
	uint32_t value;
	size_t len;

	(void)state;
	say(10, 0x10, &write, 20); /* posted: no reply */
	assert_int_equal(vfio_user_serve(&vu), 0);
	assert_int_equal(in_len, 0);
	out_len = out_pos = 0;
	assert_int_equal(ask(9, &write, 16, &body, &len), 0);
	assert_int_equal(len, 20);
	memcpy(&value, (const uint8_t *)body + 16, 4);
	assert_int_equal(value, 0x12345678);
	assert_string_equal(asked, "write 0 60 4;read 0 60 4;");
}

static void test_region_access_refused(void **state)
{
	static const struct vfio_user_region_access wrong[] = {
		{.offset = 61, .region = 0, .count = 4},
		{.offset = UINT64_MAX - 1, .region = 0, .count = 4},
		{.offset = 0, .region = 1, .count = 1},
		{.offset = 0, .region = 9, .count = 0},
		{.offset = 0, .region = 0, .count = UINT32_MAX},
		{.offset = 0, .region = 7, .count = 17},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		const void *body;
		size_t len;

		out_len = out_pos = in_len = 0;
		assert_int_equal(ask(9, &wrong[i], 16, &body, &len), EINVAL);
		out_len = out_pos = in_len = 0;
		assert_int_equal(ask(10, &wrong[i], 16, &body, &len), EINVAL);
	}
	assert_string_equal(asked, "");
}

static void test_write_multiple(void **state)
{
	struct {
		uint64_t count;
		struct vfio_user_posted_write writes[2];
	} body = {2, {{{.offset = 0, .count = 4}, {1}}, {{.offset = 8, .count = 8}, {2}}}};

	(void)state;
	say(15, 0x10, &body, sizeof(body));
	assert_int_equal(vfio_user_serve(&vu), 0);
	assert_string_equal(asked, "write 0 0 4;write 0 8 8;");
	body.count = UINT64_MAX;
	say(15, 0x10, &body, sizeof(body));
	body.count = 2;
	body.writes[0].access.count = 9;
	say(15, 0x10, &body, sizeof(body));
	assert_int_equal(vfio_user_serve(&vu), 0);
	assert_string_equal(asked, "write 0 0 4;write 0 8 8;");
}

static void test_unknown_and_cut_commands(void **state)
{
	static const struct {
		uint16_t command;
		size_t len;
		uint32_t error;
	} wrong[] = {{0, 0, EOPNOTSUPP},   {6, 64, EOPNOTSUPP}, {16, 64, EOPNOTSUPP},
		     {999, 0, EOPNOTSUPP}, {1, 3, EINVAL},	{2, 31, EINVAL},
		     {3, 23, EINVAL},	   {5, 31, EINVAL},	{8, 19, EINVAL},
		     {9, 15, EINVAL},	   {15, 7, EINVAL}};
	const uint8_t zeros[64] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		const void *body;
		size_t len;

		out_len = out_pos = in_len = 0;
		assert_int_equal(ask(wrong[i].command, zeros, wrong[i].len, &body, &len),
				 wrong[i].error);
	}
}

/* Messages that come byte by byte are the same messages. */
static void test_bytewise(void **state)
{
	const struct vfio_user_region_access read = {.offset = 0, .region = 0, .count = 8};

	(void)state;
	say(9, 0, &read, sizeof(read));
	say(13, 0x10, "", 0);
	out_chunk = 1;
	for (size_t i = 0; i < out_len; i++)
		assert_int_equal(vfio_user_serve(&vu), 0);
	assert_string_equal(asked, "read 0 0 8;reset;");
	assert_int_equal(in_len, 16 + 16 + 8);
}

static void test_broken_headers(void **state)
{
	static const struct vfio_user_header wrong[] = {
		{.command = 13, .size = 15},
		{.command = 13, .size = VFIO_USER_MESSAGE_MAX + 1},
		{.command = 13, .size = 16, .flags = 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		memcpy(out, &wrong[i], sizeof(wrong[i]));
		out_len = sizeof(wrong[i]);
		out_pos = vu.len = 0;
		assert_int_equal(vfio_user_serve(&vu), -EPROTO);
	}
}

static void test_gone_machine(void **state)
{
	(void)state;
	send_fails = true;
	say(13, 0, "", 0);
	assert_int_equal(vfio_user_serve(&vu), -EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_version),	   test(test_version_refused),
		test(test_infos),	   test(test_index_outside),
		test(test_region_access),  test(test_region_access_refused),
		test(test_write_multiple), test(test_unknown_and_cut_commands),
		test(test_bytewise),	   test(test_broken_headers),
		test(test_gone_machine),
	};

	return cmocka_run_group_tests_name("vfio_user", tests, NULL, NULL);
}
