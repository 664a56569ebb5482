"""What wfgen says: where to, and in which form."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from wfgen.errors import WfgenError

if TYPE_CHECKING:
    from wfgen.report import Format

FORMATS: tuple[Format, ...] = ("text", "json", "github")


def say(text: str, unless: bool = False, *, error: bool = False) -> None:
    if unless:
        return
    try:
        print(text, file=sys.stderr if error else sys.stdout)
    except BrokenPipeError:
        hush()


def hush() -> None:
    """Nobody reads on: the rest goes nowhere, and the command ends as it would have."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def style(asked: str | None) -> Format:
    """The form that was asked for. Raises `WfgenError` for one that there is not."""
    from wfgen import report

    for known in FORMATS:
        if asked == known:
            return known
    if asked is not None:
        raise WfgenError(f"--format {asked}: expected text, json or github")
    return report.default_format()


def style_of(arguments: list[str]) -> Format:
    """The form that a command line asks for, read without its parser: for errors."""
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--format":
            asked = value if equals else next(iter(arguments[index + 1 :]), None)
            return style(asked) if asked in FORMATS else "text"
    return style(None)
