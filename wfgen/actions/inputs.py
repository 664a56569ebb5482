"""The inputs of a called workflow: what the caller passes, and defaults.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#onworkflow_callinputs
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wfgen.actions.expressions import Expression, ExpressionError, Lifted, Value, to_string
from wfgen.actions.yamltree import text

EMPTY: dict[str, Value] = {"boolean": False, "number": 0.0, "string": ""}
"""What an input without a default is, by its type."""


def fill_inputs(
    declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]
) -> dict[str, Value]:
    """All declared inputs: of each the given value, its default, or an empty one, by its type.

    Raises `ExpressionError` where a required one is missing, an unknown one given, or a value is
    of another type.
    """
    for name in given:
        if name not in declared:
            raise ExpressionError("value", f"input {name} is unknown")
    filled = {}
    for name, about in declared.items():
        kind = text(about.get("type")) or "string"
        if name in given:
            filled[name] = _typed(name, kind, given[name])
        elif text(about.get("required")) == "true" and "default" not in about:
            raise ExpressionError("value", f"input {name} is missing")
        else:
            filled[name] = _typed(name, kind, about.get("default", EMPTY.get(kind, "")))
    return filled


def evaluate_inputs(
    declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any], contexts: Lifted
) -> dict[str, Value]:
    """The inputs of a call by its `with`. Raises `ExpressionError`."""
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
    raise ExpressionError("value", f"input {name} is no {kind}: {value!r}")
