"""How commands declare their options and arguments, and the quick way to read a command line.

Importing and running typer takes longer than all other libraries together. It is only used where
a command line is not as simple as `quickly` expects, or wrong, or asks for help.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

_VALUES: dict[Any, Callable[[str], object]] = {
    Path | None: Path,
    str | None: str,
    str: str,
}
"""Types of options with one value, and how its text is converted."""


class Parameter:
    """An option or argument of a command; `settings` are those of `typer.Option`."""

    def __init__(self, *names: str, **settings: Any) -> None:
        self.names, self.settings = names, settings


class Option(Parameter):
    """Such as `-q`, or `--only <file>`."""


class Argument(Parameter):
    """Such as `<workflow>`; it has no names."""


def parameters(run: Callable[..., int]) -> dict[str, tuple[Any, Parameter]]:
    """The type and declaration of each parameter of a command's function."""
    hints = typing.get_type_hints(run, include_extras=True)
    return {
        name: (hints[name].__origin__, hints[name].__metadata__[0])
        for name in inspect.signature(run).parameters
    }


def quickly(run: Callable[..., int], arguments: list[str]) -> dict[str, object] | None:
    """The values for a command's function; None where typer must read the command line.

    Knows flags and options with one value, each given once.
    """
    options = {
        flag: (name, kind)
        for name, (kind, parameter) in parameters(run).items()
        for flag in parameter.names
    }
    values: dict[str, object] = {}
    left = iter(arguments)
    for argument in left:
        name, kind = options.get(argument, ("", None))
        if not name or name in values:
            return None
        if kind is bool:
            values[name] = True
        elif kind in _VALUES and (text := next(left, None)) is not None:
            values[name] = _VALUES[kind](text)
        else:
            return None
    defaults = {name: p.default for name, p in inspect.signature(run).parameters.items()}
    return {**defaults, **values} if inspect.Parameter.empty not in defaults.values() else None
