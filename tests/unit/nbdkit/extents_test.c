// SPDX-License-Identifier: GPL-2.0-or-later
/* What an image tells of its zeros, also where its manifest is wrong. */
#include "../io/view_test.h"

#include "io/view.h"
#include "nbdkit/extents.h"

/* An image that is looked at. */
struct looked {
	struct test_image image;
	int fd;
	struct view *view;
	struct extents *extents;
};

/* What was told, as text: "data 4096, zero 4096". */
struct told {
	char text[512];
	uint64_t offset, end;
	unsigned int most; /* after so many it ends; 0: never */
	unsigned int count;
};

static int tell(void *arg, uint64_t offset, uint64_t length, enum extents_kind kind)
{
	static const char *const names[] = {"data", "zero", "hole"};
	struct told *told = arg;
	size_t used = strlen(told->text);

	assert_true(length);
	assert_int_equal(offset, told->end);
	told->end += length;
	snprintf(told->text + used, sizeof(told->text) - used, "%s%s %d", used ? ", " : "",
		 names[kind], (int)length);
	return ++told->count == told->most;
}

static void listed(const struct looked *looked, uint64_t offset, uint64_t count, const char *wanted)
{
	struct told told = {.offset = offset, .end = offset};

	assert_int_equal(extents_list(looked->extents, offset, count, tell, &told), 0);
	assert_string_equal(told.text, wanted);
	assert_int_equal(told.end, offset + count);
}

/*
 * Data; zeros; data with ranges left out (it says so itself); data; a short chunk of zeros.
 * UNALLOCATED is the manifest's array, whose reference is taken.
 */
static void look(struct looked *looked, json_t *unallocated)
{
	memset(looked, 0, sizeof(*looked));
	test_image_start(&looked->image, 4 * TEST_CHUNK + 10);
	test_image_chunk(&looked->image, 'a');
	test_image_chunk(&looked->image, 0);
	looked->image.flags = IMAGE_ENTRY_UNALLOCATED;
	test_image_chunk(&looked->image, 'c');
	test_image_chunk(&looked->image, 'd');
	test_image_chunk(&looked->image, 0);
	assert_non_null(unallocated);
	test_image_finish(&looked->image, json_pack("{s:o}", "unallocated", unallocated));
	looked->fd = test_image_file(looked->image.data, looked->image.len);
	assert_int_equal(view_open(looked->fd, &looked->view), 0);
	assert_int_equal(extents_new(looked->view, &looked->extents), 0);
}

static void unlook(struct looked *looked)
{
	extents_free(looked->extents);
	view_close(looked->view);
	close(looked->fd);
}

static void extents_test_zeros(void **state)
{
	static struct looked looked;

	(void)state;
	look(&looked, json_array());
	listed(&looked, 0, 4 * TEST_CHUNK + 10, "data 4096, zero 4096, data 8192, zero 10");
	listed(&looked, 1, 1, "data 1");
	listed(&looked, 4095, 2, "data 1, zero 1");
	listed(&looked, 4 * TEST_CHUNK + 9, 1, "zero 1");
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(extents_chunk_zero(looked.extents, i), i == 1 || i == 4);
	unlook(&looked);
}

static void extents_test_unallocated(void **state)
{
	static struct looked looked;

	(void)state;
	/* From chunk 0, which says that it has none, to the end of 1; inside 2; the end of 2 and 3,
	 * which has none either. */
	look(&looked, json_pack("[[i,i],[i,i],[i,i]]", 4000, 4192, 8200, 8, 12000, 4000));
	listed(&looked, 0, 4 * TEST_CHUNK + 10,
	       "data 4096, hole 4096, data 8, hole 8, data 3792, hole 288, data 4096, zero 10");
	listed(&looked, 8204, 2, "hole 2");
	listed(&looked, 8207, 2, "hole 1, data 1");
	unlook(&looked);
	look(&looked, json_pack("[[i,i]]", 5000, 100));
	listed(&looked, 0, 8192, "data 4096, zero 904, hole 100, zero 3092");
	unlook(&looked);
}

static void extents_test_first_only(void **state)
{
	static struct looked looked;
	struct told told = {.most = 1};

	(void)state;
	look(&looked, json_array());
	assert_int_equal(extents_list(looked.extents, 0, 4 * TEST_CHUNK, tell, &told), 1);
	assert_string_equal(told.text, "data 4096");
	unlook(&looked);
}

static void extents_test_hostile(void **state)
{
	static const char *const arrays[] = {
		"[[8192,4096],[8200,8]]",     /* not behind the one before */
		"[[8192,4096],[0,4096]]",     /* nor this */
		"[[8192,4096],[12288,4107]]", /* ends behind the device */
		"[[8192,4096],[9223372036854775807,9223372036854775807]]",
		"[[8192,4096],[12288,9223372036854775807]]",
		"[[8192,4096],[-1,4096]]",
		"[[8192,4096],\"x\",[12288,1]]",
		"[[8192,4096],[12288]]",
		"[[0,0],[8192,4096]]",
	};
	static struct looked looked;

	(void)state;
	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
		look(&looked, json_loads(arrays[i], 0, NULL));
		listed(&looked, 0, 4 * TEST_CHUNK + 10,
		       "data 4096, zero 4096, hole 4096, data 4096, zero 10");
		unlook(&looked);
	}
	look(&looked, json_string("everything"));
	listed(&looked, 4096, 4096, "zero 4096");
	unlook(&looked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extents_test_zeros),
		cmocka_unit_test(extents_test_unallocated),
		cmocka_unit_test(extents_test_first_only),
		cmocka_unit_test(extents_test_hostile),
	};

	return cmocka_run_group_tests_name("extents", tests, NULL, NULL);
}
