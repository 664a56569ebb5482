"""The inputs of a called workflow: what the caller passes, and defaults.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#onworkflow_callinputs
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wfgen.actions.expressions import Expression, ExpressionError, Lifted, Value, to_string
from wfgen.actions.yamltree import text

EMPTY: dict[str, Value] = {"boolean": False, "number": 0.0, "string": ""}
"""The value of an input without a default, by its type."""


def fill_inputs(
    declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]
) -> dict[str, Value]:
    """All declared inputs: each with the given value, its default, or the empty value of its type.

    Raises `ExpressionError` for a missing required input, an unknown input, and a value of another
    type.
    """
    for name in given:
        if name not in declared:
            raise ExpressionError("value", f"unknown input `{name}`")
    filled = {}
    for name, declaration in declared.items():
        kind = text(declaration.get("type")) or "string"
        if name in given:
            filled[name] = _typed(name, kind, given[name])
        elif text(declaration.get("required")) == "true" and "default" not in declaration:
            raise ExpressionError("value", f"missing input `{name}`")
        else:
            filled[name] = _typed(name, kind, declaration.get("default", EMPTY.get(kind, "")))
    return filled


def evaluate_inputs(
    declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any], contexts: Lifted
) -> dict[str, Value]:
    """The inputs of a call from its `with`. Raises `ExpressionError`."""
    values = {
        name: value.evaluate(contexts) if isinstance(value, Expression) else value
        for name, value in given.items()
    }
    return fill_inputs(declared, values)


def _typed(name: str, kind: str, value: Value) -> Value:
    if kind == "boolean":
        if isinstance(value, bool) or value in ("true", "false"):
            return value in (True, "true")
    elif kind == "number":
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    else:
        return to_string(float(value) if type(value) is int else value)
    raise ExpressionError("value", f"input `{name}`: {value!r} is not a {kind}")
