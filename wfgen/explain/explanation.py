"""What is said of a line of a generated file, for people and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from wfgen.findings import printable


@dataclass(frozen=True)
class Line:
    """A line of a file; `file` is seen from the repository's root, or from wfgen's."""

    file: str
    line: int
    text: str
    of_wfgen: bool = False
    """The file is not in the repository: it comes with wfgen."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}{' (of wfgen)' if self.of_wfgen else ''}"


@dataclass(frozen=True)
class Field:
    """A field of a spec; `line` is that of the spec itself where the field has its default."""

    line: Line
    name: str
    is_set: bool

    def __str__(self) -> str:
        return f"{self.line} {self.name}{'' if self.is_set else ' (by default)'}"


@dataclass(frozen=True)
class Reason:
    """Why a line is there as it is."""

    role: str
    """template, included by, only if, repeated for, value of, patch, or what else there is."""
    line: Line | None = None
    fields: tuple[Field, ...] = ()
    more: int = 0
    """Fields that are not named."""


@dataclass(frozen=True)
class Explanation:
    """A generated line, and all reasons for it."""

    line: Line
    reasons: tuple[Reason, ...]


def as_text(found: Explanation) -> str:
    """An explanation for people."""
    text = [str(found.line), f"  {found.line.text}"]
    for reason in found.reasons:
        text.append(f"{reason.role} {reason.line}".rstrip() if reason.line else reason.role)
        if reason.line and reason.line.text.strip():
            text.append(f"  {reason.line.text.strip()}")
        for field in reason.fields:
            text.append(f"    {field}")
            if field.is_set:
                text.append(f"      {field.line.text.strip()}")
        if reason.more:
            text.append(f"    and {reason.more} more")
    return "\n".join(map(printable, text))


def as_json(found: Explanation) -> str:
    """An explanation for programs."""
    return json.dumps(asdict(found), indent=2)
