#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A folder by tar over the bare device, compressed by gzip on the way."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, machine, stream  # noqa: E402


def run(test):
    target = test.disk("target.img", 96 << 20)
    laptop, keeper = test.pair(None, {"disks": [machine.Disk(target)]})
    keeper.stream = stream.create(keeper.agent, "files")
    laptop.stream = stream.follow(laptop.agent, "files")

    with test.behaviour("tar | gzip into gunzip | tar brings a folder over, links and modes too"):
        # Real files: the guest's own programs and libraries, without the hard part of /dev.
        laptop.agent.run("mkdir /root/mydir && cp -a /usr/bin /usr/lib64 /etc /root/mydir && "
                         "cp -a /usr/lib/x86_64-linux-gnu /root/mydir/lib && "
                         "chmod 0701 /root/mydir/etc && : > /root/mydir/empty", 60)
        keeper.agent.run("mkfs.ext4 -q /dev/vda && mkdir -p /mnt/disk && mount /dev/vda /mnt/disk")
        receiver = keeper.agent.spawn("cd /mnt/disk && gunzip < /dev/tbstream0 | tar xf -")
        keeper.stream.wait_open()
        laptop.agent.run("cd /root && tar cf - mydir | gzip > /dev/tbstream0", 90)
        receiver.check(60)
        listing = ("cd {} && find mydir -exec stat -c '%n %a %F %s' {{}} + | sort; "
                   "cd {} && find mydir -type f -exec sha256sum {{}} + | sort")
        sent = laptop.agent.run(listing.format("/root", "/root"), 60)
        got = keeper.agent.run(listing.format("/mnt/disk", "/mnt/disk"), 60)
        # A folder's size is its file system's affair.
        check.equal([row for row in got.splitlines() if " directory " not in row],
                    [row for row in sent.splitlines() if " directory " not in row], "the files")
        check.true(len(sent.splitlines()) > 100, "the folder had too few files to prove anything")


check.main(run, seconds=150)
