"""Finds the command, and turns every error into an exit code."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

from wfgen.cli import declared
from wfgen.cli.commands import command_named, module_of
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


def main(arguments: list[str] | None = None) -> None:
    """Runs a command and exits with its code; the only place where errors become exit codes."""
    if arguments is None:
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
        code = _run(arguments)
    except InvalidSpecs as error:
        return _invalid_specs(error, arguments)
    except WfgenError as error:
        return _stop(str(error), arguments)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one place that maps errors to exit codes
        return _exit_code(error, arguments)
    return code if isinstance(code, int) else EXIT_CLEAN


def _run(arguments: list[str]) -> object:
    if command := command_named(arguments):
        run = module_of(command).run
        values = declared.quickly(run, arguments[len(command.split()) :])
        if values is not None:
            return run(**values)
    from wfgen.cli.typed import application  # slow to import, as declared.py says

    return application(command)(arguments, standalone_mode=False)


def _exit_code(error: Exception, arguments: list[str]) -> int:
    if type(error).__name__ == "Abort":  # typer's, for Ctrl-C
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
