#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a command on a terminal of its own and answers its question.

    answer.py QUESTION ANSWER COMMAND...

Prints what the terminal shows; ends as the command does. A question that does not come is not
answered; one that comes again waits for ever, which here is 60 seconds.
"""

import os
import pty
import signal
import sys


def main():
    question, answer, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    signal.alarm(60)
    shown = b""
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # nobody has it open any more
            break
        shown += data
        if question and question.encode() in shown:
            question = ""
            os.write(terminal, answer.encode() + b"\n")
    sys.stdout.write(shown.decode(errors="replace").replace("\r", ""))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
