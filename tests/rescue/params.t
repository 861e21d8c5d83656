#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The command line's parameters, as a table: each line of it under every shell that dracut's hooks
# may run in. TAP on standard output.
#
#   params.t                 the whole table, under each shell that is here
#   params.t case SHELL...   one line from standard input, as the table's check does it

set -u
here=$(dirname "$(realpath "$0")")
params=$here/../../hooks/tbstream-params.sh

# The table. Left of the bar the command line; right of it what params_parse keeps, in the order of
# names, "/" between two values of one name; "off": not enabled; "!N": N warnings.
table() {
	cat <<'TABLE'
quiet console=ttyS0 root=/dev/sda1                      | off
rd.tbstreams rd.tbstream2=x xrd.tbstream=y              | off
rd.tbstream.mode=send rd.tbstream.auto                  | off
rd.tbstream=0                                           | off
rd.tbstream=no                                          | off
rd.tbstream=off                                         | off
rd.tbstream=lab rd.tbstream=0                           | off
rd.tbstream=0 rd.tbstream=lab                           | name=lab
rd.tbstream=0 rd.tbstream                               |
rd.tbstream                                             |
rd.tbstream=                                            |
rd.tbstream=backup                                      | name=backup
rd.tbstream=a rd.tbstream=b                             | name=b
rd.tbstream=lab rd.tbstream                             |
rd.tbstream=A-b_c.9                                     | name=A-b_c.9
rd.tbstream=12345678                                    | name=12345678
rd.tbstream=123456789                                   | !1
rd.tbstream=.                                           | !1
rd.tbstream=..                                          | !1
rd.tbstream=a/b                                         | !1
rd.tbstream=a*                                          | !1
rd.tbstream="a b"                                       | !1
rd.tbstream=$(reboot)                                   | !1
rd.tbstream=`id`                                        | !1
rd.tbstream=a;id                                        | !1
rd.tbstream rd.tbstream.mode=menu                       | mode=menu
rd.tbstream rd.tbstream.mode=shell                      | mode=shell
rd.tbstream rd.tbstream.mode=Send                       | !1
rd.tbstream rd.tbstream.mode                            | !1
rd.tbstream rd.tbstream.mode=bad rd.tbstream.mode=send  | mode=send
rd.tbstream rd.tbstream.mode=send rd.tbstream.mode=bad  | !1
rd.tbstream rd.tbstream.dev=all                         | dev=all
rd.tbstream rd.tbstream.dev=/dev/sda rd.tbstream.dev=UUID=1-2 | dev=/dev/sda/UUID=1-2
rd.tbstream rd.tbstream.dev=PARTUUID=aa-01              | dev=PARTUUID=aa-01
rd.tbstream rd.tbstream.dev=id:nvme-X_1                 | dev=id:nvme-X_1
rd.tbstream rd.tbstream.dev=serial:S5GX                 | dev=serial:S5GX
rd.tbstream rd.tbstream.dev="serial:WD 12;3"            | dev=serial:WD 12;3
rd.tbstream "rd.tbstream.dev=serial:WD 12"              | dev=serial:WD 12
rd.tbstream rd.tbstream.dev=sda                         | !1
rd.tbstream rd.tbstream.dev=/etc/passwd                 | !1
rd.tbstream rd.tbstream.dev=/dev/../etc/passwd          | !1
rd.tbstream rd.tbstream.dev=/dev/                       | !1
rd.tbstream rd.tbstream.dev=id:../../x                  | !1
rd.tbstream rd.tbstream.dev=UUID=a/b                    | !1
rd.tbstream rd.tbstream.dev=UUID=                       | !1
rd.tbstream rd.tbstream.dev                             | !1
rd.tbstream rd.tbstream.dev=all rd.tbstream.dev=x       | dev=all !1
rd.tbstream rd.tbstream.exclude=UUID=AB-CD              | exclude=UUID=AB-CD
rd.tbstream rd.tbstream.exclude=id:a rd.tbstream.exclude=id:b | exclude=id:a/id:b
rd.tbstream rd.tbstream.exlude=UUID=AB-CD               | !1
rd.tbstream rd.tbstream.=1                              | !1
rd.tbstream rd.tbstream.peer=any                        | peer=any
rd.tbstream rd.tbstream.peer=3a1cb984-c4d9-4469-a277-CE2FDFD11F0D | peer=3a1cb984-c4d9-4469-a277-CE2FDFD11F0D
rd.tbstream rd.tbstream.peer=3a1cb984-c4d9-4469-a277    | !1
rd.tbstream rd.tbstream.peer=3a1cb984-c4d9-4469-a277-ce2fdfd1-f0d | !1
rd.tbstream rd.tbstream.peer=zzzzzzzz-c4d9-4469-a277-ce2fdfd11f0d | !1
rd.tbstream rd.tbstream.wait=inf                        | wait=inf
rd.tbstream rd.tbstream.wait=90                         | wait=90
rd.tbstream rd.tbstream.wait=0                          | !1
rd.tbstream rd.tbstream.wait=-1                         | !1
rd.tbstream rd.tbstream.wait=010                        | !1
rd.tbstream rd.tbstream.wait=99999999999999999999       | !1
rd.tbstream rd.tbstream.wait=1m                         | !1
rd.tbstream rd.tbstream.level=1                         | level=1
rd.tbstream rd.tbstream.level=19                        | level=19
rd.tbstream rd.tbstream.level=auto                      | level=auto
rd.tbstream rd.tbstream.level=none                      | level=none
rd.tbstream rd.tbstream.level=automatic                 | !1
rd.tbstream rd.tbstream.level=0                         | !1
rd.tbstream rd.tbstream.level=20                        | !1
rd.tbstream rd.tbstream.level=0x9                       | !1
rd.tbstream rd.tbstream.mode=send rd.tbstream.dev=all rd.tbstream.auto | auto=1 dev=all mode=send
rd.tbstream rd.tbstream.mode=send rd.tbstream.dev=all rd.tbstream.auto=yes | auto=yes dev=all mode=send
rd.tbstream rd.tbstream.mode=send rd.tbstream.dev=all rd.tbstream.auto=0 | dev=all mode=send
rd.tbstream rd.tbstream.mode=send rd.tbstream.dev=all rd.tbstream.auto rd.tbstream.auto=off | dev=all mode=send
rd.tbstream rd.tbstream.mode=send rd.tbstream.dev=all rd.tbstream.auto=maybe | dev=all !1
rd.tbstream rd.tbstream.mode=send rd.tbstream.auto      | !1
rd.tbstream rd.tbstream.auto                            | !1
rd.tbstream rd.tbstream.mode=recv rd.tbstream.auto      | !1
rd.tbstream rd.tbstream.mode=recv rd.tbstream.confirm=S5GX | confirm=S5GX mode=recv
rd.tbstream rd.tbstream.mode=recv rd.tbstream.confirm="WD 99" | confirm=WD 99 mode=recv
rd.tbstream rd.tbstream.mode=recv rd.tbstream.confirm=S5G | !1
rd.tbstream rd.tbstream.mode=recv rd.tbstream.confirm   | !1
rd.tbstream rd.tbstream.confirm=S5GX                    | !1
rd.tbstream rd.tbstream.mode=send rd.tbstream.confirm=S5GX | !1
rd.tbstream rd.tbstream.shell                           | shell=1
rd.tbstream rd.tbstream.used rd.tbstream.mode=send      | mode=send used=1
rd.tbstream rd.tbstream.used=0 rd.tbstream.mode=send    | mode=send
rd.tbstream rd.tbstream.used=all rd.tbstream.mode=send  | !1
rd.tbstream rd.tbstream.used                            | used=1 !1
rd.tbstream rd.tbstream.shell=                          | shell=1
rd.tbstream rd.tbstream.shell=yes                       | shell=yes
rd.tbstream rd.tbstream.shell rd.tbstream.shell=0       |
rd.tbstream rd.tbstream.shell=off                       |
rd.tbstream rd.tbstream.shell=bash                      | !1
rd.tbstream.shell                                       | off
rd.tbstream rd.tbstream.shell rd.tbstream.mode=x        | shell=1 !1
rd.tbstream rd.tbstream.done=poweroff                   | done=poweroff
rd.tbstream rd.tbstream.done=reboot                     | done=reboot
rd.tbstream rd.tbstream.done=halt                       | !1
rd.tbstream rd.tbstream.console=ttyS0                   | console=ttyS0
rd.tbstream rd.tbstream.console=tty1,ttyS0              | console=tty1,ttyS0
rd.tbstream rd.tbstream.console=../sda                  | !1
rd.tbstream rd.tbstream.console=tty1,                   | !1
rd.tbstream rd.tbstream.console=                        | !1
rd.tbstream rd.tbstream.keymap=../../etc/x              | !1
rd.tbstream rd.tbstream.keymap=nosuchmap                | keymap=nosuchmap !1
rd.tbstream=lab rd.tbstream.mode=recv rd.tbstream.confirm=S5GX rd.tbstream.done=poweroff rd.tbstream.level=x | name=lab !1
rd.tbstream rd.tbstream.mode=x rd.tbstream.done=y rd.tbstream.level=z | !3
	rd.tbstream	rd.tbstream.mode=send        | mode=send
TABLE
}

# What one shell makes of the command line in $line. dracut's part of it is getcmdline alone.
# shellcheck disable=SC2016 # for the shell under test to expand
probe='
set -u
export TBSTREAM_RUN="$work/run"
getcmdline() { printf "%s" "$line"; }
. "$params"
if ! params_enabled; then
	[ ! -e "$TBSTREAM_RUN" ] && echo off
	exit
fi
params_parse
cd "$TBSTREAM_RUN/param"
out=
for name in *; do
	[ -f "$name" ] || continue
	out="$out $name=$(tr "\n" / < "$name")"
	out=${out%/}
done
count=$(wc -l < "$TBSTREAM_RUN/warnings")
[ "$count" -eq 0 ] || out="$out !$((count))"
echo "${out# }"
'

run_case() { # LINE SHELL...
	local line=$1
	shift
	rm -rf "$work/run"
	env line="$line" params="$params" work="$work" "$@" -c "$probe" 2>&1
}

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

if [[ ${1-} == case ]]; then
	shift
	IFS= read -r line
	run_case "$line" "$@"
	exit
fi

number=0
for shell in dash "busybox ash" bash; do
	if ! command -v "${shell%% *}" > /dev/null; then
		printf 'ok %d # SKIP %s is not installed\n' "$((++number))" "${shell%% *}"
		continue
	fi
	while IFS= read -r row; do
		line=${row%|*}
		want=${row##*|}
		want=${want# }
		# shellcheck disable=SC2086 # a shell may be two words
		got=$(run_case "$line" $shell)
		read -r line <<< "$line"
		if [[ $got == "$want" ]]; then
			printf 'ok %d - %s: %s\n' "$((++number))" "$shell" "${line//#/}"
		else
			printf 'not ok %d - %s: %s\n' "$((++number))" "$shell" "${line//#/}"
			printf '#   expected: %s\n#   got:      %s\n' "$want" "${got//$'\n'/ / }"
			printf "#   repeat:   printf '%%s' '%s' | %s case %s\n" "$line" "$0" "$shell"
		fi
	done < <(table)
done
printf '1..%d\n' "$number"
