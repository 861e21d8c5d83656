# SPDX-License-Identifier: GPL-2.0-or-later
"""The disk that all rounds send, and its image: made once."""

import os
import random
import subprocess

CHUNK = 4 << 20
COUNT = 66
QUICK = 20
ZEROS = (9, 10, 23, 40, 41, 42)
DENSE = (17, 47)  # which do not compress
MARK = 6000  # bytes that tell any other chunk from the rest
LAST = 123457  # bytes of the last chunk


def make_disk(path, seed, count):
    """COUNT chunks, the last one not whole."""
    dice = random.Random(f"{seed}/disk")
    with open(path, "wb") as disk:
        disk.truncate((count - 1) * CHUNK + LAST)
        for chunk in range(count):
            if chunk in ZEROS:
                continue
            size = CHUNK if chunk in DENSE else MARK
            room = (LAST if chunk == count - 1 else CHUNK) - size
            disk.seek(chunk * CHUNK + dice.randrange(room + 1))
            disk.write(dice.randbytes(size))


def make_image(path, disk, programs):
    with open(path, "wb") as image:
        subprocess.run([os.path.join(programs, "tbsend"), "--plain", "-q", "-s", "-", disk],
                       stdin=subprocess.DEVNULL, stdout=image, check=True)
