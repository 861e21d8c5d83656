# SPDX-License-Identifier: GPL-2.0-or-later
"""The program `exercise` in a guest: system calls on a device, step by step, and what came of each.
exercise/main.c describes it."""

import dataclasses
import re
import shlex

from . import check

LINE = re.compile(r"^(\d+) .*? ?result=(\S+) error=(\S+) ms=([0-9.]+)(.*)\n", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Result:
    """What came of a step. `value`: a number, or a text; `error`: errno's name, "" for none,
    TIMEOUT where the step's limit ended it; `more`: the verb's own figures."""
    line: str
    value: object
    error: str
    ms: float
    more: dict

    def want(self, what, value=None, error="", **more):
        """check.Failure unless it is as given; None stands for anything. It says what was seen."""
        wanted = {"result": value, "error": "-" if error == "" else error, **more}
        found = {"result": self.value, "error": self.error or "-", **self.more}
        for name, thing in wanted.items():
            if thing is not None and found.get(name) != thing:
                raise check.Failure(f"{what}: wanted {name}={thing}, seen: {self.line}")
        return self

    def got(self, what, size, end="eof"):
        """check.Failure unless it has read so many bytes, all of them right, and then ended in that
        way: "eof", "enough", or with an error."""
        if end in ("eof", "enough"):
            return self.want(what, size, end=end, wrong=-1)
        return self.want(what, size, end, end="error", wrong=-1)


def _number(text):
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def _result(match):
    number, value, error, ms, rest = match.groups()
    more = dict(word.split("=", 1) for word in rest.split())
    return int(number), Result(match[0].rstrip(), _number(value), "" if error == "-" else error,
                               float(ms), {name: _number(text) for name, text in more.items()})


class Exercise:
    """A script that runs, or has run, in a guest."""

    def __init__(self, agent, *steps):
        self.steps = steps
        self.job = agent.spawn("exec exercise " + shlex.join(steps))

    def _numbered(self, name):
        """A step's number by its verb; "close.2" is the second close."""
        verb, _, which = name.partition(".")
        numbers = [number for number, step in enumerate(self.steps, 1)
                   if step.split(":")[0] == verb]
        return numbers[int(which or 1) - 1]

    def seen(self, name):
        """The result of a step that has come already, else None."""
        self.job.agent.poll()
        text = self.job.out.decode(errors="replace")
        return dict(map(_result, LINE.finditer(text))).get(self._numbered(name))

    def result(self, name, seconds=30):
        """Wait for a step's result."""
        self.job.agent.wait(lambda: self.seen(name) or self.job.status is not None, seconds,
                            f"{self.job}: the step {name} was not done\n{self.job.all_text()}")
        found = self.seen(name)
        if found is None:
            raise check.Failure(f"{self.job}\nended ({self.job.status}) without the step {name}\n"
                                f"{self.job.all_text()}")
        return found

    def comes(self, name, seconds):
        """The result of a step, or None where it does not come in time."""
        try:
            return self.result(name, seconds)
        except TimeoutError:
            return None

    def go(self):
        """Let it go on from a wait, or end a pump."""
        self.job.send(b"\n")

    def end(self, seconds=30):
        """Wait for its end; the last step's result."""
        self.job.check(seconds)
        return self.seen_all()[-1]

    def seen_all(self):
        """The results of all steps that were done, in the order of the script."""
        text = self.job.out.decode(errors="replace")
        return [result for _, result in sorted(map(_result, LINE.finditer(text)),
                                               key=lambda pair: pair[0])]
