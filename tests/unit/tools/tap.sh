# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the tests of the programs: TAP lines, a folder for their files, the build's own programs.
# shellcheck shell=sh disable=SC2034 # what the tests use

here=$(cd "$(dirname "$0")/../../.." && pwd)
PATH=$here/build:$PATH
work=$(mktemp -d)
# What a restore that broke off leaves is no other test's.
export XDG_STATE_HOME="$work/state"
count=0
failed=0
trap 'tap_clean' EXIT
trap 'exit 1' INT TERM HUP

tap_clean() {
	# shellcheck disable=SC2046 # a list of process ids
	kill $(jobs -p) 2>/dev/null
	rm -rf "$work"
}

# ok SENTENCE COMMAND...: the command succeeds.
ok() {
	sentence=$1
	shift
	count=$((count + 1))
	if "$@" >"$work/ok.out" 2>&1; then
		echo "ok $count - $sentence"
	else
		failed=$((failed + 1))
		echo "not ok $count - $sentence"
		{
			echo "# not ok: $sentence"
			echo "# $*"
			sed 's/^/# /' "$work/ok.out" | tail -n 20
		} >&2
	fi
}

# code N COMMAND...: the command ends with this exit code.
code() {
	wanted=$1
	shift
	"$@"
	got=$?
	[ "$got" = "$wanted" ] || {
		echo "exit code $got, wanted $wanted"
		return 1
	}
}

# says PATTERN FILE: a line of the file matches; one sentence, no more than a few lines.
says() {
	grep -qE "$1" "$2" || {
		echo "no /$1/ in:"
		cat "$2"
		return 1
	}
}

tap_end() {
	echo "1..$count"
	[ "$failed" = 0 ] || echo "# to repeat: $0" >&2
	exit "$((failed > 0))"
}
