"""Output as SARIF 2.1.0, which GitHub's code scanning and other programs read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support-for-code-scanning
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from wfgen import __version__
from wfgen.findings import Diagnostic
from wfgen.report import text
from wfgen.worktree.causes import Cause, Drift

if TYPE_CHECKING:
    from wfgen.checks.proof import Proof

IS_DOCUMENT = True
_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
note = text.note


def findings(diagnostics: Iterable[Diagnostic]) -> str:
    """Findings as results."""
    diagnostics = list(diagnostics)
    rules = {finding.rule: finding.rule.replace("-", " ") for finding in diagnostics}
    return _document(map(_finding, diagnostics), rules)


errors = findings


def stopped(message: str) -> str:
    """The error that stopped a command, as a notification of the tool."""
    return _document([], {}, [("error", message)])


def drifts(
    drifts: list[Drift], notes: Iterable[str] = (), warnings: Iterable[Diagnostic] = ()
) -> str:
    """Files that differ, and warnings, as results; notes as notifications of the tool."""
    rules = {_rule(cause): cause.value for cause in Cause}
    warnings = list(warnings)
    rules |= {finding.rule: finding.rule.replace("-", " ") for finding in warnings}
    results = [*map(_drift, drifts), *map(_finding, warnings)]
    return _document(results, rules, [("note", note) for note in notes])


def proof(proof: Proof) -> str:
    """The properties that do not hold as results."""
    return findings(counterexample.diagnostic() for counterexample in proof.broken)


def _finding(diagnostic: Diagnostic) -> dict[str, Any]:
    place = diagnostic.position
    hint = f"\n\nHint: {diagnostic.hint}" if diagnostic.hint else ""
    message = diagnostic.message + hint
    result = _result(diagnostic.rule, message, place.file, place.line, place.column)
    return {**result, "level": diagnostic.severity}


def _drift(drift: Drift) -> dict[str, Any]:
    remarks = [f"  {message}" for message in text.remarks_of(drift)]
    message = "\n".join([text.title([drift]), *remarks, "", text.shortened_diff(drift)])
    return _result(_rule(drift.cause), message, drift.path, drift.line)


def _rule(cause: Cause) -> str:
    return f"drift-{cause.name.lower().replace('_', '-')}"


def _result(rule: str, message: str, path: str, line: int, column: int = 1) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": quote(path), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": line, "startColumn": column},
    }
    return {
        "ruleId": rule,
        "level": "error",
        "message": {"text": message},
        "locations": [{"physicalLocation": place}],
    }


def _document(
    results: Iterable[dict[str, Any]],
    rules: dict[str, str],
    notifications: Iterable[tuple[str, str]] = (),
) -> str:
    """A document of one run; notifications are pairs of level and message."""
    notified = [{"level": level, "message": {"text": text}} for level, text in notifications]
    described = [{"id": rule, "shortDescription": {"text": rules[rule]}} for rule in sorted(rules)]
    run = {
        "tool": {"driver": {"name": "wfgen", "version": __version__, "rules": described}},
        "invocations": [
            {
                "executionSuccessful": all(entry["level"] != "error" for entry in notified),
                "toolExecutionNotifications": notified,
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": list(results),
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)
