// SPDX-License-Identifier: GPL-2.0-or-later
/* How much may be on its way, and what is of a peer that sends more or counts otherwise. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shell/flow.h"

static int flow_new(void **state)
{
	*state = calloc(1, sizeof(struct flow));
	return !*state;
}

static int flow_free(void **state)
{
	free(*state);
	return 0;
}

static void room_ends_at_the_bound_and_comes_back(void **state)
{
	struct flow *flow = *state;
	size_t sent = 0, room;

	while ((room = flow_room(flow)) > 0) {
		assert_true(room <= WIRE_BYTES_MOST);
		flow_sent(flow, room > 1000 ? room - 999 : room);
		sent += room > 1000 ? room - 999 : room;
	}
	assert_int_equal(sent, WIRE_BYTES_AHEAD);
	assert_int_equal(flow_acked(flow, 10), 0);
	assert_int_equal(flow_room(flow), 10);
	assert_int_equal(flow_acked(flow, WIRE_BYTES_AHEAD), 0);
	assert_int_equal(flow_room(flow), WIRE_BYTES_MOST);
}

static void counts_that_cannot_be_are_refused(void **state)
{
	struct flow *flow = *state;

	flow_sent(flow, 100);
	assert_int_equal(flow_acked(flow, 101), -EPROTO);
	assert_int_equal(flow_acked(flow, UINT64_MAX), -EPROTO);
	assert_int_equal(flow_acked(flow, 100), 0);
	assert_int_equal(flow_acked(flow, 100), 0);
	assert_int_equal(flow_acked(flow, 99), -EPROTO);
}

static void more_than_may_be_on_its_way_is_refused(void **state)
{
	static const uint8_t data[WIRE_BYTES_MOST];
	struct flow *flow = *state;

	for (size_t n = 0; n < WIRE_BYTES_AHEAD / WIRE_BYTES_MOST; n++)
		assert_int_equal(flow_put(flow, data, WIRE_BYTES_MOST), 0);
	assert_int_equal(flow_put(flow, data, 1), -EPROTO);
	/* What was taken counts once it was told. */
	flow_take(flow, 40000);
	assert_int_equal(flow_put(flow, data, 1), -EPROTO);
	assert_true(flow_due(flow));
	flow_told(flow);
	assert_false(flow_due(flow));
	assert_int_equal(flow_put(flow, data, WIRE_BYTES_MOST), 0);
}

/* Pieces of all lengths go in, others come out: the same bytes, and told often enough. */
static void bytes_come_out_in_order(void **state)
{
	struct flow *flow = *state;
	uint8_t data[WIRE_BYTES_MOST], next_in = 0, next_out = 0;
	size_t len, in = 1, out = 7, held = 0;

	for (int turn = 0; turn < 2000; turn++) {
		in = (in * 131 + 7) % WIRE_BYTES_MOST;
		out = (out * 137 + 11) % (WIRE_BYTES_MOST + 500);
		if (held + in <= WIRE_BYTES_AHEAD - (flow->taken - flow->told)) {
			for (size_t i = 0; i < in; i++)
				data[i] = next_in++;
			assert_int_equal(flow_put(flow, data, in), 0);
			held += in;
		}
		const uint8_t *got = flow_get(flow, &len);

		assert_int_equal(len, held);
		len = len < out ? len : out;
		for (size_t i = 0; i < len; i++)
			assert_int_equal(got[i], next_out++);
		flow_take(flow, len);
		held -= len;
		if (flow_due(flow))
			flow_told(flow);
		/* With nothing held, and nothing due, there is room for a whole record. */
		if (!held)
			assert_true(flow->taken - flow->told <= WIRE_BYTES_AHEAD - WIRE_BYTES_MOST);
	}
	assert_true(flow->told > WIRE_BYTES_AHEAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(room_ends_at_the_bound_and_comes_back, flow_new,
						flow_free),
		cmocka_unit_test_setup_teardown(counts_that_cannot_be_are_refused, flow_new,
						flow_free),
		cmocka_unit_test_setup_teardown(more_than_may_be_on_its_way_is_refused, flow_new,
						flow_free),
		cmocka_unit_test_setup_teardown(bytes_come_out_in_order, flow_new, flow_free),
	};

	return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
