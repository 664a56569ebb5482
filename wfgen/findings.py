"""Findings: what is wrong, where, and how to fix it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

_MAX_NAMES = 12
"""Names that a hint lists at most."""
_MAX_WIDTH = 120
"""Characters shown of a source line at most."""


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """A place in a file. `line` and `column` count from 1; `file` is relative to the repository."""

    file: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, order=True, slots=True)
class Diagnostic:
    """One finding."""

    position: Position
    message: str
    """What is wrong, and what was expected."""
    rule: str
    """The name of the check."""
    hint: str = ""
    """How to fix it."""
    source: str = field(default="", compare=False)
    """The line of the file at `position`, shown with a caret."""
    severity: Literal["error", "warning"] = field(default="error", compare=False)
    """A warning does not change the exit code."""

    def __str__(self) -> str:
        place = self.position
        warning = "warning: " if self.severity == "warning" else ""
        where = f"{place.file}:{place.line}:{place.column}"
        text = [f"{where}: {warning}{self.message} [{self.rule}]"]
        if self.source.strip():
            gutter = " " * len(str(place.line))
            start = max(0, place.column - _MAX_WIDTH + 20)  # so that the caret's column is shown
            shown = self.source[start : start + _MAX_WIDTH]
            text += [
                f" {place.line} | {shown}",
                f" {gutter} | {' ' * (place.column - 1 - start)}^",
            ]
        if self.hint:
            text.append(f"    hint: {self.hint}")
        return "\n".join(printable(line) for line in text)


def printable(text: str) -> str:
    """The text without characters that move a terminal's cursor or start a new line of a log."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else " " if c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """The hint for an unknown name: the nearest known one, else all where they are few."""
    names = sorted(known)
    if near := nearest(name, names):
        return f"did you mean `{near}`?"
    if not 0 < len(names) <= _MAX_NAMES:
        return otherwise
    return f"expected {one_of(names)}"


def one_of(names: Iterable[str]) -> str:
    """Valid names: "one of `a`, `b`", or "`a`"."""
    quoted = [f"`{name}`" for name in names]
    return ("one of " if len(quoted) > 1 else "") + ", ".join(quoted)


def nearest(name: str, known: Iterable[str]) -> str:
    """The one of `known` that `name` misspells or shortens; "" if none is similar."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.65)
    longer = [valid for valid in names if len(name) > 2 and valid.startswith(name)]
    return close[0] if close else longer[0] if len(longer) == 1 else ""
