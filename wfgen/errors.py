"""The errors that stop a command, and their exit codes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.findings import Diagnostic

EXIT_CLEAN = 0
"""Nothing to report."""
EXIT_FINDINGS = 1
"""Drift or findings."""
EXIT_INVALID = 2
"""An error in the command line, a spec or a template."""
EXIT_DEFECT = 3
"""Internal error."""
EXIT_INTERRUPTED = 130
"""Interrupted by Ctrl-C."""


class WfgenError(Exception):
    """Stops a command; the message says what is wrong and what to do."""

    exit_code = EXIT_INVALID


class InvalidSpecs(WfgenError):
    """The specs cannot be rendered. `diagnostics` has every finding, sorted."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(sorted(set(diagnostics)))
        super().__init__(f"{len(self.diagnostics)} errors in the specs")
