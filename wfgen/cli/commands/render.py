"""Write every generated file and remove orphans.

An orphan is a file that wfgen generated before and that no spec generates now.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wfgen.cli.commands import check
from wfgen.cli.console import echo
from wfgen.cli.options import Directory, FindingFormat, Quiet, open_repository
from wfgen.errors import EXIT_CLEAN, EXIT_FINDINGS, WfgenError
from wfgen.findings import did_you_mean
from wfgen.generate.render import RenderedFile
from wfgen.locks import pins
from wfgen.report import text
from wfgen.worktree import drift

DryRun = Annotated[bool, typer.Option("--dry-run", help="List the changes; write nothing.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show the changes; write nothing.")]
Stdout = Annotated[bool, typer.Option("--stdout", help="Print the files; write nothing.")]
Check = Annotated[bool, typer.Option("--check", help="Same as `wfgen check`.")]
Only = Annotated[
    list[str] | None, typer.Option("--only", help="Only this file: its path or its name.")
]
OutDir = Annotated[Path | None, typer.Option("--out-dir", help="Write below this folder instead.")]
NoPrune = Annotated[bool, typer.Option("--no-prune", help="Keep orphans.")]
Force = Annotated[
    bool, typer.Option("--force", help="Overwrite files that wfgen did not generate.")
]
ExitCode = Annotated[
    bool, typer.Option("--exit-code", help="Exit with 1 where a file changed, or would change.")
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
) -> int:
    if check_only:
        return check.run(directory, format_, quiet)
    if stdout and (diff or dry_run):
        raise WfgenError("--stdout cannot be combined with --diff or --dry-run")
    repository = open_repository(directory)
    root, files = repository.root, repository.files()
    if only:
        files = _select(files, only)
    if stdout:
        for file in files:
            echo(f"==> {file.path} <==\n{file.text}")
        return EXIT_CLEAN
    orphans = not (no_prune or only or out_dir)
    target = out_dir or root
    if diff or dry_run:
        drifts = drift.compare(target, files, orphans=orphans)
        echo(text.preview(drifts, len(files)), quiet and not drifts)
        echo(text.diffs(drifts), not diff or not drifts)
    else:
        pins.refuse_faults(pins.load(root) or "")
        drifts = drift.update(target, files, orphans=orphans, force=force, complete=not only)
        for change in drifts:
            echo(f"{'removed' if change.expected is None else 'wrote'} {change.path}", quiet)
        echo(text.written(drifts) or text.summary([], len(files)), quiet)
    return EXIT_FINDINGS if exit_code and drifts else EXIT_CLEAN


def _select(files: tuple[RenderedFile, ...], names: list[str]) -> tuple[RenderedFile, ...]:
    """The files of these paths, or names with or without suffix (`production`).

    Raises `WfgenError` for a name that no file has.
    """
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
