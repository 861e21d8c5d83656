// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire_test.h"

static int get_unreadable(const uint8_t *payload, size_t len)
{
	uint32_t count;
	int err;

	test_unset(&count, sizeof(count));
	err = wire_unreadable_get(payload, len, &count);
	if (err)
		test_assert_unset(&count, sizeof(count));
	return err;
}

static void unreadable_is_the_golden_one(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("unreadable", WIRE_TYPE_UNREADABLE, &len), buf[64];
	struct wire_range range;
	uint32_t count;

	(void)state;
	assert_int_equal(wire_unreadable_get(payload, len, &count), 0);
	assert_int_equal(count, 1);
	wire_unreadable_range(payload, 0, &range);
	assert_int_equal(range.offset, 19968);
	assert_int_equal(range.length, 512);
	wire_test_same(wire_unreadable_put(&range, 1, buf, len), buf, payload, len);
	assert_int_equal(wire_unreadable_put(&range, 1, buf, len - 1), -ENOBUFS);
	free(payload);
}

static void unreadable_get_refuses_malformed_ones(void **state)
{
	size_t len;
	uint8_t *payload = wire_test_payload("unreadable", WIRE_TYPE_UNREADABLE, &len);

	(void)state;
	wire_test_truncated(get_unreadable, payload, len);
	wire_test_longer(get_unreadable, payload, len);
	wire_test_field(get_unreadable, payload, len, 0, 4, 0);
	wire_test_field(get_unreadable, payload, len, 0, 4, 2);
	wire_test_field(get_unreadable, payload, len, 0, 4, WIRE_RANGES_MOST + 1);
	wire_test_field(get_unreadable, payload, len, 0, 4, UINT32_MAX);
	wire_test_field(get_unreadable, payload, len, 4, 4, 1);
	wire_test_field(get_unreadable, payload, len, 8, 8, (1ull << 48) - 511);
	wire_test_field(get_unreadable, payload, len, 8, 8, UINT64_MAX);
	wire_test_field(get_unreadable, payload, len, 16, 8, 0);
	wire_test_field(get_unreadable, payload, len, 16, 8, UINT64_MAX);
	free(payload);
}

/* In order, and none touching the next. */
static void unreadable_ranges_are_apart(void **state)
{
	static const struct wire_range good[] = {{0, 1}, {2, 1}, {(1ull << 48) - 1, 1}},
				       touch[] = {{0, 1}, {1, 1}}, back[] = {{5, 1}, {3, 1}},
				       over[] = {{0, 10}, {5, 10}};
	uint8_t buf[64];

	(void)state;
	assert_int_equal(wire_unreadable_put(NULL, 0, buf, sizeof(buf)), 8);
	assert_int_equal(get_unreadable(buf, 8), 0);
	assert_int_equal(wire_unreadable_put(good, 3, buf, sizeof(buf)), 56);
	assert_int_equal(get_unreadable(buf, 56), 0);
	assert_int_equal(wire_unreadable_put(touch, 2, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(wire_unreadable_put(back, 2, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(wire_unreadable_put(over, 2, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(wire_unreadable_put(good, WIRE_RANGES_MOST + 1, buf, sizeof(buf)),
			 -EINVAL);
	/* The second one put right behind the first. */
	assert_int_equal(wire_unreadable_put(good, 2, buf, sizeof(buf)), 40);
	buf[24] = 1;
	assert_int_equal(get_unreadable(buf, 40), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unreadable_is_the_golden_one),
		cmocka_unit_test(unreadable_get_refuses_malformed_ones),
		cmocka_unit_test(unreadable_ranges_are_apart),
	};

	return cmocka_run_group_tests_name("wire_missing", tests, NULL, NULL);
}
