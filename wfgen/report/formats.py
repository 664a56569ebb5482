"""The formats of findings, drift and proofs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, Protocol

from wfgen.findings import Diagnostic
from wfgen.report import github, json, sarif, text
from wfgen.worktree.causes import Drift

if TYPE_CHECKING:
    from wfgen.checks.proof import Proof

Format = Literal["text", "json", "github", "sarif"]


class Report(Protocol):
    """The functions that each format's module has; each returns what is printed."""

    IS_DOCUMENT: bool
    """Whether the output is one document for a program, to which nothing can be added."""

    def findings(self, diagnostics: Iterable[Diagnostic], /) -> str: ...
    def errors(self, diagnostics: Iterable[Diagnostic], /) -> str: ...
    def stopped(self, message: str, /) -> str: ...
    def note(self, text: str, /) -> str: ...
    def drifts(
        self, drifts: list[Drift], notes: Iterable[str], warnings: Iterable[Diagnostic], /
    ) -> str: ...
    def proof(self, proof: Proof, /) -> str: ...


REPORTS: dict[Format, Report] = {"text": text, "json": json, "github": github, "sarif": sarif}
