"""Finds the command, and turns every error into an exit code."""

from __future__ import annotations

import gc
import importlib
import sys
import traceback
from typing import TYPE_CHECKING, Annotated

import typer

from wfgen import __version__
from wfgen.cli.console import discard_output, echo, format_of_errors
from wfgen.errors import (
    EXIT_CLEAN,
    EXIT_DEFECT,
    EXIT_INTERRUPTED,
    EXIT_INVALID,
    InvalidSpecs,
    WfgenError,
)

if TYPE_CHECKING:
    from wfgen.report.formats import Report

COMMANDS = {
    "render": "Write every generated file and remove orphans.",
    "check": "Compare the files in the repository with the specs.",
    "validate": "Check the specs; with --output, the generated files as well.",
    "list": "List services, pipelines and generated files.",
    "explain": "Show which template line and spec fields made a line.",
    "history": "Show how the releases to an environment ended.",
    "new": "Write the first files of a new service.",
    "schema": "Print the JSON Schemas of the specs, for editors.",
    "simulate": "Show what the jobs do when some of them fail.",
    "verify": "Check the safety properties in every run of the pipelines.",
    "graph": "Draw a pipeline, and how a run of it ends.",
    "pins update": "Update the lock to the newest releases, or add actions.",
    "pins pull": "Copy into the lock what a bot bumped in generated files only.",
    "pins verify": "Check that each commit is the release that its comment names.",
}
"""Every command with its help in one line, so that a list of them imports none."""
GROUPS = {"pins": "Update, complete and verify the lock of actions."}


def application(arguments: list[str]) -> typer.Typer:
    """The commands, without the module of any but the one that `arguments` name.

    Where they name one, it has no other commands: each costs time.
    """
    app = typer.Typer(
        name="wfgen",
        help="Generates GitHub Actions delivery pipelines from one short spec per service.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_root_options)
    groups: dict[str, typer.Typer] = {}
    named = [name for name in COMMANDS if name.split() == arguments[: len(name.split())]]
    for name in named or COMMANDS:
        *above, command = name.split()
        for group in set(above) - set(groups):
            groups[group] = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
            app.add_typer(groups[group], name=group, help=GROUPS[group])
        add = groups[above[0]].command if above else app.command
        if named:
            module = importlib.import_module(".".join(["wfgen.cli.commands", *name.split()]))
            add(command, help=module.__doc__)(module.run)
        else:
            add(command, help=COMMANDS[name])(_not_imported)
    return app


def _not_imported() -> None:
    raise WfgenError("expected the command as the first argument")


def _root_options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        echo(f"wfgen {__version__}")
        raise typer.Exit


def main(arguments: list[str] | None = None) -> None:
    """Runs a command and exits with its code; the only place where errors become exit codes."""
    if arguments is None:
        gc.disable()  # a short process: collecting costs more time than it saves memory
        arguments = sys.argv[1:]
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if arguments[:1] in (["-C"], ["--directory"]):  # before the command, as with git
        arguments = [*arguments[2:], *arguments[:2]]
    code = run(arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """The exit code of a command line; messages go to standard output and error."""
    try:
        code = application(arguments)(arguments, standalone_mode=False)
    except InvalidSpecs as error:
        return _invalid_specs(error, arguments)
    except WfgenError as error:
        return _stop(str(error), arguments)
    except Exception as error:  # noqa: BLE001 - the one place that maps errors to exit codes
        return _exit_code(error, arguments)
    return code if isinstance(code, int) else EXIT_CLEAN


def _exit_code(error: Exception, arguments: list[str]) -> int:
    if isinstance(error, typer.Abort):  # Ctrl-C
        return EXIT_INTERRUPTED
    if hasattr(error, "format_message"):  # an error in the command line, found by typer
        message: str = error.format_message()
        usage = message.startswith("Usage:")  # no command: the help
        echo(message if usage else f"wfgen: {message}\nfor help, run `wfgen --help`", error=True)
        return EXIT_INVALID
    if isinstance(error, OSError):
        return _stop(f"{error.filename or 'wfgen'}: {error.strerror or error}", arguments)
    traceback.print_exception(error)
    echo("wfgen: internal error; please report it with the traceback above", error=True)
    return EXIT_DEFECT


def _invalid_specs(error: InvalidSpecs, arguments: list[str]) -> int:
    from wfgen.report import github  # only errors need it: it is slow to import

    report = _report(arguments)
    echo(report.errors(error.diagnostics), error=not report.IS_DOCUMENT)
    github.write_page("wfgen: errors in the specs", github.finding_blocks(error.diagnostics))
    return error.exit_code


def _stop(message: str, arguments: list[str]) -> int:
    from wfgen.report import github  # only errors need it: it is slow to import

    report = _report(arguments)
    echo(report.stopped(message), error=not report.IS_DOCUMENT)
    github.write_page("wfgen stopped", [github.Block("", "text", message)])
    return EXIT_INVALID


def _report(arguments: list[str]) -> Report:
    from wfgen.report.formats import REPORTS  # only errors need it: it is slow to import

    return REPORTS[format_of_errors(arguments)]
