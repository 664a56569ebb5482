"""An explanation of a generated line, as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from wfgen.findings import printable


@dataclass(frozen=True)
class Line:
    """A line of a file; `file` is relative to the repository, or to wfgen's own root."""

    file: str
    line: int
    text: str
    of_wfgen: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}{' (of wfgen)' if self.of_wfgen else ''}"


@dataclass(frozen=True)
class Field:
    """A field of a spec. Where it is not set, `line` is that of the nearest key above it."""

    line: Line
    name: str
    is_set: bool


@dataclass(frozen=True)
class Reason:
    """One cause of a line, and the fields that it depends on."""

    role: str
    line: Line | None = None
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """A generated line and its causes, the nearest first."""

    line: Line
    reasons: tuple[Reason, ...]


def as_text(explanation: Explanation) -> str:
    """An explanation for people."""
    text = [str(explanation.line), f"  {explanation.line.text}"]
    for reason in explanation.reasons:
        text.append(f"{reason.role} {reason.line or ''}".rstrip())
        if reason.line and reason.line.text.strip():
            text.append(f"  {reason.line.text.strip()}")
        for field in reason.fields:
            text.append(f"    {field.line} {field.name}{'' if field.is_set else ' (by default)'}")
            if field.is_set:
                text.append(f"      {field.line.text.strip()}")
    return "\n".join(map(printable, text))


def as_json(explanation: Explanation) -> str:
    """An explanation for programs."""
    return json.dumps(asdict(explanation), indent=2)
