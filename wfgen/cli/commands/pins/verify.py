"""Check that each commit is the release that its comment names.

Asks each action's repository for its tags, with git. Exit code: 0 if all commits are those of
their tags, 1 if a commit is not.
"""

from __future__ import annotations

from typing import Annotated

from wfgen.cli.commands.pins import _lock
from wfgen.cli.console import chosen_format, echo
from wfgen.cli.declared import Option
from wfgen.cli.options import Directory, Format, Quiet, find_root
from wfgen.errors import EXIT_CLEAN, EXIT_FINDINGS
from wfgen.locks import pins, proofs, releases
from wfgen.report import github
from wfgen.report.formats import REPORTS

Since = Annotated[
    str | None,
    Option("--since", help="Only pins that changed since this commit. Default: all."),
]


def run(
    since: Since = None, directory: Directory = None, format_: Format = None, quiet: Quiet = False
) -> int:
    report = REPORTS[chosen_format(format_)]
    root = find_root(directory)
    locked = pins.read(_lock.read(root))
    chosen = list(locked.values()) if since is None else proofs.changed_since(root, since, locked)
    findings = proofs.prove(chosen, releases.ask(pin.repository for pin in chosen))
    if report.IS_DOCUMENT or findings:
        echo(report.findings(findings))
    summary = f"{len(chosen)} of {len(locked)} pins verified, {len(findings)} wrong"
    echo(summary, report.IS_DOCUMENT or (quiet and not findings))
    github.write_page(f"wfgen pins verify: {summary}", github.finding_blocks(findings))
    return EXIT_FINDINGS if findings else EXIT_CLEAN
