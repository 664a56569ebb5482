"""The functions of expressions that need nothing but their arguments.

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
"""The functions that only a run can answer."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function by its lower name, how many arguments it takes, and what it does."""

    least: int
    most: int
    call: Callable[..., Value]


def contains(search: Value, item: Value) -> bool:
    """Whether a text has another in it, in any case, or a list an equal item."""
    if isinstance(search, list):
        return any(equals(item, each) for each in search)
    if not is_primitive(search) or not is_primitive(item):
        return False
    return to_string(item).lower() in to_string(search).lower()


def starts_with(text: Value, start: Value) -> bool:
    """In any case; false for containers."""
    if not is_primitive(text) or not is_primitive(start):
        return False
    return fold(to_string(text)).startswith(fold(to_string(start)))


def ends_with(text: Value, end: Value) -> bool:
    """In any case; false for containers."""
    if not is_primitive(text) or not is_primitive(end):
        return False
    return fold(to_string(text)).endswith(fold(to_string(end)))


FIELD = re.compile(r"\{\{|\}\}|\{(?P<index>[0-9]+)[^}]*\}|[{}]")


def format_text(template: Value, *arguments: Value) -> str:
    """Puts arguments in place of {0}, {1}, ...; {{ and }} are braces."""
    text = to_string(template)

    def replace(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        if found["index"] is None:
            raise ExpressionError("value", f"not a format: {text!r}")
        if int(found["index"]) >= len(arguments):
            raise ExpressionError("value", f"more fields than arguments: {text!r}")
        return to_string(arguments[int(found["index"])])

    return FIELD.sub(replace, text)


def join(items: Value, separator: Value = ",") -> str:
    """The texts of a list's items in one; of a single value its text."""
    if isinstance(items, list):
        between = to_string(separator) if is_primitive(separator) else ","
        return between.join(map(to_string, items))
    return to_string(items) if is_primitive(items) else ""


def parse_json(text: Value) -> Value:
    """Raises `ExpressionError` where it is not JSON, or empty."""
    try:
        return from_json(to_string(text))
    except ValueError as error:
        raise ExpressionError("value", f"not JSON: {to_string(text)!r}") from error


def case(*arguments: Value) -> Value:
    """The value after the first condition that is true; else the last one."""
    for condition, value in zip(arguments[:-1:2], arguments[1::2], strict=True):
        if not isinstance(condition, bool):
            raise ExpressionError("value", "a condition of case() is neither true nor false")
        if condition:
            return value
    return arguments[-1]


def _unknown(name: str) -> Callable[..., Value]:
    def call(*_: Value) -> Value:
        raise ExpressionError("value", f"{name}() is known only to a runner")

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
"""All of them, those included that a caller of `evaluate` has to give."""
