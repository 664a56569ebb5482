"""Drift: a file that differs from what the specs generate, and why."""

from __future__ import annotations

import difflib
import enum
from dataclasses import dataclass

from wfgen.locks.bumps import Remark
from wfgen.text import header


class Cause(enum.Enum):
    """Why a file differs from what the specs generate; the value is the message."""

    MISSING = "missing"
    SPECS = "out of date: the specs changed"
    TEMPLATES = "out of date: the templates or wfgen changed"
    EDITED = "edited by hand"
    CONFLICT = "contains merge conflict markers"
    PINS = "only the action pins differ"
    ORPHAN = "orphaned: no spec generates this file"
    EDITED_ORPHAN = "orphaned and edited by hand: no spec generates this file"
    STRANGER = "unknown file among those of the release program, where Python may import it"
    FOREIGN = "blocked: a file that wfgen did not generate already exists"
    LINE_ENDS = "only the line endings differ (CRLF)"

    @property
    def needs_force(self) -> bool:
        """Whether only `--force` fixes it, since that deletes somebody's work."""
        return self in (Cause.FOREIGN, Cause.STRANGER, Cause.EDITED_ORPHAN)


@dataclass(frozen=True, slots=True)
class Drift:
    """A file that differs from what the specs generate."""

    path: str
    cause: Cause
    expected: str | None
    """The generated text; None where no spec generates the file."""
    actual: str | None
    """The text in the repository, line endings normalized; None where the file is missing."""
    remarks: tuple[Remark, ...] = ()
    """Messages about single lines: pins."""
    command: str = ""
    """The command that fixes it, where it is not `wfgen render`."""

    @property
    def remedy(self) -> str:
        """The command that fixes it."""
        if self.command:
            return self.command
        return f"{header.COMMAND} --force" if self.cause.needs_force else header.COMMAND

    @property
    def line(self) -> int:
        """The first line of the file in the repository that differs, from 1."""
        if self.remarks:
            return self.remarks[0].line
        if self.actual is None or self.expected is None or not self.change():
            return 1
        actual, expected = self.actual.split("\n"), self.expected.split("\n")
        pairs = enumerate(zip(actual, expected, strict=False))
        shorter = min(len(actual), len(expected)) - 1
        # Lines 1 to 3 are the header, which differs after almost every change.
        return 1 + next((i for i, (one, other) in pairs if one != other and i > 2), shorter)

    def diff(self) -> str:
        """A unified diff from the repository's text to the generated text."""
        actual = (self.actual or "").splitlines(keepends=True)
        expected = (self.expected or "").splitlines(keepends=True)
        names = (
            f"a/{self.path}" if self.actual is not None else "/dev/null",
            f"b/{self.path}" if self.expected is not None else "/dev/null",
        )
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in difflib.unified_diff(actual, expected, *names)
        )

    def change(self) -> str:
        """The removed and added lines without the header's: equal in files that changed alike."""
        lines = self.diff().splitlines()[2:]
        return "\n".join(
            line for line in lines if line[:1] in ("+", "-") and not header.belongs(line[1:])
        )
