"""The command line: finds the command, and turns every error into an exit code."""

from __future__ import annotations

import gc
import sys
from typing import Annotated, Any

import typer

from wfgen import __version__
from wfgen.cli.analysis_commands import ANALYSIS_COMMANDS
from wfgen.cli.console import hush, is_document, say, style_of
from wfgen.cli.pin_commands import PIN_COMMANDS
from wfgen.cli.plain_commands import COMMANDS as PLAIN_COMMANDS
from wfgen.errors import (
    EXIT_CLEAN,
    EXIT_DEFECT,
    EXIT_INTERRUPTED,
    EXIT_INVALID,
    InvalidSpecs,
    WfgenError,
)

__all__ = ["COMMANDS", "application", "main", "run"]

COMMANDS: dict[str, Any] = {
    **PLAIN_COMMANDS,
    "pins": PIN_COMMANDS,
    **ANALYSIS_COMMANDS,
}
"""Each command by its name; a mapping where it has commands of its own."""
_GROUPS = {"pins": "The lock of actions: update, pull, verify."}


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
        if isinstance(command, dict):
            app.add_typer(_group(command), name=name, help=_GROUPS[name])
        else:
            app.command(name)(command)

    @app.callback(invoke_without_command=True)
    def _root_options(
        version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    ) -> None:
        if version:
            say(f"wfgen {__version__}")
            raise typer.Exit

    return app


def _group(commands: dict[str, Any]) -> typer.Typer:
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    for name, command in commands.items():
        group.command(name)(command)
    return group


def main(arguments: list[str] | None = None) -> None:
    """Runs a command and exits with its code; the only place where errors become exit codes."""
    if (
        arguments is None
    ):  # a short process of its own: looking for garbage costs more than it frees
        gc.disable()
        arguments = sys.argv[1:]
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if arguments[:1] in (["-C"], ["--directory"]):  # before the command, as git has it
        arguments = [*arguments[2:3], *arguments[:2], *arguments[3:]]
    named = {name: COMMANDS[name] for name in arguments[:1] if name in COMMANDS}
    code = run(named or COMMANDS, arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        hush()
    sys.exit(code)


def run(commands: dict[str, Any], arguments: list[str]) -> int:
    """The exit code of a command line; messages go to standard output and error."""
    try:
        code = application(commands)(arguments, standalone_mode=False)
    except InvalidSpecs as error:
        from wfgen.report import text as report

        style = style_of(arguments)
        say(report.diagnostics(error.diagnostics, style), error=not is_document(style))
        text = report.diagnostics(error.diagnostics, "text")
        report.write_step_summary("wfgen: errors in the specs", [("", "text", text)])
        return error.exit_code
    except WfgenError as error:
        return _stop(str(error), arguments)
    except Exception as error:  # noqa: BLE001 - the one place that maps errors to exit codes
        return _exit_code(error, arguments)
    return code if isinstance(code, int) else EXIT_CLEAN


def _exit_code(error: Exception, arguments: list[str]) -> int:
    if isinstance(error, typer.Abort):  # Ctrl-C
        return EXIT_INTERRUPTED
    if hasattr(error, "format_message"):  # a mistake in the command line, in click's words
        message: str = error.format_message()
        usage = message.startswith("Usage:")  # no command at all: the help
        say(message if usage else f"wfgen: {message}\nTry wfgen --help.", error=True)
        return EXIT_INVALID
    if isinstance(error, OSError):
        return _stop(f"{error.filename or 'wfgen'}: {error.strerror or error}", arguments)
    import traceback

    traceback.print_exception(error)
    say("wfgen: this is a defect of wfgen; please report it with the lines above", error=True)
    return EXIT_DEFECT


def _stop(message: str, arguments: list[str]) -> int:
    from wfgen.report import text as report

    style = style_of(arguments)
    say(report.stopped(message, style), error=not is_document(style))
    report.write_step_summary("wfgen stopped", [("", "text", message)])
    return EXIT_INVALID
