# SPDX-License-Identifier: GPL-2.0-or-later
"""What the figures depend on: the machine, its programs, where the files lie. No names, no
paths."""

import os
import pathlib
import platform
import re
import subprocess
import time

from sources import tools_run

PACKAGES = ("zstd", "lz4", "pigz", "partclone", "libnbd-bin", "e2fsprogs", "gddrescue", "openssl",
            "b3sum")


def machine():
    """The machine, in words."""
    model = re.search(r"^model name\s*: (.+)", read("/proc/cpuinfo"), re.MULTILINE)
    memory = int(re.search(r"^MemTotal:\s+(\d+)", read("/proc/meminfo"), re.MULTILINE)[1])
    return {"cpu": model[1] if model else platform.machine(), "cores": os.cpu_count(),
            "memory": f"{memory / (1 << 20):.0f} GiB", "kernel": platform.release()}


def versions(build):
    """{program: version}: ours, and of Debian's packages that it is held against."""
    found = {"tbstream": subprocess.run([build / "tbstream", "--version"], capture_output=True,
                                        text=True, check=True).stdout.split()[-1]}
    commit = subprocess.run(["git", "rev-parse", "--short=10", "HEAD"], capture_output=True,
                            text=True, cwd=build.parent)
    if commit.returncode == 0:
        found["tbstream"] += f" ({commit.stdout.strip()})"
    for package in PACKAGES:
        result = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package],
                                capture_output=True, text=True)
        if result.returncode == 0:
            found[package] = result.stdout
    return found


def place(folder):
    """The file system of a folder, and MB/s at which 512 MiB become durable there."""
    kind = tools_run("stat", "-f", "-c", "%T", folder).strip()
    path = folder / "probe"
    block = os.urandom(1 << 20)
    start = time.monotonic()
    with open(path, "wb") as file:
        for _ in range(512):
            file.write(block)
        file.flush()
        os.fdatasync(file.fileno())
    rate = (512 << 20) / 1e6 / (time.monotonic() - start)
    path.unlink()
    return {"kind": kind, "durable": rate}


def load():
    """How many programs wanted a processor within the last minute."""
    return float(read("/proc/loadavg").split()[0])


def read(path):
    return pathlib.Path(path).read_text()
