#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced: dracut's pre-mount hook. Hands the machine over to the rescue interface and never
# comes back, for nothing that dracut would do next is wanted.

if [ -e /run/tbstream/enabled ]; then
	while :; do
		/usr/lib/tbstream/consoles
		sleep 1
	done
fi
