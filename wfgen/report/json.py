"""Output for programs: one JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from wfgen.findings import Diagnostic
from wfgen.report import text
from wfgen.worktree.causes import Drift

if TYPE_CHECKING:
    from wfgen.checks.proof import Proof

IS_DOCUMENT = True
note = text.note


def findings(diagnostics: Iterable[Diagnostic]) -> str:
    """Findings under `errors`."""
    return _dump({"errors": [_finding(diagnostic) for diagnostic in diagnostics]})


errors = findings


def stopped(message: str) -> str:
    """The error that stopped a command, under `errors`."""
    return _dump({"errors": [{"message": message}]})


def drifts(
    drifts: list[Drift], notes: Iterable[str] = (), warnings: Iterable[Diagnostic] = ()
) -> str:
    """Files that differ under `drift`, `notes`, and `warnings`, which do not fail a check."""
    shown = {"drift": [_drift(drift) for drift in drifts], "notes": list(notes)}
    return _dump({**shown, "warnings": [_finding(warning) for warning in warnings]})


def proof(proof: Proof) -> str:
    """What was tried, and the properties that do not hold under `errors`."""
    tried = [{"workflow": tried.workflow, "runs": dict(tried.runs)} for tried in proof.tried]
    broken = [
        {**_finding(example.diagnostic()), "property": example.property, "command": example.command}
        for example in proof.broken
    ]
    rules = [{"rule": rule.name, "page": rule.page} for rule in proof.documented]
    return _dump({"runs": proof.runs, "tried": tried, "documented_only": rules, "errors": broken})


def _drift(drift: Drift) -> dict[str, Any]:
    return {
        "path": drift.path,
        "cause": drift.cause.name.lower(),
        "message": drift.cause.value,
        "line": drift.line,
        "remedy": drift.remedy,
        "remarks": [{"line": remark.line, "message": remark.message} for remark in drift.remarks],
        "diff": drift.diff(),
    }


def _finding(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "file": diagnostic.position.file,
        "line": diagnostic.position.line,
        "column": diagnostic.position.column,
        "message": diagnostic.message,
        "rule": diagnostic.rule,
        "hint": diagnostic.hint,
    }


def _dump(tree: dict[str, Any]) -> str:
    return json.dumps(tree, indent=2)
