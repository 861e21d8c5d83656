#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The mutation check of a tree of three sources: which lines it changes, and that it says which mutants
# survive. TAP.
# shellcheck disable=SC2317 # the functions are called by ok
set -u
top=$(realpath "$(dirname "$0")/../..")
# shellcheck source=tests/unit/tools/tap.sh
. "$top/tests/unit/tools/tap.sh"
cd "${work:?}" || exit 1

mutants() {
	"$top/tests/mutants/mutants" --top "$work/tree" --jobs 2 "$@"
}

mkdir -p tree/tools/codec tree/tests/unit/codec
cp "$top/Makefile" tree
cp "$top/tests/unit/run" tree/tests/unit
cat >tree/tools/codec/small.h <<'EOT'
int small_sum(const int *some, int count);
int small_order(int a, int b);
int small_unused(void);
EOT
cat >tree/tools/codec/small.c <<'EOT'
// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec/small.h"

#include <stdio.h>

#define SMALL_MOST (2 + 3) /* a < b */

struct small {
	int field[1 + 2];
};

/* Where a + b is
 * c - d; */
int small_sum(const int *some, int count)
{
	int unused[4 + 4];
	int sum = 0;

	(void)unused;
	if (count > SMALL_MOST) {
		printf("more than %d < 1 && more\n",
		       SMALL_MOST + 1);
		return -1;
	}
	for (int i = 0; i < count; i++)
		sum += some[i]; // a == b
	return sum;
}

int small_order(int a, int b)
{
	if (a < b) /* the test never has them equal */
		return 5;
	return 6;
}

int small_unused(void)
{
	return 7;
}
EOT
cat >tree/tests/unit/codec/small_test.c <<'EOT'
// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "codec/small.h"

static void sums(void **state)
{
	const int some[] = {1, 2, 3, 4, 5, 6};

	(void)state;
	assert_int_equal(small_sum(some, 3), 6);
	assert_int_equal(small_sum(some, 5), 15);
	assert_int_equal(small_sum(some, 6), -1);
	assert_int_equal(small_order(1, 2), 5);
	assert_int_equal(small_order(2, 1), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(sums)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
EOT
printf 'int main(void)\n{\n\treturn 0;\n}\n' >tree/tools/main.c

# A line of small.c is never changed.
never() {
	line=$(grep -nF -m 1 "$1" tree/tools/codec/small.c | cut -d : -f 1)
	[ -n "$line" ] && ! grep -q "small.c:$line " every
}

for seed in 1 2 3 4 5 6 7 8 9; do
	mutants --list --seed "$seed"
done >every
mutants --list --seed 1 >first
mutants --list --seed 1 >second
mutants --list --seed 2 >other
ok "a seed makes the same mutants each time" cmp first second
ok "another makes others" sh -c '! cmp -s first other'
ok "real code is changed" grep -q 'for (int i = 0; i <= count; i++)' every
for text in '#define' 'int field' 'Where a' 'c - d' 'int small_sum' 'more than' 'SMALL_MOST + 1' \
	'(void)' 'unused[4'; do
	ok "this is never changed: $text" never "$text"
done
ok "nor is a comment behind code" sh -c '! grep "a != b" every'

unshare --pid --fork --mount-proc true 2>unshare.err ||
	unshare --map-root-user --pid --fork --mount-proc true 2>unshare.err || {
	echo "# no process namespaces here: nothing is run"
	tap_end
}

mutants --seed 2 --count 20 >out 2>err
code=$?
set -- tree/build/mutants/*/survivors.md
ok "a run ends with 1 where fewer are killed than must be" test "$code" = 1
ok "a mutant that the test notices is killed" \
	says '^killed .*return sum.*failed tests/unit/codec/small_test.c' out
ok "one in a line that no test executes is not" says '^unreached .*return 7' out
ok "nor one that no test notices" says '^survived .*if \(a <= b\)' out
ok "the survivors are a list for the document" \
	says '^- .codec/small.c., small_unused: .return 7;. → .*no reason yet' "$1"
mkdir tree/docs
sed 's/([a-z]*; no reason yet)/nobody minds/' "$1" >tree/docs/testing.md
mutants --seed 2 --count 20 >again 2>/dev/null
grep -v '^#' out | sort >first
ok "a second run knows all that the first has found" sh -c 'grep -v "^#" again | sort | cmp - first'
ok "and the reasons that the document gives" cmp tree/docs/testing.md "$1"
tap_end
