"""Input and output of judges."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Finding:
    """A defect of a file; line and column count from 1."""

    file: str
    line: int
    column: int
    judge: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message} [{self.judge}: {self.rule}]"


@dataclass(frozen=True)
class Sample:
    """Files to judge, in a separate directory with everything that they refer to.

    `workflows` and `actions` are relative to `root`, below its `.github`.
    """

    root: Path
    workflows: tuple[str, ...]
    actions: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        return self.workflows + self.actions

    def read(self, file: str) -> str:
        return (self.root / file).read_text(encoding="utf-8")
