"""What wfgen tells about a file: where, what, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field


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
        lines = [f"{place.file}:{place.line}:{place.column}: {self.message} [{self.rule}]"]
        if self.source.strip():
            shown = self.source.replace("\t", " ")
            lines += [f"    {shown}", "    " + " " * (place.column - 1) + "^"]
        if self.hint:
            lines.append(f"    hint: {self.hint}")
        return "\n".join(lines)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The hint for an unknown `name`: the nearest of `known`, or all of them where none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"known: {', '.join(names)}" if names else ""
