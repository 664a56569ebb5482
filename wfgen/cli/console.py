"""Output of commands: where it goes and in which format."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from wfgen.errors import WfgenError

if TYPE_CHECKING:
    from wfgen.report.formats import Format

FORMATS: tuple[Format, ...] = ("text", "json", "github")
FINDING_FORMATS: tuple[Format, ...] = (*FORMATS, "sarif")
"""The formats of commands that report findings."""
_FINDING_COMMANDS = ("check", "validate", "render", "verify")


printed: list[tuple[bool, str]] = []
"""The texts that this process printed, and whether to standard error."""


def echo(text: str, quiet: bool = False, *, error: bool = False) -> None:
    """Prints a text, unless `quiet`; with `error` to standard error."""
    if quiet:
        return
    printed.append((error, text))
    try:
        print(text, file=sys.stderr if error else sys.stdout)
    except BrokenPipeError:
        discard_output()


def discard_output() -> None:
    """Discards further output: nobody reads it, and the exit code must stay what it would be."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def chosen_format(option: str | None, formats: tuple[Format, ...] = FORMATS) -> Format:
    """The format that `--format` names; without it, `github` under GitHub Actions, else `text`.

    Raises `WfgenError` for an unknown one.
    """
    for known in formats:
        if option == known:
            return known
    if option is not None:
        expected = f"{', '.join(formats[:-1])} or {formats[-1]}"
        raise WfgenError(f"--format {option}: expected {expected}")
    return "github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text"


def format_of_errors(arguments: list[str]) -> Format:
    """The format of an error that stops a command, whose options may not have been parsed."""
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--format":
            option = value if equals else next(iter(arguments[index + 1 :]), None)
            formats = FINDING_FORMATS if arguments[0] in _FINDING_COMMANDS else FORMATS
            return chosen_format(option, formats) if option in formats else "text"
    return chosen_format(None)
