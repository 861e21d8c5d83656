#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced: dracut's cmdline hook. Turns the rescue interface on where the command line asks for it;
# the other hooks go by the file "enabled".

# shellcheck source=/dev/null
. /usr/lib/tbstream/params.sh

if params_enabled; then
	params_parse
	: > "$TBSTREAM_RUN/enabled"
	# dracut stops without a root device that somebody answers for, and there is none here.
	root=tbstream
	# shellcheck disable=SC2034 # read by dracut's init
	rootok=1
	export root
	# What the other machine calls this one: the driver tells it when it is loaded.
	printf 'rescue\n' > /proc/sys/kernel/hostname
fi
