#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced: dracut's cmdline hook. Turns the rescue interface on where the command line asks for it.

# shellcheck source=/dev/null
. /usr/lib/tbstream/params.sh

if params_enabled; then
	# shellcheck source=/dev/null
	. /usr/lib/tbstream/enable
	# dracut stops without a root device that somebody answers for, and there is none here.
	root=tbstream
	# shellcheck disable=SC2034 # read by dracut's init
	rootok=1
	export root
	# systemd gives up all that it was about to do, and whatever waits for a root device. This is
	# done from within a service that it stops then.
	if [ -d /run/systemd/system ]; then
		systemctl --no-block isolate tbstream.target
	fi
fi
