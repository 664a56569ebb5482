"""What wfgen tells about a file: where, what, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

_FEW = 12
"""As many names are listed in a hint."""
_WIDTH = 120
"""Characters of a source line that are shown."""


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """A place in a file. `line` and `column` count from 1; `file` is relative to the repository."""

    file: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, order=True, slots=True)
class Diagnostic:
    """One finding.

    `message` says what was found and what was expected, `hint` how to mend it, `rule` names the
    check, and `source` is the line of the file at `position`, shown with a caret.
    """

    position: Position
    message: str
    rule: str
    hint: str = ""
    source: str = field(default="", compare=False)

    def __str__(self) -> str:
        place = self.position
        text = [f"{place.file}:{place.line}:{place.column}: {self.message} [{self.rule}]"]
        if self.source.strip():
            gutter = " " * len(str(place.line))
            start = max(0, place.column - _WIDTH + 20)  # what the caret points at is shown
            shown = self.source[start : start + _WIDTH]
            text += [
                f" {place.line} | {shown}",
                f" {gutter} | {' ' * (place.column - 1 - start)}^",
            ]
        if self.hint:
            text.append(f"    hint: {self.hint}")
        return "\n".join(printable(line) for line in text)


def printable(text: str) -> str:
    """The text without what moves a terminal's cursor, or begins a line of its own in a log."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else " " if c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """The hint for an unknown `name`: the nearest of `known`; else all of them if they are few."""
    names = sorted(known)
    if near := nearest(name, names):
        return f"did you mean `{near}`?"
    if 0 < len(names) <= _FEW:
        return f"known: {', '.join(f'`{each}`' for each in names)}"
    return otherwise


def nearest(name: str, known: Iterable[str]) -> str:
    """The one of `known` that `name` most likely misspells; "" if none is similar."""
    import difflib  # slow to import, and needed only for an error

    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.65)), "")
