"""What wfgen says: where to, and in which form."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from wfgen.errors import WfgenError

if TYPE_CHECKING:
    from wfgen.report.text import Format

FORMATS: tuple[Format, ...] = ("text", "json", "github")
WITH_SARIF: tuple[Format, ...] = (*FORMATS, "sarif")
"""The forms of commands that find something."""
_FINDING = ("check", "validate", "render", "verify")


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


def style(asked: str | None, forms: tuple[Format, ...] = FORMATS) -> Format:
    """The form that was asked for. Raises `WfgenError` for one that there is not."""
    from wfgen.report import text as report

    for known in forms:
        if asked == known:
            return known
    if asked is not None:
        expected = f"{', '.join(forms[:-1])} or {forms[-1]}"
        raise WfgenError(f"--format {asked}: expected {expected}")
    return report.default_format()


def style_of(arguments: list[str]) -> Format:
    """The form that a command line asks for, read without its parser: for errors."""
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--format":
            asked = value if equals else next(iter(arguments[index + 1 :]), None)
            forms = WITH_SARIF if arguments[0] in _FINDING else FORMATS
            return style(asked, forms) if asked in forms else "text"
    return style(None)


def is_document(form: Format) -> bool:
    """Whether a form is one document for a program, in which nothing else may stand."""
    return form in ("json", "sarif")
