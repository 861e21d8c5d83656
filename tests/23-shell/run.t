#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine without a screen and a keyboard: its rescue image offers a shell over the cable.

    laptop, rescue image  ==== USB4 cable ====  keeper, tbstream shell, and tbrecv beside it

Nothing is typed at the laptop. Its serial line is there to be read, for somebody may stand there.
"""

import pathlib
import random
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, machine, rescue  # noqa: E402

PROMPT = "rescue# "
LEAVE = "\x1d."


class Seat:
    """Somebody at a terminal of the keeper's."""

    def __init__(self, agent):
        self.agent = agent
        self.job = agent.spawn("tty; stty rows 40 cols 101; tbstream shell -t 60; "
                               "echo ended with $?; stty -a", pty=True)
        self.at = 0
        self.terminal = self.expect(r"/dev/pts/\d+", 20)[0]
        self.expect("attached to the shell of rescue: Ctrl-] and then . leaves it", 60)
        self.expect(PROMPT, 20)

    def expect(self, pattern, seconds=20):
        """Wait for a pattern behind what was found last."""
        expression = re.compile(pattern, re.MULTILINE)

        def found():
            return expression.search(self.job.all_text().replace("\r", ""), self.at)
        self.agent.wait(lambda: found() or self.job.status is not None, seconds,
                        f"/{pattern}/ did not come behind {self.job.all_text()[-400:]!r}")
        match = found()
        check.true(match, f"it ended without /{pattern}/: {self.job.all_text()[-400:]!r}")
        self.at = match.end()
        return match

    def type(self, text):
        self.job.send(text.encode())

    def run(self, command, pattern, seconds=20):
        """Type a command, wait for what it prints and for the prompt."""
        self.type(command + "\r")
        match = self.expect(pattern, seconds)
        self.expect(PROMPT, seconds)
        return match

    def ended(self, code):
        """It ends with this code, and leaves the terminal as it was."""
        self.expect(f"^ended with {code}$", 30)
        self.expect(r"[^-]isig icanon", 10)
        self.job.check(10)


def run(test):
    check.true(rescue.IMAGE.exists(), f"{rescue.IMAGE} is missing: make rescue")
    noise = random.Random(23)
    disk = test.disk("disk.img", 24 << 20, lambda n: noise.randbytes(1 << 20) if n % 3 else
                     bytes(1 << 20))
    before = check.sha256(disk)
    fabric = test.cable({"laptop": "lanes=1", "keeper": "lanes=1"}, ["laptop:keeper"])
    keeper = test.keeper("keeper", {"ours": True}, fabric=fabric.socket("keeper"))
    pc = rescue.machine(test, "laptop", "rd.tbstream rd.tbstream.shell",
                        [machine.Disk(disk, "nvme", "NV-0001")], fabric=fabric.socket("laptop"))
    for made in (keeper, pc):
        made.start()
    keeper.agent.wait_ready()

    with test.behaviour("the screen says that a shell is offered, and how to get it"):
        pc.console.expect("A shell is offered: tbstream shell", 120)

    with test.behaviour("tbstream shell gives a prompt, and runs what is typed"):
        seat = Seat(keeper.agent)
        seat.run("uname -n; echo $((6 * 7))x", "^rescue\n42x")

    with test.behaviour("the laptop's console says who is attached"):
        pc.console.expect("Console cable: keeper is attached to the shell", 30)

    with test.behaviour("the far terminal has the near one's size, and follows it"):
        seat.run("stty size", "^40 101$")
        keeper.agent.run(f"stty -F {seat.terminal} rows 50 cols 120")
        seat.run("stty size", "^50 120$")

    with test.behaviour("Ctrl-C ends what runs in the shell, not the shell"):
        seat.type("sh -c 'echo go; exec sleep 1000'\r")
        seat.expect("^go")
        seat.type("\x03")
        seat.expect(PROMPT)
        seat.type("yes\r")
        seat.expect("^y\ny\ny\n")
        seat.type("\x03")
        seat.expect(PROMPT)
        seat.run("echo $((6 * 8))x", "^48x")

    with test.behaviour("a backup that is started in the shell runs beside it"):
        receiver = keeper.agent.spawn("tbrecv -q -o /run/laptop.zst")
        seat.run("tbsend -q /dev/nvme0n1 &", r"nvme0n1 &\n")
        seat.run("echo beside-$((6 * 9))", "^beside-54", 30)
        seat.run("wait $!; echo sent-$?", "^sent-0", 120)
        receiver.check(30)
        received = keeper.agent.run("zstd -q -d < /run/laptop.zst | sha256sum", 60).split()[0]
        check.equal(received, before, "hash of what the image holds")
        check.equal(check.sha256(disk), before, "hash of the disk after the backup")

    with test.behaviour("the detach key leaves it, with the terminal as it was"):
        seat.type(LEAVE)
        seat.expect("left the shell of rescue")
        seat.ended(0)

    with test.behaviour("the laptop's console says that nobody is attached any more"):
        pc.console.expect("Console cable: keeper has gone, and its shell has ended", 30)

    with test.behaviour("a pulled cable ends the shell on both sides, and it is offered again"):
        seat = Seat(keeper.agent)
        # Its interface looks now and then, and must not miss what comes between.
        pc.console.expect("Console cable: keeper is attached", 40)
        fabric.unplug()
        seat.ended(1)
        pc.console.expect("Console cable: keeper has gone", 40)
        fabric.plug()
        seat = Seat(keeper.agent)
        seat.run("cat /run/tbstream/said", "^cable: keeper is attached")
        seat.type("exit 5\r")
        seat.ended(5)

    with test.behaviour("what a pipe says is run, and the shell's exit code comes back"):
        job = keeper.agent.spawn("echo 'tbstream disks --tsv | cut -f 1,4; exit 7' | "
                                 "tbstream shell -q -t 60")
        check.equal((job.wait(60), job.text()), (7, "/dev/nvme0n1\tNV-0001"), "code and output")


check.main(run, seconds=600)
