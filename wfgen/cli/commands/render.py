"""Write every generated file and remove orphans.

An orphan is a file that wfgen generated before and that no spec generates now.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from wfgen.cli.commands import check
from wfgen.cli.console import FINDING_FORMATS, chosen_format, echo
from wfgen.cli.declared import Option
from wfgen.cli.options import Directory, FindingFormat, NoCache, Quiet, Verbose, open_repository
from wfgen.errors import EXIT_CLEAN, EXIT_FINDINGS, WfgenError
from wfgen.findings import Diagnostic, did_you_mean
from wfgen.generate.render import RenderedFile
from wfgen.locks import pins
from wfgen.report import github, text
from wfgen.worktree import drift
from wfgen.worktree.causes import Drift

DryRun = Annotated[bool, Option("--dry-run", help="List the changes; write nothing.")]
Diff = Annotated[bool, Option("--diff", help="Show the changes; write nothing.")]
Stdout = Annotated[bool, Option("--stdout", help="Print the files; write nothing.")]
Check = Annotated[bool, Option("--check", help="Same as `wfgen check`.")]
Only = Annotated[list[str] | None, Option("--only", help="Only this file: its path or its name.")]
OutDir = Annotated[Path | None, Option("--out-dir", help="Write below this folder instead.")]
NoPrune = Annotated[bool, Option("--no-prune", help="Keep orphans.")]
Force = Annotated[bool, Option("--force", help="Overwrite files that wfgen did not generate.")]
ExitCode = Annotated[
    bool, Option("--exit-code", help="Exit with 1 where a file changed, or would change.")
]


def run(
    directory: Directory = None,
    dry_run: DryRun = False,
    diff: Diff = False,
    stdout: Stdout = False,
    check_only: Check = False,
    only: Only = None,
    out_dir: OutDir = None,
    no_prune: NoPrune = False,
    force: Force = False,
    exit_code: ExitCode = False,
    format_: FindingFormat = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    no_cache: NoCache = False,
) -> int:
    if check_only:
        return check.run(directory, format_, quiet, verbose, no_cache)
    if stdout and (diff or dry_run):
        raise WfgenError("--stdout cannot be combined with --diff or --dry-run")
    repository = open_repository(directory, cache=not no_cache)
    root, files = repository.root, _select(repository.files(), only)
    _warn(repository.warnings(), format_)
    if stdout:
        for file in files:
            echo(f"==> {file.path} <==\n{file.text}")
        return EXIT_CLEAN
    orphans = not (no_prune or only or out_dir)
    target = out_dir or root
    if diff or dry_run:
        drifts = _preview(target, files, orphans=orphans, diff=diff, quiet=quiet)
    else:
        pins.refuse_faults(pins.load(root) or "")
        drifts = drift.update(target, files, orphans=orphans, force=force, complete=not only)
        for change in drifts:
            echo(f"{'removed' if change.expected is None else 'wrote'} {change.path}", quiet)
        echo(text.written(drifts) or text.summary([], len(files)), quiet)
        if not drifts:
            repository.remember()
    return EXIT_FINDINGS if exit_code and drifts else EXIT_CLEAN


def _warn(warnings: list[Diagnostic], format_: str | None) -> None:
    """Prints warnings, as annotations in GitHub Actions."""
    name = chosen_format(format_, FINDING_FORMATS)
    report = github if name == "github" else text
    if warnings:
        echo(report.findings(warnings), error=name != "github")


def _preview(
    target: Path, files: tuple[RenderedFile, ...], *, orphans: bool, diff: bool, quiet: bool
) -> list[Drift]:
    drifts = drift.compare(target, files, orphans=orphans)
    echo(text.preview(drifts, len(files)), quiet and not drifts)
    echo(text.diffs(drifts), not diff or not drifts)
    return drifts


def _select(files: tuple[RenderedFile, ...], names: list[str] | None) -> tuple[RenderedFile, ...]:
    """The files of these paths, or names with or without suffix (`production`); all without names.

    Raises `WfgenError` for a name that no file has.
    """
    if not names:
        return files
    by_name: dict[str, set[str]] = {}
    for file in files:
        for name in (file.path, Path(file.path).name, Path(file.path).stem):
            by_name.setdefault(name, set()).add(file.path)
    for name in names:
        if name not in by_name:
            hint = did_you_mean(name, by_name, "to list the files, run `wfgen list`")
            raise WfgenError(f"--only {name}: no such file; {hint}")
    paths = set().union(*(by_name[name] for name in names))
    return tuple(file for file in files if file.path in paths)
