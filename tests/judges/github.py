"""GitHub's own code: the workflow parser and the language service (npm, @actions)."""

from __future__ import annotations

import json

from tests.judges.findings import Finding, Sample
from tests.judges.tools import run_node


def parse(sample: Sample) -> list[Finding]:
    """What GitHub would refuse to run. The parser knows workflows only, no actions."""
    if not sample.workflows:
        return []
    output = run_node("gha-parse.mjs", *sample.workflows, cwd=sample.root)
    return [
        Finding(found["file"], found["line"], found["column"], "parser", "parse", found["message"])
        for found in map(json.loads, output.splitlines())
    ]


def lint(sample: Sample) -> list[Finding]:
    """What GitHub's editor extension underlines, warnings included.

    It resolves `$/` and `./` references: missing files, inputs and secrets are found.
    """
    output = run_node("gha-lint.mjs", *sample.files, cwd=sample.root)
    return [
        Finding(
            found["file"],
            found["line"],
            found["column"],
            "language service",
            found["rule"] or found["severity"],
            found["message"],
        )
        for found in map(json.loads, output.splitlines())
        if found["severity"] in {"error", "warning"}
    ]
