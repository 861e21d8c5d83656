// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec_test.h"

#include "codec/manifest.h"
#include "codec/manifest_set.h"

#define ID    "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
#define OTHER "b0b1b2b3b4b5b6b7b8b9babbbcbdbebf"

/* Reads MANIFEST as that of the image with transfer id HEAD_ID. */
static int set_get(const char *manifest, const char *head_id, struct manifest_set *ret)
{
	struct digest id;
	json_t *object;

	assert_int_equal(digest_parse(head_id, &id), 0);
	assert_int_equal(manifest_parse(manifest, strlen(manifest), &object), 0);
	int r = manifest_set_get(object, id.bytes, ret);

	json_decref(object);
	return r;
}

static void get_takes_a_disk_alone(void **state)
{
	struct manifest_set set;
	struct digest id;

	(void)state;
	assert_int_equal(digest_parse(ID, &id), 0);
	assert_int_equal(set_get("{}", ID, &set), 0);
	assert_int_equal(set.index, 1);
	assert_int_equal(set.count, 1);
	assert_true(digest_equal(&set.id, &id));
}

static void get_takes_one_of_several(void **state)
{
	struct manifest_set set;

	(void)state;
	assert_int_equal(set_get("{\"set\":{\"id\":\"" ID "\",\"index\":1,\"count\":2}}", ID, &set),
			 0);
	assert_int_equal(set.index, 1);
	assert_int_equal(set.count, 2);
	assert_int_equal(set_get("{\"set\":{\"id\":\"" ID
				 "\",\"index\":256,\"count\":256,\"more\":[]}}",
				 OTHER, &set),
			 0);
	assert_int_equal(set.index, 256);
}

static void get_refuses_all_else(void **state)
{
	static const char *const wrong[] = {
		"null",
		"1",
		"[]",
		"{}",
		"{\"id\":\"" ID "\",\"index\":2}",
		"{\"id\":\"" ID "\",\"count\":2}",
		"{\"index\":2,\"count\":2}",
		"{\"id\":\"" ID "\",\"index\":0,\"count\":2}",
		"{\"id\":\"" ID "\",\"index\":-1,\"count\":2}",
		"{\"id\":\"" ID "\",\"index\":3,\"count\":2}",
		"{\"id\":\"" ID "\",\"index\":2,\"count\":1}",
		"{\"id\":\"" ID "\",\"index\":2,\"count\":257}",
		"{\"id\":\"" ID "\",\"index\":4294967298,\"count\":4294967298}",
		"{\"id\":\"" ID "\",\"index\":2.0,\"count\":2}",
		"{\"id\":\"" ID "\",\"index\":\"2\",\"count\":2}",
		"{\"id\":\"" ID "0\",\"index\":2,\"count\":2}",
		"{\"id\":\"A0a1a2a3a4a5a6a7a8a9aaabacadaeaf\",\"index\":2,\"count\":2}",
		"{\"id\":7,\"index\":2,\"count\":2}",
		/* The first one, and only that, has the id that all are called by. */
		"{\"id\":\"" ID "\",\"index\":1,\"count\":2}",
		"{\"id\":\"" OTHER "\",\"index\":2,\"count\":2}",
	};
	char manifest[256];
	struct manifest_set set;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		test_unset(&set, sizeof(set));
		snprintf(manifest, sizeof(manifest), "{\"set\":%s}", wrong[i]);
		assert_int_equal(set_get(manifest, OTHER, &set), -EBADMSG);
		test_assert_unset(&set, sizeof(set));
	}
}

static void put_is_what_get_reads(void **state)
{
	struct manifest_set set = {.index = 2, .count = 3}, got;
	json_t *manifest = json_object();
	char *text;
	size_t len;

	(void)state;
	assert_int_equal(digest_parse(ID, &set.id), 0);
	assert_int_equal(manifest_set_put(manifest, &set), 0);
	assert_int_equal(manifest_format(manifest, &text, &len), 0);
	assert_string_equal(text, "{\"set\":{\"id\":\"" ID "\",\"index\":2,\"count\":3}}");
	assert_int_equal(set_get(text, OTHER, &got), 0);
	assert_int_equal(got.index, 2);
	assert_int_equal(got.count, 3);
	free(text);
	set = (struct manifest_set){.index = 1, .count = 1};
	assert_int_equal(manifest_set_put(manifest, &set), 0);
	assert_null(json_object_get(manifest, "set"));
	json_decref(manifest);
}

static void follows_is_the_next_of_the_same(void **state)
{
	struct manifest_set a = {.id = {{1}}, .index = 1, .count = 3}, b = a;

	(void)state;
	assert_true(manifest_set_follows(NULL, &a));
	assert_false(manifest_set_follows(&a, &b));
	b.index = 2;
	assert_false(manifest_set_follows(NULL, &b));
	assert_true(manifest_set_follows(&a, &b));
	b.index = 3;
	assert_false(manifest_set_follows(&a, &b));
	b.index = 2;
	b.count = 4;
	assert_false(manifest_set_follows(&a, &b));
	b.count = 3;
	b.id.bytes[0] = 2;
	assert_false(manifest_set_follows(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_takes_a_disk_alone),
		cmocka_unit_test(get_takes_one_of_several),
		cmocka_unit_test(get_refuses_all_else),
		cmocka_unit_test(put_is_what_get_reads),
		cmocka_unit_test(follows_is_the_next_of_the_same),
	};

	return cmocka_run_group_tests_name("manifest_set", tests, NULL, NULL);
}
