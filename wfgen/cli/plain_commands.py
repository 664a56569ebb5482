"""The commands: what each does, and its exit code. Each imports only what it needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wfgen.cli.console import WITH_SARIF, is_document, say, style
from wfgen.errors import EXIT_CLEAN, EXIT_FINDINGS, WfgenError

if TYPE_CHECKING:
    from wfgen.cli.repository import Repository

Directory = Annotated[
    Path | None,
    typer.Option(
        "-C", "--directory", help="The repository; found by walking up from the current one."
    ),
]
Format = Annotated[
    str | None,
    typer.Option("--format", help="text, json or github; github under GitHub Actions, else text."),
]
FormatOfFindings = Annotated[
    str | None,
    typer.Option(
        "--format", help="text, json, github or sarif; github under GitHub Actions, else text."
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")]


def render(
    directory: Directory = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show the changes; write nothing.")] = False,
    stdout: Annotated[
        bool, typer.Option("--stdout", help="Print the files; write nothing.")
    ] = False,
    check_only: Annotated[bool, typer.Option("--check", help="The same as wfgen check.")] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Only this file: its path or its name.")
    ] = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out-dir", help="Write below this folder instead.")
    ] = None,
    no_prune: Annotated[bool, typer.Option("--no-prune", help="Leave orphans.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite files that wfgen did not write.")
    ] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 where a file changed, or would.")
    ] = False,
    output: FormatOfFindings = None,
    quiet: Quiet = False,
) -> int:
    """Write every generated file; remove orphans.

    An orphan is a file that wfgen wrote and that no spec makes any more.
    """
    from wfgen.locks import pins
    from wfgen.report import text as report
    from wfgen.worktree import drift

    if check_only:
        return check(directory, output, quiet)
    if stdout and (diff or dry_run):
        raise WfgenError("--stdout prints the files, --diff and --dry-run the changes: give one")
    repository = open_repository(directory)
    root, wanted = repository.root, repository.files()
    if only:
        from wfgen.cli.repository import named

        wanted = named(wanted, only)
    if stdout:
        for file in wanted:
            say(f"==> {file.path} <==\n{file.text}")
        return EXIT_CLEAN
    orphans = not (no_prune or only or out_dir)
    target = out_dir or root
    if diff or dry_run:
        found = drift.compare(target, wanted, orphans=orphans)
        say(report.radius(found, len(wanted)), quiet and not found)
        say(report.diffs(found), not diff or not found)
    else:
        pins.refuse_faults(pins.load(root) or "")
        found = drift.mend(target, wanted, orphans=orphans, force=force, whole=not only)
        for each in found:
            say(f"{'removed' if each.wanted is None else 'wrote'} {each.path}", quiet)
        say(report.summary([], len(wanted)), quiet)
    return EXIT_FINDINGS if exit_code and found else EXIT_CLEAN


def check(
    directory: Directory = None, output: FormatOfFindings = None, quiet: Quiet = False
) -> int:
    """Compare the files with the specs.

    Nothing is written. Exit code 0 where all is as the specs say, 1 where a file differs.
    """
    from wfgen.generate.render import first_lock
    from wfgen.locks import bumps, pins
    from wfgen.report import text as report
    from wfgen.worktree import drift

    form = style(output, WITH_SARIF)
    repository = open_repository(directory)
    wanted = repository.files()
    found, notes = drift.examine(repository.root, wanted)
    if not found and (note := bumps.note(pins.load(repository.root) or "", first_lock())):
        notes.append(note)
    for note in notes:
        say(report.note(note, form), error=form != "github")
    if is_document(form) or found:
        say(report.drifts(found, form, notes))
    summary = report.summary(found, len(wanted))
    page = report.drift_blocks(found)
    report.write_step_summary(f"wfgen check: {summary}", page, notes)
    if not is_document(form):
        say(summary, quiet and not found)
    return EXIT_FINDINGS if found else EXIT_CLEAN


def validate(
    directory: Directory = None,
    output: Annotated[
        bool, typer.Option("--output", help="Check the rendered files as well.")
    ] = False,
    format_: FormatOfFindings = None,
    quiet: Quiet = False,
) -> int:
    """Check the specs, and what they make.

    With --output, the rendered files are held against GitHub's schemas and our rules.
    """
    from wfgen.findings import Diagnostic
    from wfgen.report import text as report

    form = style(format_, WITH_SARIF)
    repository = open_repository(directory)
    found: list[Diagnostic] = []
    said = f"{len(repository.project.files)} specs are sound"
    if output:
        from wfgen.checks.github_schema import validate_files

        wanted = repository.files()
        found = validate_files(wanted)
        said += f"; {len(wanted)} files, {len(found)} findings"
    if is_document(form) or found:
        say(report.findings(found, form))
    say(said, quiet or is_document(form))
    return EXIT_FINDINGS if found else EXIT_CLEAN


def list_(directory: Directory = None, output: Format = None) -> int:
    """List services, pipelines and files.

    Each generated file is shown with the specs that it is made from.
    """
    from wfgen.report import listing
    from wfgen.specs import loading as spec

    form = style(output)
    say(listing.listing(spec.load(root_of(directory)), form))
    return EXIT_CLEAN


def explain(
    place: Annotated[str, typer.Argument(metavar="FILE:LINE", help="A line of a generated file.")],
    directory: Directory = None,
    output: Format = None,
) -> int:
    """Say what made a line: the template's line, the spec's fields.

    Conditions and loops around the line, fields that it is made of, patches.
    """
    from wfgen.explain import explanation
    from wfgen.explain import lines as explain
    from wfgen.specs import loading as spec

    form = style(output)
    found = explain.explain(spec.load(root_of(directory)), place)
    say(explanation.as_json(found) if form == "json" else explanation.as_text(found))
    return EXIT_CLEAN


def history(
    environment: Annotated[str, typer.Argument(help="The environment.")],
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="So many, at most.")] = 20,
    directory: Directory = None,
    output: Format = None,
) -> int:
    """Show how the releases of an environment ended.

    Read from the tags in this clone; git fetch --tags brings those that are missing.
    """
    from wfgen.report import history as trail
    from wfgen.specs import loading as spec

    form = style(output)
    say(trail.history(spec.load(root_of(directory)), environment, limit, form))
    return EXIT_CLEAN


def new(
    name: Annotated[str, typer.Argument(help="Name of the service.")],
    kind: Annotated[str, typer.Option("--kind", help="client, server, redis or postgres.")],
    directory: Directory = None,
) -> int:
    """Write the first files of a new service.

    Its spec, a kustomize base, its place in the overlays and, where there is none, a first
    program with a Dockerfile. All of them are written, or none.
    """
    from wfgen.adopt import scaffold
    from wfgen.specs.loading import PROJECT_FILE

    root = root_of(directory)
    for path in scaffold.scaffold(root, name, kind):
        say(f"wrote {path}")
    if not (root / PROJECT_FILE).is_file():
        say(f"next: write {PROJECT_FILE}: what the project is called, its registry, environments")
    say("next: wfgen render, then commit all of it")
    return EXIT_CLEAN


def schema(
    kind: Annotated[str | None, typer.Argument(help="project, or a kind; all by default.")] = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out-dir", help="Write one file per kind here.")
    ] = None,
) -> int:
    """Print the JSON Schemas of the specs, for editors."""
    from wfgen.specs import schema as schemas

    say(schemas.export(kind, out_dir))
    return EXIT_CLEAN


COMMANDS = {
    "render": render,
    "check": check,
    "validate": validate,
    "list": list_,
    "explain": explain,
    "history": history,
    "new": new,
    "schema": schema,
}


def root_of(directory: Path | None) -> Path:
    """The folder that was named, or the first one upwards that has specs."""
    start = (directory or Path.cwd()).resolve()
    if not start.is_dir():
        raise WfgenError(f"{directory} is no folder")
    folders = (start, *start.parents) if directory is None else (start,)
    # A folder of an application may have other `specs/`.
    for sign in ("specs/project.yaml", "specs"):
        for folder in folders:
            if (folder / sign).exists():
                return folder
    return start


def open_repository(directory: Path | None) -> Repository:
    """The repository with its specs read and its overlays looked at; says the notes on it."""
    from wfgen.specs.kustomize import Overlays

    root = root_of(directory)
    overlays = Overlays(root).start()
    from wfgen.cli import repository  # only now, while kustomize runs

    try:
        opened = repository.load(root, overlays)
    finally:
        overlays.stop()
    for note in opened.notes:
        say(f"note: {note}", error=True)
    return opened
