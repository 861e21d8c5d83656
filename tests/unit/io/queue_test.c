// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/queue.h"

static void test_order(void **state)
{
	int items[100];
	struct queue queue;

	(void)state;
	queue_setup(&queue, 3);
	assert_true(queue_empty(&queue));
	assert_null(queue_get(&queue));
	for (int i = 0; i < 100; i++) {
		queue_put(&queue, &items[i]);
		assert_int_equal(queue_full(&queue), i >= 2);
		if (i >= 2)
			assert_ptr_equal(queue_get(&queue), &items[i - 2]);
	}
	assert_ptr_equal(queue_get(&queue), &items[98]);
	assert_ptr_equal(queue_get(&queue), &items[99]);
	assert_true(queue_empty(&queue));
}

/* What is left is freed: a leak checker watches. */
static void test_clear(void **state)
{
	struct queue queue;

	(void)state;
	queue_setup(&queue, QUEUE_MOST);
	while (!queue_full(&queue))
		queue_put(&queue, malloc(10));
	queue_clear(&queue);
	assert_true(queue_empty(&queue));
	queue_clear(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_clear),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
