// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec_test.h"

#include "codec/text.h"

static const struct {
	const char *text;
	bool valid;
} texts[] = {
	{"", true},
	{"plain ASCII ~", true},
	{"Gr\303\274\303\237e \342\200\223 \360\237\232\200", true},
	{"\302\240", true},	    /* U+00A0, the first behind the C1 controls */
	{"\337\277", true},	    /* U+07FF */
	{"\340\240\200", true},	    /* U+0800 */
	{"\355\237\277", true},	    /* U+D7FF */
	{"\356\200\200", true},	    /* U+E000 */
	{"\364\217\277\277", true}, /* U+10FFFF */
	{"tab\there", false},
	{"line\n", false},
	{"\033[31mred", false},
	{"delete\177", false},
	{"\302\205", false}, /* U+0085, a C1 control */
	{"\302\233", false}, /* U+009B, CSI in eight bits */
	{"\233", false},     /* ... raw */
	{"\200", false},     /* continues nothing */
	{"\303", false},     /* continued by nothing */
	{"\303x", false},
	{"\342\200", false},
	{"ab\342\200", false},
	{"\342\200x", false},
	{"\360\237\232", false},
	{"\300\257", false}, /* '/' in two bytes */
	{"\301\277", false},
	{"\340\200\257", false}, /* ... in three */
	{"\340\237\277", false},
	{"\360\200\200\257", false}, /* ... in four */
	{"\360\217\277\277", false},
	{"\355\240\200", false}, /* a surrogate */
	{"\355\277\277", false},
	{"\364\220\200\200", false}, /* above U+10FFFF */
	{"\365\200\200\200", false},
	{"\370\210\200\200\200", false},
	{"\376", false},
	{"\377", false},
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static void valid_knows_utf8_and_control_characters(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEXTS; i++) {
		size_t len = strlen(texts[i].text);
		uint8_t *text = test_copy(texts[i].text, len);

		if (text_valid(text, len) != texts[i].valid)
			fail_msg("texts[%zu] is judged wrong", i);
		free(text);
	}
	assert_false(text_valid("a\0b", 3));
}

static void put_keeps_what_is_valid(void **state)
{
	char out[64];

	(void)state;
	for (size_t i = 0; i < TEXTS; i++) {
		size_t len = strlen(texts[i].text);

		assert_int_equal(text_put(texts[i].text, sizeof(out), out), len);
		assert_true(text_valid(out, len));
		if (texts[i].valid)
			assert_memory_equal(out, texts[i].text, len);
		else
			assert_non_null(memchr(out, '?', len));
	}
}

static void put_replaces_byte_by_byte(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(text_put("a\tb\303(\233\303\274", sizeof(out), out), 8);
	assert_memory_equal(out, "a?b?(?\303\274", 8);
	assert_int_equal(text_put("\303x", 2, out), 2); /* wrong, and not cut */
	assert_memory_equal(out, "?x", 2);
}

static void put_cuts_between_characters(void **state)
{
	static const char text[] = "a\303\274\342\200\223\360\237\232\200";
	static const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
	char out[16];

	(void)state;
	for (size_t most = 0; most < sizeof(whole) / sizeof(whole[0]); most++) {
		char *source = (char *)test_copy(text, most < sizeof(text) ? most : sizeof(text));

		test_unset(out, sizeof(out));
		assert_int_equal(text_put(source, most, out), whole[most]);
		assert_memory_equal(out, text, whole[most]);
		test_assert_unset(out + whole[most], sizeof(out) - whole[most]);
		free(source);
	}
}

static void get_refuses_what_is_too_long(void **state)
{
	char out[5];

	(void)state;
	assert_true(text_get("four", 4, 4, out));
	assert_string_equal(out, "four");
	test_unset(out, sizeof(out));
	assert_false(text_get("fives", 5, 4, out));
	assert_false(text_get("\n", 1, 4, out));
	test_assert_unset(out, sizeof(out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_knows_utf8_and_control_characters),
		cmocka_unit_test(put_keeps_what_is_valid),
		cmocka_unit_test(put_replaces_byte_by_byte),
		cmocka_unit_test(put_cuts_between_characters),
		cmocka_unit_test(get_refuses_what_is_too_long),
	};

	return cmocka_run_group_tests_name("wire_text", tests, NULL, NULL);
}
