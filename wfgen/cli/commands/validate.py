"""Check the specs; with --output, the generated files as well.

The generated files are checked against GitHub's schemas and wfgen's rules.
"""

from __future__ import annotations

from typing import Annotated

from wfgen.checks import github_schema
from wfgen.cli.console import FINDING_FORMATS, chosen_format, echo
from wfgen.cli.declared import Option
from wfgen.cli.options import Directory, FindingFormat, Quiet, open_repository
from wfgen.errors import EXIT_CLEAN, EXIT_FINDINGS
from wfgen.findings import Diagnostic
from wfgen.report.formats import REPORTS

Output = Annotated[bool, Option("--output", help="Check the generated files as well.")]


def run(
    directory: Directory = None,
    output: Output = False,
    format_: FindingFormat = None,
    quiet: Quiet = False,
) -> int:
    report = REPORTS[chosen_format(format_, FINDING_FORMATS)]
    repository = open_repository(directory)
    findings: list[Diagnostic] = []
    summary = f"{len(repository.project.files)} specs are valid"
    if output:
        files = repository.files()
        findings = github_schema.validate_files(files)
        summary += f"; {len(files)} files, {len(findings)} findings"
    if report.IS_DOCUMENT or findings:
        echo(report.findings(findings))
    echo(summary, quiet or report.IS_DOCUMENT)
    return EXIT_FINDINGS if findings else EXIT_CLEAN
