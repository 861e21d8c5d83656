#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced: dracut's initqueue/settled hook. The devices of the cold plug are there.

if [ -e /run/tbstream/enabled ]; then
	: > /run/tbstream/settled
fi
