#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Our driver on a Linux 6.12 that watches itself: see driver.py."""

import sys

sys.dont_write_bytecode = True

import driver  # noqa: E402

driver.main("debug-6.12")
