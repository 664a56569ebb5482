"""The tags of a template around a line of it, and above it: read from its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from wfgen.explain.tracing import Spot

_TAG = re.compile(r"#\{%[-+]? *(?P<word>\w+)(?P<rest>.*?)[-+]?%\}#", re.DOTALL)
_HOLE = re.compile(r"#\{[{%].*?[}%]\}#")
_SET = re.compile(r"#\{%[-+]? *set (\w+) *=")


def open_tags(spot: Spot) -> list[tuple[Spot, str, bool]]:
    """The `if` and `for` tags that a template's line is within: where, what, and whether it holds.

    In an `else`, the conditions above it do not hold.
    """
    source = Path(spot.file).read_text("utf-8")
    end = sum(len(line) + 1 for line in source.split("\n")[: spot.line - 1])
    stack: list[list[tuple[Spot, str, bool]]] = []
    for found in _TAG.finditer(source, 0, end):
        word = found["word"]
        tag = Spot(spot.file, source.count("\n", 0, found.start()) + 1)
        if word in ("elif", "else") and stack:
            stack[-1] = [(place, text, False) for place, text, _ in stack[-1]]
        if word in ("if", "for"):
            stack.append([])
        if word in ("if", "elif", "for"):
            stack[-1].append((tag, f"{word} {found['rest'].strip()}", True))
        elif word in ("endif", "endfor"):
            stack.pop()
    return [tag for tags in stack for tag in tags]


def set_above(spot: Spot) -> Iterator[Spot]:
    """Where a template sets, above a line of it, the variables that the line uses."""
    lines = Path(spot.file).read_text("utf-8").split("\n")
    used = {
        name for hole in _HOLE.findall(lines[spot.line - 1]) for name in re.findall(r"\w+", hole)
    }
    for number, line in enumerate(lines[: spot.line - 1], 1):
        if (found := _SET.search(line)) and found[1] in used:
            yield Spot(spot.file, number)
