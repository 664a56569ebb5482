"""Compare the files in the repository with the specs.

Writes nothing. Exit code: 0 if all files are up to date, 1 if a file differs.
"""

from __future__ import annotations

from wfgen.cli.console import FINDING_FORMATS, chosen_format, echo
from wfgen.cli.options import Directory, FindingFormat, NoCache, Quiet, Verbose, open_repository
from wfgen.errors import EXIT_CLEAN, EXIT_FINDINGS
from wfgen.generate.render import first_lock
from wfgen.locks import bumps, pins
from wfgen.report import github, text
from wfgen.report.formats import REPORTS
from wfgen.worktree import drift


def run(
    directory: Directory = None,
    format_: FindingFormat = None,
    quiet: Quiet = False,
    verbose: Verbose = False,  # noqa: ARG001 - `remembered` reads it
    no_cache: NoCache = False,
) -> int:
    name = chosen_format(format_, FINDING_FORMATS)
    report = REPORTS[name]
    repository = open_repository(directory, cache=not no_cache)
    files = repository.files()
    drifts, notes = drift.check(repository.root, files)
    if not drifts and (note := bumps.note(pins.load(repository.root) or "", first_lock())):
        notes.append(note)
    for note in notes:
        echo(report.note(note), error=name != "github")
    warnings = repository.warnings()
    if warnings and not report.IS_DOCUMENT:
        echo(report.findings(warnings), error=name != "github")
    if report.IS_DOCUMENT or drifts:
        echo(report.drifts(drifts, notes, warnings))
    summary = text.summary(drifts, len(files))
    blocks = [*github.drift_blocks(drifts), *github.finding_blocks(warnings)]
    github.write_page(f"wfgen check: {summary}", blocks, notes)
    if not report.IS_DOCUMENT:
        echo(summary, quiet and not drifts)
    if drifts:
        return EXIT_FINDINGS
    repository.remember()
    return EXIT_CLEAN
