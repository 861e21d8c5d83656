# SPDX-License-Identifier: GPL-2.0-or-later
"""What became of a round. Whether bytes are equal is for zstd and cmp to say."""

import os
import subprocess

EDGE = 4 << 20  # of a target, at both ends: zeros until all else is there

SURVIVED, UNHEARD, REFUSED = "survived", "not confirmed", "refused"
OUTCOMES = (SURVIVED, UNHEARD, REFUSED)


class Failure(Exception):
    """A round that ended as none may."""


def succeeds(command, *arguments):
    return subprocess.run(["sh", "-c", command, "sh", *arguments],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def image_equals(image, disk):
    # Without a pipefail in sh: what zstd does not like is said by the file.
    return succeeds('zstd -q -t "$1" && zstd -q -d -c "$1" | cmp -s - "$2"', image, disk)


def looks_empty(target):
    end = os.path.getsize(target) - EDGE
    return succeeds(f'cmp -s -n {EDGE} "$1" /dev/zero && '
                    f'cmp -s -n {EDGE} -i {end}:0 "$1" /dev/zero', target)


class Verdict:
    """Of a transfer that has ended; PROGRAMS has tbstream."""

    def __init__(self, transfer, flow, disk, programs):
        self.transfer, self.flow, self.disk, self.programs = transfer, flow, disk, programs
        self.send, self.recv = transfer.send, transfer.recv

    def whole(self):
        """Whether there is something under the output's name that is taken for whole, and is."""
        output = self.transfer.output
        if self.flow == "backup":
            if not os.path.exists(output):
                return False
            if not image_equals(output, self.disk):
                raise Failure("wrong image: what stands under its name is not the disk")
            return True
        if succeeds('cmp -s "$1" "$2"', output, self.disk):
            return True
        if 0 in (self.send.code, self.recv.code):
            raise Failure("wrong target: success was said, but it is not the disk")
        if not looks_empty(output):
            raise Failure("wrong target: it looks like a disk, but is not the one that was sent")
        return False

    def refusal(self, program):
        if not program.last().startswith(f"{program.name}: "):
            raise Failure(f"{program.name} failed without a sentence")

    def outcome(self):
        for program in self.send, self.recv:
            if program.code not in (0, 1):
                raise Failure(f"{program.name} ended with {program.code}")
            if program.code:
                self.refusal(program)
        whole = self.whole()
        if not whole and self.recv.code == 0:
            raise Failure("false success: tbrecv ended with 0, and there is nothing whole")
        if not whole and self.send.code == 0:
            raise Failure("false success: tbsend ended with 0, and there is nothing whole")
        if self.send.code == self.recv.code == 0:
            return SURVIVED
        if self.send.code == 0 and "result" not in self.recv.killed:
            raise Failure("false success: tbsend ended with 0, but tbrecv failed")
        if not whole:
            self.part()
        return REFUSED if self.send.code and self.recv.code else UNHEARD

    def part(self):
        """What an image's refused transfer left must not be taken for whole."""
        part = self.transfer.output + ".part"
        tbstream = os.path.join(self.programs, "tbstream")
        if os.path.exists(part) and succeeds('"$1" verify -q "$2"', tbstream, part):
            raise Failure("false success: what tbrecv left verifies, though it failed")
