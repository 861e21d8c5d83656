#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Our kernel module builds for every kernel of the matrix without a word from any checker."""

import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import check, module  # noqa: E402

# One fault for each who has to find it, and no other.
FAULTY = """// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/types.h>

int tbs_undeclared(__le32 value)
{
	return (u32)value;
}

MODULE_DESCRIPTION("faulty");
MODULE_LICENSE("GPL");
"""
FOUND = {"gcc": "no previous prototype for", "sparse": "cast from restricted __le32"}
UGLY = "// SPDX-License-Identifier: GPL-2.0-only\nstatic int a = 0 ;\n"


def run_faulty(test, name):
    source = test.folder / "faulty"
    source.mkdir(exist_ok=True)
    (source / "Kbuild").write_text("obj-m := tbstream.o\n")
    (source / "tbstream.c").write_text(FAULTY)
    with test.behaviour(f"for Linux {name}, faults that gcc and sparse see fail the build"):
        try:
            module.build(name, source, test.folder / name / "tbstream.ko", sparse=True)
        except module.BuildFailed as failure:
            for who, text in FOUND.items():
                check.true(text in str(failure), f"{who} did not see its fault: {failure}")
        else:
            raise check.Failure("it was built")


def run_checkpatch(test):
    with test.behaviour("checkpatch has nothing to say"):
        module.checkpatch()
    with test.behaviour("checkpatch does speak where there is something to say"):
        source = test.folder / "ugly"
        source.mkdir()
        (source / "ugly.c").write_text(UGLY)
        try:
            module.checkpatch(source)
        except module.BuildFailed as failure:
            check.true("ugly.c:2: ERROR" in str(failure), str(failure))
        else:
            raise check.Failure("it said nothing")


def run(test):
    for name in module.KERNELS:
        test.place(f"linux-{name}")
        with test.behaviour(f"the module builds for Linux {name} without a warning of gcc at W=1 "
                            "or of sparse"):
            path = module.build(name, sparse=True)
            check.true(b"\0license=GPL" in path.read_bytes(), f"{path} is no module of the GPL")
    for name in module.KERNELS:
        run_faulty(test, name)
    run_checkpatch(test)
    with test.behaviour("no build leaves anything in kernel/"):
        check.equal(subprocess.run(["find", module.SOURCE, "-name", "*.o", "-o", "-name", "*.mod*",
                                    "-o", "-name", "*.ko", "-o", "-name", ".*.cmd"],
                                   capture_output=True, text=True, check=True).stdout, "",
                    "what is there")


check.main(run, seconds=1800)
