// SPDX-License-Identifier: GPL-2.0-only
/* KUnit tests of what touches no hardware and no other host. Built with TBSTREAM_KUNIT=y. */
#include "compat.h"

#include <kunit/test.h>

#include "announce.h"

static void test_ring_interval_rounds_up(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, compat_ring_interval(0), 0);
	KUNIT_EXPECT_EQ(test, compat_ring_interval(1), 1);
	KUNIT_EXPECT_EQ(test, compat_ring_interval(256), 1);
	KUNIT_EXPECT_EQ(test, compat_ring_interval(257), 2);
	KUNIT_EXPECT_EQ(test, compat_ring_interval(8192), 32);
	KUNIT_EXPECT_EQ(test, compat_ring_interval(128000), 500);
}

static void test_ring_interval_stays_in_register(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, compat_ring_interval(16776960), 0xffff);
	KUNIT_EXPECT_EQ(test, compat_ring_interval(U32_MAX), 0xffff);
}

static struct tb_property_dir *test_root(struct kunit *test)
{
	struct tb_property_dir *root = announce_root();

	KUNIT_ASSERT_NOT_NULL(test, root);
	return root;
}

/* A name with these properties, as a peer might send it. */
static struct tb_property_dir *test_name(struct kunit *test, struct tb_property_dir *root,
					 const char *name)
{
	static const uuid_t uuid = UUID_INIT(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
	struct tb_property_dir *dir = tb_property_create_dir(&uuid);

	KUNIT_ASSERT_NOT_NULL(test, dir);
	KUNIT_ASSERT_EQ(test, tb_property_add_dir(root, name, dir), 0);
	return dir;
}

static bool test_lookup_is(struct tb_property_dir *root, const char *name, int in, int out)
{
	int found_in = -1, found_out = -1;

	return compat_lookup_in(root, name, &found_in, &found_out) && found_in == in &&
	       found_out == out;
}

static bool test_lookup_none(struct tb_property_dir *root, const char *name)
{
	int in, out;

	return !compat_lookup_in(root, name, &in, &out);
}

static void test_lookup_finds_both(struct kunit *test)
{
	struct tb_property_dir *root = test_root(test), *dir = test_name(test, root, "backup");

	tb_property_add_immediate(dir, "inhopid", 8);
	tb_property_add_immediate(dir, "outhopid", 2047);
	KUNIT_EXPECT_TRUE(test, test_lookup_is(root, "backup", 8, 2047));
	KUNIT_EXPECT_TRUE(test, test_lookup_none(root, "back"));
	KUNIT_EXPECT_TRUE(test, test_lookup_none(root, "backup2"));
	KUNIT_EXPECT_TRUE(test, test_lookup_none(NULL, "backup"));
	tb_property_free_dir(root);
}

static void test_lookup_refuses_absurd_values(struct kunit *test)
{
	static const u32 values[] = {0, 1, 7, 2048, 0x80000008, U32_MAX};
	struct tb_property_dir *root = test_root(test), *dir = test_name(test, root, "odd");
	struct tb_property *p;

	tb_property_add_immediate(dir, "inhopid", 0);
	tb_property_add_immediate(dir, "outhopid", 9);
	p = tb_property_find(dir, "inhopid", TB_PROPERTY_TYPE_VALUE);
	for (int i = 0; i < ARRAY_SIZE(values); i++) {
		p->value.immediate = values[i];
		KUNIT_EXPECT_TRUE(test, test_lookup_none(root, "odd"));
	}
	p->value.immediate = 8;
	KUNIT_EXPECT_TRUE(test, test_lookup_is(root, "odd", 8, 9));
	tb_property_free_dir(root);
}

static void test_lookup_refuses_other_types(struct kunit *test)
{
	struct tb_property_dir *root = test_root(test), *dir = test_name(test, root, "text");

	tb_property_add_text(dir, "inhopid", "8");
	tb_property_add_text(dir, "outhopid", "9");
	KUNIT_EXPECT_TRUE(test, test_lookup_none(root, "text"));
	tb_property_add_immediate(root, "number", 8);
	KUNIT_EXPECT_TRUE(test, test_lookup_none(root, "number"));
	tb_property_free_dir(root);
}

static void test_lookup_wants_both(struct kunit *test)
{
	struct tb_property_dir *root = test_root(test), *dir = test_name(test, root, "half");

	tb_property_add_immediate(dir, "inhopid", 8);
	KUNIT_EXPECT_TRUE(test, test_lookup_none(root, "half"));
	tb_property_free_dir(root);
}

#ifdef COMPAT_HAS_SERVICE_PROPERTIES

static void test_announce_comes_changes_goes(struct kunit *test)
{
	struct tb_property_dir *root = test_root(test);

	KUNIT_EXPECT_EQ(test, announce_dir_set(root, "a", 0, 0), 0);
	KUNIT_EXPECT_TRUE(test, test_lookup_none(root, "a"));
	KUNIT_EXPECT_EQ(test, announce_dir_set(root, "a", 8, 9), 0);
	KUNIT_EXPECT_EQ(test, announce_dir_set(root, "longname", 10, 11), 0);
	KUNIT_EXPECT_TRUE(test, test_lookup_is(root, "a", 8, 9));
	KUNIT_EXPECT_EQ(test, announce_dir_set(root, "a", 12, 13), 0);
	KUNIT_EXPECT_TRUE(test, test_lookup_is(root, "a", 12, 13));
	KUNIT_EXPECT_EQ(test, announce_dir_set(root, "a", 0, 0), 0);
	KUNIT_EXPECT_TRUE(test, test_lookup_none(root, "a"));
	KUNIT_EXPECT_TRUE(test, test_lookup_is(root, "longname", 10, 11));
	tb_property_free_dir(root);
}

static struct kunit_case announce_cases[] = {KUNIT_CASE(test_announce_comes_changes_goes), {}};

#else

static struct announce_table *test_table(struct kunit *test)
{
	struct announce_table *table = kunit_kzalloc(test, sizeof(*table), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, table);
	table->root = test_root(test);
	return table;
}

static int test_set(struct announce_table *table, const char *name, bool known, int in, int out,
		    bool *changed)
{
	int ret = in ? announce_table_name(table, name) : 0;

	return ret < 0 ? ret : announce_table_set(table, name, known, in, out, changed);
}

static void test_announce_comes_changes_goes(struct kunit *test)
{
	struct announce_table *table = test_table(test);
	bool changed;

	KUNIT_EXPECT_EQ(test, test_set(table, "a", false, 8, 9, &changed), 0);
	KUNIT_EXPECT_TRUE(test, changed);
	KUNIT_EXPECT_TRUE(test, test_lookup_is(table->root, "a", 8, 9));
	KUNIT_EXPECT_EQ(test, test_set(table, "a", true, 10, 11, &changed), 0);
	KUNIT_EXPECT_TRUE(test, test_lookup_is(table->root, "a", 10, 11));
	KUNIT_EXPECT_EQ(test, test_set(table, "a", true, 0, 0, &changed), 0);
	KUNIT_EXPECT_TRUE(test, changed);
	KUNIT_EXPECT_TRUE(test, test_lookup_none(table->root, "a"));
	tb_property_free_dir(table->root);
}

static void test_announce_reuses_a_name(struct kunit *test)
{
	struct announce_table *table = test_table(test);
	struct tb_property *first;
	bool changed;

	for (int i = 0; i < 100; i++) {
		KUNIT_EXPECT_EQ(test, test_set(table, "a", false, 8, 9, &changed), 0);
		KUNIT_EXPECT_EQ(test, test_set(table, "a", true, 0, 0, &changed), 0);
	}
	KUNIT_EXPECT_EQ(test, table->count, 1);
	first = table->entries[0].property;
	KUNIT_EXPECT_PTR_EQ(test, tb_property_find(table->root, "a", TB_PROPERTY_TYPE_DIRECTORY),
			    first);
	tb_property_free_dir(table->root);
}

static void test_announce_one_pair_for_all_peers(struct kunit *test)
{
	struct announce_table *table = test_table(test);
	bool changed;

	KUNIT_EXPECT_EQ(test, test_set(table, "a", false, 8, 9, &changed), 0);
	/* A second peer with the same pair shares it, one with another does not. */
	KUNIT_EXPECT_EQ(test, test_set(table, "a", false, 8, 9, &changed), 0);
	KUNIT_EXPECT_FALSE(test, changed);
	KUNIT_EXPECT_EQ(test, test_set(table, "a", false, 10, 9, &changed), -EEXIST);
	KUNIT_EXPECT_FALSE(test, changed);
	/* One of the two goes: the other's stays. */
	KUNIT_EXPECT_EQ(test, test_set(table, "a", true, 0, 0, &changed), 0);
	KUNIT_EXPECT_FALSE(test, changed);
	KUNIT_EXPECT_TRUE(test, test_lookup_is(table->root, "a", 8, 9));
	KUNIT_EXPECT_EQ(test, test_set(table, "a", true, 0, 0, &changed), 0);
	KUNIT_EXPECT_TRUE(test, test_lookup_none(table->root, "a"));
	KUNIT_EXPECT_EQ(test, test_set(table, "a", false, 10, 9, &changed), 0);
	KUNIT_EXPECT_TRUE(test, test_lookup_is(table->root, "a", 10, 9));
	tb_property_free_dir(table->root);
}

static void test_announce_reuses_an_entry(struct kunit *test)
{
	struct announce_table *table = test_table(test);
	char name[9];
	bool changed;

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		KUNIT_EXPECT_EQ(test, announce_table_name(table, name), i > 0);
		KUNIT_EXPECT_TRUE(test, test_lookup_none(table->root, name));
		KUNIT_EXPECT_EQ(test, test_set(table, name, false, 8, 9, &changed), 0);
		KUNIT_EXPECT_TRUE(test, test_lookup_is(table->root, name, 8, 9));
		KUNIT_EXPECT_EQ(test, test_set(table, name, true, 0, 0, &changed), 0);
	}
	KUNIT_EXPECT_EQ(test, table->count, 1);
	tb_property_free_dir(table->root);
}

static void test_announce_is_bounded(struct kunit *test)
{
	struct announce_table *table = test_table(test);
	char name[9];
	bool changed;

	for (int i = 0; i < ANNOUNCE_NAMES; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		KUNIT_EXPECT_EQ(test, test_set(table, name, false, 8, 9, &changed), 0);
	}
	KUNIT_EXPECT_EQ(test, test_set(table, "more", false, 8, 9, &changed), -ENOSPC);
	KUNIT_EXPECT_EQ(test, test_set(table, "more", false, 0, 0, &changed), 0);
	tb_property_free_dir(table->root);
}

static struct kunit_case announce_cases[] = {KUNIT_CASE(test_announce_comes_changes_goes),
					     KUNIT_CASE(test_announce_reuses_a_name),
					     KUNIT_CASE(test_announce_reuses_an_entry),
					     KUNIT_CASE(test_announce_one_pair_for_all_peers),
					     KUNIT_CASE(test_announce_is_bounded),
					     {}};

#endif

static struct kunit_case common_cases[] = {KUNIT_CASE(test_ring_interval_rounds_up),
					   KUNIT_CASE(test_ring_interval_stays_in_register),
					   KUNIT_CASE(test_lookup_finds_both),
					   KUNIT_CASE(test_lookup_refuses_absurd_values),
					   KUNIT_CASE(test_lookup_refuses_other_types),
					   KUNIT_CASE(test_lookup_wants_both),
					   {}};

static struct kunit_suite common_suite = {
	.name = "tbstream",
	.test_cases = common_cases,
};

static struct kunit_suite announce_suite = {
	.name = "tbstream_announce",
	.test_cases = announce_cases,
};

kunit_test_suites(&common_suite, &announce_suite);
