#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Standard input to standard output, slowly: what a pipe holds, a hundred and fifty times a second."""
import os
import sys
import time

while data := os.read(0, 65536):
    sys.stdout.buffer.write(data)
    time.sleep(1 / 150)
