"""The functions of expressions that need only their arguments.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#functions
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from wfgen.actions.expressions.errors import ExpressionError
from wfgen.actions.expressions.values import (
    Value,
    equals,
    fold,
    from_json,
    is_primitive,
    to_json,
    to_string,
)

MANY = 255
STATUS = ("always", "cancelled", "failure", "success")
"""The functions whose value depends on the run."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function, with the least and most arguments that it takes."""

    least: int
    most: int
    call: Callable[..., Value]


def contains(search: Value, item: Value) -> bool:
    """Whether a string contains another, ignoring case, or a list an equal item."""
    if isinstance(search, list):
        return any(equals(item, member) for member in search)
    if not is_primitive(search) or not is_primitive(item):
        return False
    return to_string(item).lower() in to_string(search).lower()


def starts_with(text: Value, start: Value) -> bool:
    """Ignores case; false for containers."""
    if not is_primitive(text) or not is_primitive(start):
        return False
    return fold(to_string(text)).startswith(fold(to_string(start)))


def ends_with(text: Value, end: Value) -> bool:
    """Ignores case; false for containers."""
    if not is_primitive(text) or not is_primitive(end):
        return False
    return fold(to_string(text)).endswith(fold(to_string(end)))


FIELD = re.compile(r"\{\{|\}\}|\{(?P<index>[0-9]+)[^}]*\}|[{}]")


def format_text(template: Value, *arguments: Value) -> str:
    """Replaces {0}, {1}, ... by arguments; {{ and }} are braces."""
    text = to_string(template)

    def replace(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match["index"] is None:
            raise ExpressionError("value", f"not a format: {text!r}")
        if int(match["index"]) >= len(arguments):
            raise ExpressionError("value", f"more fields than arguments: {text!r}")
        return to_string(arguments[int(match["index"])])

    return FIELD.sub(replace, text)


def join(items: Value, separator: Value = ",") -> str:
    """The items of a list as one string; a single value as its string."""
    if isinstance(items, list):
        between = to_string(separator) if is_primitive(separator) else ","
        return between.join(map(to_string, items))
    return to_string(items) if is_primitive(items) else ""


def parse_json(text: Value) -> Value:
    """Raises `ExpressionError` for a text that is empty or not JSON."""
    try:
        return from_json(to_string(text))
    except ValueError as error:
        raise ExpressionError("value", f"not JSON: {to_string(text)!r}") from error


def case(*arguments: Value) -> Value:
    """The value after the first condition that is true; otherwise the last value."""
    for condition, value in zip(arguments[:-1:2], arguments[1::2], strict=True):
        if not isinstance(condition, bool):
            raise ExpressionError("value", "a condition of case() is neither true nor false")
        if condition:
            return value
    return arguments[-1]


def _unknown(name: str) -> Callable[..., Value]:
    def call(*_: Value) -> Value:
        raise ExpressionError("value", f"{name}() has a value only on a runner")

    return call


FUNCTIONS = {
    "contains": Function(2, 2, contains),
    "startswith": Function(2, 2, starts_with),
    "endswith": Function(2, 2, ends_with),
    "format": Function(1, MANY, format_text),
    "join": Function(1, 2, join),
    "tojson": Function(1, 1, to_json),
    "fromjson": Function(1, 1, parse_json),
    "case": Function(3, 2**53, case),
    "hashfiles": Function(1, MANY, _unknown("hashFiles")),
    "always": Function(0, 0, _unknown("always")),
    "cancelled": Function(0, 0, _unknown("cancelled")),
    "failure": Function(0, MANY, _unknown("failure")),
    "success": Function(0, MANY, _unknown("success")),
}
"""All functions, by lower-case name; callers of `evaluate` pass those that depend on a run."""
