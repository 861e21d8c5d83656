// SPDX-License-Identifier: GPL-2.0-or-later
/* What send_fuzz begins with: its scripts called right-* reach the end of a transfer. */
#include "../../fuzz/tools/send_fuzz.c"
#include "seeds_test.h"

static void test_right_seeds(void **state)
{
	(void)state;
	send_setup();
	seeds_play("tests/fuzz/tools/corpus/send", send_fuzz);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right_seeds),
	};

	return cmocka_run_group_tests_name("send_seeds", tests, NULL, NULL);
}
