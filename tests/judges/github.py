"""GitHub's workflow parser and language service (npm, @actions)."""

from __future__ import annotations

import json

from tests.judges.findings import Finding, Sample
from tests.judges.tools import run_node


def parse(sample: Sample) -> list[Finding]:
    """Errors for which GitHub refuses to run a workflow. The parser does not read actions."""
    if not sample.workflows:
        return []
    output = run_node("gha-parse.mjs", *sample.workflows, cwd=sample.root)
    return [
        Finding(error["file"], error["line"], error["column"], "parser", "parse", error["message"])
        for error in map(json.loads, output.splitlines())
    ]


def lint(sample: Sample) -> list[Finding]:
    """The errors and warnings of GitHub's editor extension.

    It resolves `$/` and `./` references, and so finds missing files, inputs and secrets.
    """
    output = run_node("gha-lint.mjs", *sample.files, cwd=sample.root)
    return [
        Finding(
            error["file"],
            error["line"],
            error["column"],
            "language service",
            error["rule"] or error["severity"],
            error["message"],
        )
        for error in map(json.loads, output.splitlines())
        if error["severity"] in {"error", "warning"}
    ]
