"""Findings as SARIF 2.1.0, which GitHub's code scanning and other programs take.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support-for-code-scanning
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from wfgen import __version__
from wfgen.findings import Diagnostic
from wfgen.worktree.drift import Cause, Drift


def drifts(found: Iterable[tuple[Drift, str]], notes: Iterable[str] = ()) -> str:
    """Drifts, each with what is told of it."""
    results = [
        _result(f"drift-{_name(drift.cause)}", text, drift.path, drift.line)
        for drift, text in found
    ]
    rules = {f"drift-{_name(cause)}": cause.value for cause in Cause}
    return _document(results, rules, [("note", note) for note in notes])


def findings(found: Iterable[Diagnostic]) -> str:
    """Mistakes in specs and in what is rendered."""
    found = list(found)
    results = [
        _result(
            each.rule,
            f"{each.message}\n\nHint: {each.hint}" if each.hint else each.message,
            each.position.file,
            each.position.line,
            each.position.column,
        )
        for each in found
    ]
    return _document(results, {each.rule: each.rule.replace("-", " ") for each in found})


def stopped(message: str) -> str:
    """What stopped a command."""
    return _document([], {}, [("error", message)])


def _name(cause: Cause) -> str:
    return cause.name.lower().replace("_", "-")


def _result(rule: str, text: str, path: str, line: int, column: int = 1) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": quote(path), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": line, "startColumn": column},
    }
    return {
        "ruleId": rule,
        "level": "error",
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }


def _document(
    results: list[dict[str, Any]], rules: dict[str, str], told: Iterable[tuple[str, str]] = ()
) -> str:
    notifications = [{"level": level, "message": {"text": text}} for level, text in told]
    described = [{"id": rule, "shortDescription": {"text": rules[rule]}} for rule in sorted(rules)]
    run = {
        "tool": {"driver": {"name": "wfgen", "version": __version__, "rules": described}},
        "invocations": [
            {
                "executionSuccessful": all(each["level"] != "error" for each in notifications),
                "toolExecutionNotifications": notifications,
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
