// SPDX-License-Identifier: GPL-2.0-or-later
/* What recv_fuzz begins with: its scripts called right-* reach the end of a transfer. */
#include "../../fuzz/tools/recv_fuzz.c"
#include "seeds_test.h"

static void test_right_seeds(void **state)
{
	(void)state;
	recv_setup();
	seeds_play("tests/fuzz/tools/corpus/recv", recv_fuzz);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right_seeds),
	};

	return cmocka_run_group_tests_name("recv_seeds", tests, NULL, NULL);
}
