#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The soak of faults (tests/faults), in short: one round for every phase and direction. And that it
# can fail: with programs that lie, hang or damage what they wrote it has to say so.
# shellcheck source=tests/unit/tools/tap.sh
# shellcheck disable=SC2317 # the functions are called by ok
. "$(dirname "$0")/tap.sh"
cd "${work:?}" || exit 1

soak() { python3 "${here:?}/tests/faults/soak.py" --quick --seed 1 "$@"; }

soak --programs "$here/build" --rounds 12 --jobs 12 >soak.out 2>&1 &
all=$!

# stub NAME: a program in the place of the build's own; what it does comes from standard input.
stub() { { echo '#!/bin/sh' && cat; } >"stubs/$1" && chmod +x "stubs/$1"; }
stubs() {
	rm -rf stubs
	mkdir stubs
	for name in tbstream tbsend tbrecv; do
		ln -s "$here/build/$name" stubs
	done
	real=$here/build
}
# found ROUND PATTERN [OPTIONS]: the round fails, and this is said.
found() {
	round=$1 pattern=$2
	shift 2
	code 1 soak --programs stubs --round "$round" "$@" 2>found.err && says "$pattern" found.err &&
		says "repeat: make check-faults SEED=1 ROUND=$round QUICK=yes PROGRAMS=stubs" found.err
}

# The last argument is the image or the target. One round is a backup, one a restore, without a kill.
BACKUP=4 RESTORE=1
stubs
rm stubs/tbrecv
stub tbrecv <<-END
	"$real/tbrecv" "\$@" || exit
	for file; do :; done
	echo "a few other bytes" | dd of="\$file" bs=1 seek=3000000 conv=notrunc 2>dd.err
END
ok "an image that is damaged is found" found $BACKUP 'wrong image'
ok "and so is a target" found $RESTORE 'wrong target: success was said'

stub tbrecv <<-END
	"$real/tbrecv" "\$@" || exit
	for file; do :; done
	rm "\$file"
END
ok "success without an image is found" found $BACKUP 'false success: tbrecv'

stub tbrecv <<-'END'
	kill -STOP $$
END
ok "a program that hangs is found" found $BACKUP 'hang: not ended after 2 s' --bound 2

stub tbrecv <<-'END'
	echo "tbrecv: this is only a test" >&2
	exit 1
END
rm stubs/tbsend
stub tbsend <<-END
	case " \$* " in *" --plain "*) exec "$real/tbsend" "\$@" ;; esac
	exit 0
END
ok "a sender's success without the receiver's is found" found $BACKUP 'false success: tbsend'

stub tbsend <<-END
	case " \$* " in *" --plain "*) exec "$real/tbsend" "\$@" ;; esac
	exit 1
END
ok "a failure without a sentence is found" found $BACKUP 'tbsend failed without a sentence'

stub tbsend <<-END
	case " \$* " in *" --plain "*) exec "$real/tbsend" "\$@" ;; esac
	echo "tbsend: this is only a test" >&2
	kill -SEGV \$\$
END
ok "a crash is found" found $BACKUP 'tbsend ended with -11'

stub tbsend <<-END
	case " \$* " in *" --plain "*) exec "$real/tbsend" "\$@" ;; esac
	echo "tbsend: this is only a test" >&2
	exit 1
END
ok "a round without a fault is found" found $BACKUP 'no fault took effect'

short() {
	wait "$all"
	ended=$?
	cat soak.out
	return "$ended"
}
ok "a fault in every phase and direction: survived, or refused with the reason" short
places() { [ "$(grep -cE '^[a-z]+ +to the .* 1 +[01] +[01] +[01]$' soak.out)" = 12 ]; }
ok "each of them took effect" places
tap_end
