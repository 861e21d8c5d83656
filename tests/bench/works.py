# SPDX-License-Identifier: GPL-2.0-or-later
"""What runs against what in `make bench`: our programs and their peers from Debian."""

import os
import pathlib
import subprocess

from measure import Program, Work

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
THREADS = 2
RESTORED = ("target-tbrecv", "target-zstd")


def image_check(source):
    """That `zstd -d` makes the source of an image."""
    def check(output):
        unpack = subprocess.Popen(["zstd", "-q", "-d", "-c", output], stdout=subprocess.PIPE)
        same = subprocess.run(["cmp", "-", source], stdin=unpack.stdout, capture_output=True)
        unpack.stdout.close()
        if unpack.wait() or same.returncode:
            raise RuntimeError(f"{output.name} is not {source.name}: {same.stdout.decode()}")
    return check


def image_verify(output):
    """That every byte of an image is what its digests say."""
    subprocess.run([BUILD / "tbstream", "verify", "-q", output], check=True)


def same_check(source):
    """That the output is the source."""
    def check(output):
        subprocess.run(["cmp", output, source], check=True)
    return check


class Maker:
    """Makes the works of one source; their outputs lie in `folder`."""

    def __init__(self, sources, name, folder):
        self.name = name
        self.source = sources.path(name)
        self.folder = folder
        self.output = folder / "output.zst"

    def work(self, key, title, *programs, **options):
        return Work(f"{self.name}/{key}", self.name, title, programs,
                    **{"output": self.output, **options})

    def plain(self, key, *options, check=None):
        """P: the sender alone."""
        return self.work(
            key, " ".join(["tbsend --plain", *options]),
            Program("tbsend", (BUILD / "tbsend", "--plain", "-q", f"-T{THREADS}", *options,
                               self.source), stdout=self.output),
            check=check or image_check(self.source), durable=True)

    def both(self, key, *options):
        """B: both ends, joined by a socket."""
        meeting = f"unix:{self.folder / 'socket'}"
        return self.work(
            key, " ".join(["tbsend | tbrecv", *options]),
            Program("tbrecv", (BUILD / "tbrecv", "-q", f"-T{THREADS}", "--restart", "-s", meeting,
                               "-o", self.output)),
            Program("tbsend", (BUILD / "tbsend", "-q", f"-T{THREADS}", *options, "-s", meeting,
                               self.source)),
            check=image_check(self.source), durable=True)

    def zstd(self):
        return self.work("zstd", "zstd -1 -T2",
                         Program("zstd", ("zstd", "-q", "-1", f"-T{THREADS}", "-c", self.source),
                                 stdout=self.output), durable=True)

    def piped(self, key, title, *argv):
        """A program that writes to a pipe, and zstd behind it."""
        return self.work(key, f"{title} | zstd -1 -T2",
                         Program(argv[0].split(".")[0], argv, stdout="|data"), self.zstd_behind(),
                         durable=True)

    def zstd_behind(self):
        return Program("zstd", ("zstd", "-q", "-1", f"-T{THREADS}", "-c"), stdin="|data",
                       stdout=self.output)

    def beside(self, key, title, *argv):
        """zstd, and a program that takes a hash of the same bytes."""
        return self.work(key, f"zstd -1 -T2, {title} beside it",
                         Program("tee", ("tee", "{extra}"), stdin=self.source, stdout="|data",
                                 extra="hash"),
                         Program(argv[0], argv, stdin="|hash"), self.zstd_behind(), durable=True)

    def one(self, key, title, *argv, stdout=os.devnull):
        """A single program, whose output is a file."""
        return self.work(key, title, Program(argv[0], argv, stdout=stdout))

    def partclone(self, key, *options):
        return self.piped(key, " ".join(["partclone", *options]), "partclone.ext4", "-c", "-q",
                          *options, "-L", os.devnull, "-s", self.source, "-o", "-")


def first_works(make):
    yield make.plain("P")
    yield make.both("B")
    yield make.plain("P1", "-l1")
    yield make.plain("P1T1", "-l1", "-T1")
    yield make.zstd()
    yield make.beside("zstd+b3sum", "b3sum", "b3sum")
    yield make.beside("zstd+openssl", "openssl sha256", "openssl", "dgst", "-sha256")
    yield make.one("pzstd", "pzstd -1 -p2", "pzstd", "-q", "-1", f"-p{THREADS}", "-c", make.source,
                   stdout=make.output)
    yield make.one("lz4", "lz4 -1", "lz4", "-q", "-1", "-c", make.source, stdout=make.output)
    yield make.one("pigz", "pigz -1 -p2", "pigz", "-1", "-p", str(THREADS), "-c", make.source,
                   stdout=make.output)
    yield make.partclone("partclone-a0", "-a0")
    yield make.partclone("partclone")
    yield make.one("nbdcopy", "nbdcopy, not compressed", "nbdcopy", make.source, make.output)
    yield make.one("e2image", "e2image -ra, not compressed", "e2image", "-ra", make.source,
                   make.output)
    yield make.one("ddrescue", "ddrescue, not compressed", "ddrescue", "-q", make.source,
                   make.output)


def second_works(make):
    yield make.plain("P")
    yield make.plain("used", "--used", check=image_verify)
    yield make.zstd()
    yield make.partclone("partclone-a0", "-a0")


def noise_works(make):
    yield make.plain("P")
    yield make.zstd()
    yield make.both("none", "--level=none")
    yield make.work("dd", "dd | dd, through a socket",
                    Program("dd-out", ("dd", "bs=1M", f"if={make.source}"), stdout="=data"),
                    Program("dd-in", ("dd", "bs=1M", f"of={make.output}"), stdin="=data"),
                    durable=True)


def restore_works(make):
    """Of first's image, onto targets that are there."""
    image = make.folder / "image.zst"
    ours, theirs = (make.folder / name for name in RESTORED)
    options = {"keep": True, "durable": True, "check": same_check(make.source)}
    yield make.work("restore", "tbrecv --plain TARGET",
                    Program("tbrecv", (BUILD / "tbrecv", "--plain", "-q", f"-T{THREADS}",
                                       "--force", "-s", "-", ours), stdin=image),
                    output=ours, **options)
    yield make.work("zstd-d", "zstd -d > TARGET",
                    Program("zstd", ("zstd", "-q", "-d", "-c"), stdin=image,
                            stdout=f"+{theirs}"), output=theirs, **options)


def restore_prepare(make):
    """The image and the targets of restore_works(): a target for each, or else the one would only
    have to leave what the other one wrote."""
    with open(make.folder / "image.zst", "wb") as image:
        subprocess.run([BUILD / "tbsend", "--plain", "-q", make.source], stdout=image, check=True)
    for name in RESTORED:
        with open(make.folder / name, "wb") as target:
            for _ in range(make.source.stat().st_size >> 20):
                target.write(bytes(1 << 20))
            os.fdatasync(target.fileno())


def groups(sources, folder):
    """Lists of works that are measured in turns with each other, each with what prepares it."""
    first, second, noise, sparse, alone = (
        Maker(sources, name, folder) for name in ("first", "second", "noise", "sparse", "alone"))
    yield None, list(first_works(first))
    yield None, list(second_works(second))
    yield None, list(noise_works(noise))
    yield None, [sparse.plain("P", check=image_verify), alone.plain("P")]
    yield lambda: restore_prepare(first), list(restore_works(first))
