# SPDX-License-Identifier: GPL-2.0-or-later
"""One-line mutants of C sources: where a line of real code can be changed, and how.

The sources keep clang-format's shape, which makes this possible without a parser: the braces of
functions stand in column 0, binary operators between blanks.
"""

import hashlib
import re
from dataclasses import dataclass

TYPES = re.compile(
    r"(?:(?:const|static|struct|enum|union|unsigned|signed|volatile|char|int|long|short|bool|float"
    r"|double|void|FILE|DIR|va_list|\w+_t)\b|_Static_assert)")
KEYWORDS = re.compile(r"(?:return|goto|break|continue|case|default|if|else|for|while|do|switch)\b")
# What only says something.
SPEECH = re.compile(r"\b(?:msg_\w+|\w+_note|\w+_say)\(")
SWAPS = (
    ("compare", {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}),
    ("arithmetic", {"+": "-", "-": "+", "+=": "-=", "-=": "+="}),
    ("logic", {"&&": "||", "||": "&&"}),
    ("bits", {"<<": ">>", ">>": "<<", "&": "|", "|": "&", "<<=": ">>=", ">>=": "<<=",
              "&=": "|=", "|=": "&="}),
)
SWAP = {old: (name, new) for name, pairs in SWAPS for old, new in pairs.items()}
JUMP = {"break": "continue", "continue": "break"}


@dataclass(frozen=True)
class Mutant:
    path: str
    line: int  # from 1
    function: str
    first: int  # the function's first line
    operator: str
    before: str  # the whole line
    after: str

    def key(self):
        return f"{self.path}:{self.line}:{self.operator}:{self.after.strip()}"

    def change(self):
        return f"{self.before.strip()}  ->  {self.after.strip()}"


def mask(text):
    """The text with the same lines and columns, where comments and preprocessor lines are blank and
    what is in quotes is underscores."""
    token = re.compile(r"//[^\n]*|/\*.*?\*/|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*"
                       r"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S | re.M)

    def hide(match):
        part = match.group()
        if part[0] in "\"'":
            return part[0] + "_" * (len(part) - 2) + part[0]
        return re.sub(r"[^\n]", " ", part)

    return token.sub(hide, text)


def hide_messages(text, masked):
    """Masks a message's words and what is told with them: from a string with a blank in it to the
    end of the call that it stands in."""
    out = list(masked)
    for match in re.finditer(r"\"_*\"", masked):
        if " " not in text[match.start():match.end()]:
            continue
        depth, i = 0, match.start()
        while i < len(masked) and depth >= 0 and masked[i] not in ";{":
            depth += {"(": 1, ")": -1}.get(masked[i], 0)
            if depth >= 0 and out[i] != "\n":
                out[i] = '"'
            i += 1
    return "".join(out)


def bodies(lines):
    """The lines inside of functions, as (index, function's name, index of its head)."""
    inside, name, first = False, "", 0
    for i, line in enumerate(lines):
        if line.startswith("}"):
            inside = False
        if inside and line.strip():
            yield i, name, first
        called = re.match(r"[A-Za-z_].*?\b(\w+)\(", line)
        if called:
            name, first = called.group(1), i
        if line.startswith("{"):
            inside = True


def code_start(line):
    """The column from which a line may be changed, or None: of a declaration only its value."""
    column = len(line) - len(line.lstrip())
    if not TYPES.match(line, column):
        return column
    equals = line.find(" = ", column)
    return None if equals < 0 else equals + 3


def spliced(line, start, end, new):
    return line[:start] + new + line[end:]


def condition(masked):
    """Where the condition of an `if` or `while` lies that ends on its line."""
    match = re.match(r"\s*(?:\} else )?(?:else )?(?:if|while) \(", masked)
    if not match:
        return None
    depth, i = 1, match.end()
    while i < len(masked) and depth:
        depth += {"(": 1, ")": -1}.get(masked[i], 0)
        i += 1
    return None if depth else (match.end(), i - 1)


def returned(value):
    """What is returned in place of this, or None."""
    flip = {"0": "-EIO", "true": "false", "false": "true", "NULL": None}
    return flip.get(value, "0")


def statement(line, masked, previous):
    """A call or an assignment that is a whole line."""
    code = masked.strip()
    return (previous[-1:] in (";", "{", "}", ")", ":") or previous.endswith("else")) and \
        re.match(r"[A-Za-z_*(]", code) and re.search(r"[=(]|\+\+|--", code) and \
        code.endswith(";") and code.count(";") == 1 and not KEYWORDS.match(code) and \
        not TYPES.match(code) and not code.startswith("(void)") and \
        not SPEECH.search(line) and '""' not in code


def changes(line, masked, previous):
    """All (operator, changed line) of one line of a function."""
    start = code_start(masked)
    if start is None or set(masked.strip()) <= set('{}"; ()'):
        return
    for match in re.compile(r"(?<= )\S+(?= |$)").finditer(masked, start):
        if match.group() in SWAP:
            name, new = SWAP[match.group()]
            yield name, spliced(line, *match.span(), new)
    for match in re.compile(r"\+\+|--").finditer(masked, start):
        yield "arithmetic", spliced(line, *match.span(), "--" if match.group() == "++" else "++")
    # Not octal numbers, which are modes of files, and not {0}.
    for match in re.compile(r"(?<![\w.{])(0x[0-9a-fA-F]+|[1-9]\d*|0(?!\d))(?=[uUlL]*\b)").finditer(
            masked, start):
        value = int(match.group(), 0)
        if not re.match(r"\s*return -?\d+;", masked):
            yield "constant", spliced(line, *match.span(), str(value + 1))
            if value:
                yield "constant", spliced(line, *match.span(), str(value - 1))
    for match in re.compile(r"~(?=\w)").finditer(masked, start):
        yield "bits", spliced(line, *match.span(), "")
    span = condition(masked)
    if span:
        yield "negate", spliced(line, *span, f"!({line[span[0]:span[1]]})")
    match = re.match(r"\s*return (.+);$", masked)
    if match:
        new = returned(match.group(1))
        if new:
            yield "return", spliced(line, *match.span(1), new)
    match = re.match(r"\s*(break|continue);$", masked)
    if match:
        yield "jump", spliced(line, *match.span(1), JUMP[match.group(1)])
    if statement(line, masked, previous):
        yield "delete", spliced(line, start, len(line), "{ }")


def digest(*words):
    return hashlib.sha256("\0".join(words).encode()).digest()


def chosen(path, text, seed):
    """One mutant for each line that can have one, in an order that the seed makes. Returns them and
    the number of lines that are code."""
    masked = hide_messages(text, mask(text)).split("\n")
    lines = text.split("\n")
    found, seen, count, previous = [], {}, 0, ";"
    for i, function, first in bodies(masked):
        count += 1
        options = list(changes(lines[i], masked[i].rstrip(), previous))
        previous = masked[i].rstrip()
        if not options:
            continue
        # By the line's words: a change elsewhere in the file leaves the choice as it is.
        nth = seen[lines[i]] = seen.get(lines[i], 0) + 1
        rank = digest(seed, path, lines[i], str(nth))
        kinds = sorted({operator for operator, _ in options})
        operator = kinds[int.from_bytes(rank[-4:], "big") % len(kinds)]
        changed = [after for kind, after in options if kind == operator]
        after = changed[int.from_bytes(rank[-8:-4], "big") % len(changed)]
        found.append((rank, Mutant(path, i + 1, function, first + 1, operator,
                                     lines[i], after)))
    return [mutant for _, mutant in sorted(found, key=lambda pair: pair[0])], count


def ordered(sources, seed):
    """The mutants of all sources, a dict of path and text: each file's share of any beginning of
    the list is its share of the code."""
    ranked = []
    for path, text in sorted(sources.items()):
        mutants, count = chosen(path, text, seed)
        offset = int.from_bytes(digest(seed, path)[:4], "big") / 2**32
        ranked += [((i + offset) / count, mutant) for i, mutant in enumerate(mutants)]
    return [mutant for _, mutant in sorted(ranked, key=lambda pair: (pair[0], pair[1].key()))]
