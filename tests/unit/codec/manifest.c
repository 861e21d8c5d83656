// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec_test.h"

#include "codec/manifest.h"

static const struct image_head manifest_test_head = {
	.transfer_id = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab,
			0xac, 0xad, 0xae, 0xaf},
	.map = {.size = 5000000, .chunk_size = CHUNK_SIZE},
	.created = 1767225600,
};
static const struct manifest_end manifest_test_end = {
	.head = &manifest_test_head,
	.size = 5000000,
	.chunks = 2,
	.frames = 6,
	.root = {{1, 2, 3}},
	.finished = 1767225700,
};

static int manifest_test_parse(const char *text, size_t len)
{
	char *exact = (char *)test_copy(text, len);
	json_t *manifest;
	int err;

	test_unset(&manifest, sizeof(manifest));
	err = manifest_parse(exact, len, &manifest);
	if (err)
		test_assert_unset(&manifest, sizeof(manifest));
	else
		json_decref(manifest);
	free(exact);
	return err;
}

static void parse_takes_one_object(void **state)
{
	static const char *const right[] = {
		"{}", " {\"a\":[1,2,{\"b\":null}]}\n", "{\"]}\":\"\\\"[{\"}",
		"{\"a\":\"x[[[[[[[[[[[[[[[[[[[[[[[[\"}", "{\"a\":\"x]]]]\",\"b\":[]}"};

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		assert_int_equal(manifest_test_parse(right[i], strlen(right[i])), 0);
}

static void parse_refuses_all_else(void **state)
{
	static const char *const wrong[] = {
		"",
		" ",
		"null",
		"1",
		"\"a\"",
		"[]",
		"[{}]",
		"{",
		"}",
		"{}}",
		"{}{}",
		"{} x",
		"{]",
		"{\"a\"}",
		"{\"a\":1,}",
		"{\"a\":01}",
		"{\"a\":1e999}",
		"{\"a\":9223372036854775808}",
		"{\"a\":nan}",
		"{a:1}",
		"{'a':1}",
		"{\"a\":1 /* b */}",
		"{\"a\":\"\n\"}",
		"{\"a\":\"\\x\"}",
		"{\"a\":\"\\u0000\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\",
		"{\"a\":\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (manifest_test_parse(wrong[i], strlen(wrong[i])) != -EBADMSG)
			fail_msg("it took %s", wrong[i]);
	}
	assert_int_equal(manifest_test_parse("{}\0", 3), -EBADMSG);
}

static void parse_refuses_duplicate_keys(void **state)
{
	static const char text[] = "{\"size\":1,\"a\":2,\"size\":3}";

	(void)state;
	assert_int_equal(manifest_test_parse(text, strlen(text)), -EBADMSG);
}

static void parse_refuses_what_is_not_utf8(void **state)
{
	(void)state;
	assert_int_equal(manifest_test_parse("{\"a\":\"\303\274\"}", 10), 0);
	assert_int_equal(manifest_test_parse("{\"a\":\"\303\"}", 9), -EBADMSG);
	assert_int_equal(manifest_test_parse("{\"a\":\"\300\257\"}", 10), -EBADMSG);
	assert_int_equal(manifest_test_parse("{\"a\":\"\355\240\200\"}", 11), -EBADMSG);
}

static void parse_refuses_a_nest_too_deep(void **state)
{
	char text[256] = "{\"a\":";
	size_t len = strlen(text);

	(void)state;
	memset(text + len, '[', MANIFEST_DEPTH_MOST - 1);
	memset(text + len + MANIFEST_DEPTH_MOST - 1, ']', MANIFEST_DEPTH_MOST - 1);
	strcpy(text + len + 2 * (MANIFEST_DEPTH_MOST - 1), "}");
	assert_int_equal(manifest_test_parse(text, strlen(text)), 0);
	memset(text + len, '[', MANIFEST_DEPTH_MOST);
	memset(text + len + MANIFEST_DEPTH_MOST, ']', MANIFEST_DEPTH_MOST);
	strcpy(text + len + 2 * MANIFEST_DEPTH_MOST, "}");
	assert_int_equal(manifest_test_parse(text, strlen(text)), -EBADMSG);
}

static void parse_refuses_a_bomb_of_brackets(void **state)
{
	size_t len = 1 << 20;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, '[', len);
	text[0] = '{';
	assert_int_equal(manifest_test_parse(text, len), -EBADMSG);
	free(text);
}

/* An object with an array of 0 and COUNT times MORE. free() it. */
static char *manifest_test_values(const char *more, size_t count)
{
	size_t step = strlen(more), len = strlen("{\"a\":[0");
	char *text = malloc(step * count + 32);

	assert_non_null(text);
	strcpy(text, "{\"a\":[0");
	for (size_t i = 0; i < count; i++, len += step)
		memcpy(text + len, more, step);
	strcpy(text + len, "]}");
	return text;
}

static int manifest_test_many(const char *more, size_t count)
{
	char *text = manifest_test_values(more, count);
	int err = manifest_test_parse(text, strlen(text));

	free(text);
	return err;
}

/* By what it takes to read them: see docs/image-format.md. */
static void parse_refuses_too_many_values(void **state)
{
	static const struct {
		const char *more;
		size_t cost;
	} cases[] = {{",0", 1}, {",\"\"", 3}, {",[]", 5}, {",{}", 9}, {",{\"\":0}", 13}};
	/* {"a":[0]} */
	const size_t around = 8 + 2 + 2 + 4;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t most = (MANIFEST_COST_MOST - around) / cases[i].cost;

		assert_int_equal(manifest_test_many(cases[i].more, most / 16), 0);
		assert_int_equal(manifest_test_many(cases[i].more, most + 1), -EBADMSG);
	}
	assert_int_equal(manifest_test_many(",{}", (MANIFEST_COST_MOST - around) / 9), 0);
}

static void parse_refuses_more_bytes_than_an_image_can_hold(void **state)
{
	size_t len = IMAGE_MANIFEST_MOST + 1;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', len);
	memcpy(text, "{}", 2);
	assert_int_equal(manifest_test_parse(text, MANIFEST_COST_MOST + 4), 0);
	assert_int_equal(manifest_test_parse(text, len), -EBADMSG);
	free(text);
}

static void format_keeps_the_order_of_keys(void **state)
{
	static const char text[] = "{\"z\":1,\"a\":{\"y\":[],\"b\":\"\303\274\"},\"m\":-5}";
	json_t *manifest;
	size_t len;
	char *out;

	(void)state;
	assert_int_equal(manifest_parse(text, strlen(text), &manifest), 0);
	assert_int_equal(manifest_format(manifest, &out, &len), 0);
	assert_string_equal(out, text);
	assert_int_equal(len, strlen(text));
	free(out);
	json_decref(manifest);
}

static void finish_adds_what_the_end_knows(void **state)
{
	json_t *manifest;
	size_t len;
	char *out;

	(void)state;
	assert_int_equal(manifest_parse("{\"tool\":\"t\",\"size\":9}", 21, &manifest), 0);
	assert_int_equal(manifest_finish(manifest, &manifest_test_end), 0);
	assert_int_equal(manifest_check(manifest, &manifest_test_end), 0);
	assert_int_equal(manifest_format(manifest, &out, &len), 0);
	assert_string_equal(out, "{\"tool\":\"t\",\"size\":5000000,\"format\":1,"
				 "\"transfer\":\"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf\","
				 "\"chunk_size\":4194304,\"chunks\":2,\"frames\":6,"
				 "\"root\":\"01020300000000000000000000000000\","
				 "\"created\":1767225600,\"finished\":1767225700}");
	free(out);
	json_decref(manifest);
}

static void check_refuses_every_key_changed_or_missing(void **state)
{
	static const char *const keys[] = {"format", "transfer", "size",    "chunk_size", "chunks",
					   "frames", "root",	 "created", "finished"};

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_t *manifest = json_object();

		assert_int_equal(manifest_finish(manifest, &manifest_test_end), 0);
		assert_int_equal(manifest_check(manifest, &manifest_test_end), 0);
		json_object_set_new(manifest, keys[i], json_integer(-1));
		assert_int_equal(manifest_check(manifest, &manifest_test_end), -EBADMSG);
		json_object_set_new(manifest, keys[i], json_real(2.0));
		assert_int_equal(manifest_check(manifest, &manifest_test_end), -EBADMSG);
		json_object_set_new(manifest, keys[i], json_string(""));
		assert_int_equal(manifest_check(manifest, &manifest_test_end), -EBADMSG);
		json_object_set_new(manifest, keys[i], json_null());
		assert_int_equal(manifest_check(manifest, &manifest_test_end), -EBADMSG);
		json_object_del(manifest, keys[i]);
		assert_int_equal(manifest_check(manifest, &manifest_test_end), -EBADMSG);
		json_decref(manifest);
	}
}

static void check_takes_any_time_of_the_end(void **state)
{
	struct manifest_end expected = manifest_test_end;
	json_t *manifest = json_object();

	(void)state;
	assert_int_equal(manifest_finish(manifest, &manifest_test_end), 0);
	expected.finished = 0;
	assert_int_equal(manifest_check(manifest, &expected), 0);
	assert_int_equal(manifest_finish(manifest, &expected), 0);
	assert_int_equal(manifest_check(manifest, &manifest_test_end), 0);
	json_decref(manifest);
}

static void string_follows_a_path(void **state)
{
	static const char text[] =
		"{\"source\":{\"model\":\"M\",\"size\":5,\"deep\":{\"er\":\"D\"}},"
		"\"tool\":\"T\"}";
	json_t *manifest;

	(void)state;
	assert_int_equal(manifest_parse(text, strlen(text), &manifest), 0);
	assert_string_equal(manifest_string(manifest, "tool"), "T");
	assert_string_equal(manifest_string(manifest, "source.model"), "M");
	assert_string_equal(manifest_string(manifest, "source.deep.er"), "D");
	assert_string_equal(manifest_string(manifest, "source.size"), "");
	assert_string_equal(manifest_string(manifest, "source"), "");
	assert_string_equal(manifest_string(manifest, "source.serial"), "");
	assert_string_equal(manifest_string(manifest, "tool.model"), "");
	assert_string_equal(manifest_string(manifest, "no.such.path"), "");
	assert_string_equal(manifest_string(manifest, ""), "");
	assert_string_equal(manifest_string(manifest, "."), "");
	assert_string_equal(manifest_string(NULL, "tool"), "");
	json_decref(manifest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_takes_one_object),
		cmocka_unit_test(parse_refuses_all_else),
		cmocka_unit_test(parse_refuses_duplicate_keys),
		cmocka_unit_test(parse_refuses_what_is_not_utf8),
		cmocka_unit_test(parse_refuses_a_nest_too_deep),
		cmocka_unit_test(parse_refuses_a_bomb_of_brackets),
		cmocka_unit_test(parse_refuses_too_many_values),
		cmocka_unit_test(parse_refuses_more_bytes_than_an_image_can_hold),
		cmocka_unit_test(format_keeps_the_order_of_keys),
		cmocka_unit_test(finish_adds_what_the_end_knows),
		cmocka_unit_test(check_refuses_every_key_changed_or_missing),
		cmocka_unit_test(check_takes_any_time_of_the_end),
		cmocka_unit_test(string_follows_a_path),
	};

	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
