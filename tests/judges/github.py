"""GitHub's workflow parser and language service (npm, @actions)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from tests.judges.findings import Finding, Sample
from tests.judges.tools import run_node

PARSER = "@actions/workflow-parser"
OLDER_PARSER = "older-workflow-parser"
"""Release 0.3.46, the newest one without `queue` in `concurrency` and `deployment` in
`environment`: no release is published for a version of GitHub Enterprise Server.
"""


def parse(sample: Sample) -> list[Finding]:
    """Errors for which GitHub refuses to run a workflow. The parser does not read actions."""
    return list(_parse(sample, PARSER, "parser"))


def parse_as_older(sample: Sample) -> list[Finding]:
    """Errors of an older parser, which stands for that of a GitHub Enterprise Server.

    No release of the parser reads the `uses` of a step: a `$/` there is a finding as well.
    """
    findings = list(_parse(sample, OLDER_PARSER, "older parser"))
    for file in sample.files:
        for number, line in enumerate(sample.read(file).splitlines(), 1):
            if match := re.match(r" *(?:- )?uses: \$/", line):
                message = "`$` is not a repository"
                column = match.end() - 1
                findings.append(Finding(file, number, column, "older parser", "uses", message))
    return findings


def _parse(sample: Sample, parser: str, judge: str) -> Iterator[Finding]:
    if not sample.workflows:
        return
    output = run_node("gha-parse.mjs", parser, *sample.workflows, cwd=sample.root)
    for error in map(json.loads, output.splitlines()):
        line, column = error["line"], error["column"]
        yield Finding(error["file"], line, column, judge, "parse", error["message"])


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
