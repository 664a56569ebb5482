"""The errors that stop wfgen, and their exit codes. Findings that do not stop it are values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.findings import Diagnostic

EXIT_CLEAN = 0
"""Nothing to report."""
EXIT_FINDINGS = 1
"""Drift, or findings."""
EXIT_INVALID = 2
"""A mistake in the command line, a spec or a template."""
EXIT_DEFECT = 3
"""A defect of wfgen itself."""

EXIT_INTERRUPTED = 130
"""Ctrl-C, as shells have it."""


class WfgenError(Exception):
    """Stops a command; the message is for its user and says what to do."""

    exit_code = EXIT_INVALID


class InvalidSpecs(WfgenError):
    """The specs cannot be rendered. `diagnostics` holds every mistake found, sorted."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(sorted(set(diagnostics)))
        super().__init__(f"{len(self.diagnostics)} errors in the specs")
