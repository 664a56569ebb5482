"""The command line: what to do, and the exit code. Each command imports only what it needs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wfgen import __version__
from wfgen.errors import (
    EXIT_CLEAN,
    EXIT_DEFECT,
    EXIT_FINDINGS,
    EXIT_INVALID,
    InvalidSpecs,
    WfgenError,
)

if TYPE_CHECKING:
    from wfgen.repository import Repository

Directory = Annotated[
    Path | None,
    typer.Option("-C", "--directory", help="The repository; found by walking up from here."),
]
Format = Annotated[
    str | None,
    typer.Option("--format", help="text, json or github; github under GitHub Actions, else text."),
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
        list[str] | None, typer.Option("--only", help="Only files of this path or file name.")
    ] = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out-dir", help="Write below this folder instead.")
    ] = None,
    no_prune: Annotated[bool, typer.Option("--no-prune", help="Leave orphans.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite files that wfgen did not write.")
    ] = False,
    output: Format = None,
    quiet: Quiet = False,
) -> int:
    """Write every generated file, and remove those that no spec makes any more."""
    from wfgen import drift, report

    if check_only:
        return check(directory, output, quiet)
    repository = _open(directory)
    root, wanted = repository.root, repository.files()
    if only:
        from wfgen.repository import named

        wanted = named(wanted, only)
    if stdout:
        for file in wanted:
            _say(f"==> {file.path} <==\n{file.text}")
        return EXIT_CLEAN
    found = drift.compare(out_dir or root, wanted, orphans=not (no_prune or only or out_dir))
    if diff or dry_run:
        for each in found:
            _say(each.diff() if diff else f"{each.path}: {each.cause.value}")
        _say(f"{len(found)} of {len(wanted)} files would change", quiet)
        return EXIT_CLEAN
    done = drift.write(out_dir or root, found, force=force)
    for each in done:
        _say(f"{'removed' if each.wanted is None else 'wrote'} {each.path}", quiet)
    _say(report.summary([], len(wanted)), quiet)
    return EXIT_CLEAN


def check(directory: Directory = None, output: Format = None, quiet: Quiet = False) -> int:
    """Compare the committed files with the specs; write nothing. Exit 0 clean, 1 drift."""
    from wfgen import drift, report

    style = _style(output)
    repository = _open(directory)
    wanted = repository.files()
    found = drift.compare(repository.root, wanted)
    if style == "json" or found:
        _say(report.drifts(found, style))
    report.write_step_summary(found, len(wanted))
    if style != "json":
        _say(report.summary(found, len(wanted)), quiet and not found)
    return EXIT_FINDINGS if found else EXIT_CLEAN


def validate(
    directory: Directory = None,
    output: Annotated[
        bool, typer.Option("--output", help="Check the rendered files as well.")
    ] = False,
    quiet: Quiet = False,
) -> int:
    """Check the specs, and with --output what they make against GitHub's schema and our rules."""
    if not output:
        project = _open(directory).project
        _say(f"{len(project.files)} specs are sound", quiet)
        return EXIT_CLEAN
    from wfgen.validate import validate_files

    wanted = _open(directory).files()
    found = validate_files(wanted)
    for each in found:
        _say(str(each))
    _say(f"{len(wanted)} files, {len(found)} findings", quiet)
    return EXIT_FINDINGS if found else EXIT_CLEAN


def list_(directory: Directory = None, output: Format = None) -> int:
    """List services, pipelines and generated files, with the specs that each is made from."""
    from wfgen import listing

    _say(listing.listing(_open(directory).project, _style(output)))
    return EXIT_CLEAN


def new(
    name: Annotated[str, typer.Argument(help="Name of the service.")],
    kind: Annotated[str, typer.Option("--kind", help="client, server, redis or postgres.")],
    directory: Directory = None,
) -> int:
    """Write the spec of a new service, and a kustomize base where there is none."""
    from wfgen import scaffold

    for path in scaffold.scaffold(_root(directory), name, kind):
        _say(f"wrote {path}")
    _say("next: wfgen render, then commit")
    return EXIT_CLEAN


def schema(
    kind: Annotated[str | None, typer.Argument(help="project, or a kind; all by default.")] = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out-dir", help="Write one file per kind here.")
    ] = None,
) -> int:
    """Print the JSON Schemas of the specs, for editors."""
    from wfgen import schema as schemas

    _say(schemas.export(kind, out_dir))
    return EXIT_CLEAN


COMMANDS = {
    "render": render,
    "check": check,
    "validate": validate,
    "list": list_,
    "new": new,
    "schema": schema,
}


def application(commands: dict[str, Any]) -> typer.Typer:
    """A typer application of some commands: fewer are faster, each parameter costs time."""
    app = typer.Typer(
        name="wfgen",
        help="Short service specs in, complete and safe GitHub Actions delivery pipelines out.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, command in commands.items():
        app.command(name)(command)

    @app.callback(invoke_without_command=True)
    def _root_options(
        version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    ) -> None:
        if version:
            _say(f"wfgen {__version__}")
            raise typer.Exit

    return app


def main(arguments: list[str] | None = None) -> None:
    """Runs a command and exits with its code; the only place where errors become exit codes."""
    arguments = sys.argv[1:] if arguments is None else arguments
    named = {name: COMMANDS[name] for name in arguments[:1] if name in COMMANDS}
    sys.exit(run(named or COMMANDS, arguments))


def run(commands: dict[str, Any], arguments: list[str]) -> int:
    """The exit code of a command line; messages go to standard output and error."""
    try:
        code = application(commands)(arguments, standalone_mode=False)
    except InvalidSpecs as error:
        from wfgen import report

        _say(report.diagnostics(error.diagnostics, _style_of(arguments)), error=True)
        return error.exit_code
    except WfgenError as error:
        _say(f"wfgen: {error}", error=True)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the one place that maps errors to exit codes
        return _exit_code(error)
    return code if isinstance(code, int) else EXIT_CLEAN


def _exit_code(error: Exception) -> int:
    if hasattr(error, "format_message"):  # a mistake in the command line, in click's words
        _say(f"wfgen: {error.format_message()}\nTry wfgen --help.", error=True)
        return EXIT_INVALID
    if isinstance(error, BrokenPipeError):
        return EXIT_CLEAN
    import traceback

    traceback.print_exception(error)
    _say("wfgen: this is a defect of wfgen; please report it with the lines above", error=True)
    return EXIT_DEFECT


def _root(directory: Path | None) -> Path:
    """The folder that was named, or the first one upwards that has `specs/`."""
    start = (directory or Path.cwd()).resolve()
    if not start.is_dir():
        raise WfgenError(f"{directory} is no folder")
    folders = (start, *start.parents) if directory is None else (start,)
    return next((folder for folder in folders if (folder / "specs").is_dir()), start)


def _open(directory: Path | None) -> Repository:
    from wfgen.kustomize import Overlays

    root = _root(directory)
    overlays = Overlays(root).start()
    from wfgen import repository  # only now, while kustomize runs

    opened = repository.load(root, overlays)
    for note in opened.notes:
        _say(f"note: {note}", error=True)
    return opened


def _style(output: str | None) -> Any:
    from wfgen import report

    if output not in (None, "text", "json", "github"):
        raise WfgenError(f"--format {output}: expected text, json or github")
    return output or report.default_format()


def _style_of(arguments: list[str]) -> Any:
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--format":
            return value if equals else next(iter(arguments[index + 1 :]), "text")
    return _style(None)


def _say(text: str, unless: bool = False, *, error: bool = False) -> None:
    if not unless:
        print(text, file=sys.stderr if error else sys.stdout)
