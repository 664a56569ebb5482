"""An explanation of a generated line, as text and as JSON."""

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
class Reason:
    """A cause of a line. For a field that is not set, `line` is that of the key around it."""

    role: str
    line: Line | None = None
    field: str = ""
    is_set: bool = True


def as_text(line: Line, reasons: list[Reason]) -> str:
    """A line and its reasons, for people."""
    text = [str(line), f"  {line.text}"]
    for reason in reasons:
        place = f"{reason.role} {reason.line or ''} {reason.field}".rstrip()
        text.append(place if reason.is_set else f"{place} (by default)")
        if reason.line and reason.is_set:
            text.append(f"  {reason.line.text.strip()}")
    return "\n".join(map(printable, text))


def as_json(line: Line, reasons: list[Reason]) -> str:
    """A line and its reasons, for programs."""
    return json.dumps({"line": asdict(line), "reasons": [asdict(r) for r in reasons]}, indent=2)
