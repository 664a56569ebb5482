"""Check the safety properties in every run of the pipelines.

Simulates each generated pipeline in the repository with every outcome of every job. Where a
property does not hold, prints a command that shows the smallest counterexample.
Exit code: 0 if all properties hold, 1 if not.
"""

from __future__ import annotations

from typing import Annotated

from wfgen.checks import proof
from wfgen.cli.commands._workflow import open_workflow
from wfgen.cli.console import FINDING_FORMATS, chosen_format, echo
from wfgen.cli.declared import Option
from wfgen.cli.options import Directory, FindingFormat, Quiet, find_root
from wfgen.errors import EXIT_CLEAN, EXIT_FINDINGS
from wfgen.report import github
from wfgen.report.formats import REPORTS

Workflows = Annotated[
    list[str] | None,
    Option("--workflow", help="Any workflow, with the roles of its jobs in comments."),
]


def run(
    directory: Directory = None,
    workflow: Workflows = None,
    format_: FindingFormat = None,
    quiet: Quiet = False,
) -> int:
    report = REPORTS[chosen_format(format_, FINDING_FORMATS)]
    root = find_root(directory)
    if workflow:
        pipelines = tuple(open_workflow(root, name) for name in workflow)
        proof.demand_roles(pipelines)
    else:
        pipelines = proof.generated(root)
    result = proof.prove(pipelines)
    if report.IS_DOCUMENT or result.broken:
        echo(report.proof(result))
    summary = proof.summary(result)
    github.write_page(f"wfgen verify: {summary[-1]}", github.proof_blocks(result))
    if not report.IS_DOCUMENT:
        echo("\n".join(summary), quiet)
    return EXIT_FINDINGS if result.broken else EXIT_CLEAN
