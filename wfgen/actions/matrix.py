"""The combinations of a matrix.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstrategymatrix
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from wfgen.actions.expressions import ExpressionError, lift, to_string

Combination = dict[str, Any]


def combine(matrix: Any) -> list[Combination]:
    """All combinations of a matrix of plain values. Raises `ExpressionError` if there are none."""
    if not isinstance(matrix, Mapping):
        raise ExpressionError("value", "the matrix is not a mapping")
    axes = {key: value for key, value in matrix.items() if key not in ("include", "exclude")}
    for key, values in axes.items():
        if not isinstance(values, list) or not values:
            raise ExpressionError("value", f"the matrix has no values for {key}")
    excluded = matrix.get("exclude") or []
    product_of_axes = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    kept = [
        combination
        for combination in product_of_axes
        if not any(_matches(combination, rule) for rule in excluded)
    ]
    combinations = _include(kept if axes else [], axes, matrix.get("include") or [])
    if not combinations:
        raise ExpressionError("value", "the matrix has no combinations")
    return combinations


def label(combination: Combination) -> str:
    """The values that GitHub adds to the name of a job: `linux, 20`."""
    return ", ".join(to_string(lift(value)) for value in combination.values())


def _matches(combination: Combination, rule: Mapping[str, Any]) -> bool:
    return all(key in combination and combination[key] == rule[key] for key in rule)


def _include(
    combinations: list[Combination], axes: Mapping[str, Any], rules: list[Mapping[str, Any]]
) -> list[Combination]:
    """Extends combinations whose axes a rule does not change; otherwise the rule adds one."""
    extended = [dict(combination) for combination in combinations]
    added: list[Combination] = []
    for rule in rules:
        fitting = [
            extended[position]
            for position, original in enumerate(combinations)
            if all(original[key] == value for key, value in rule.items() if key in axes)
        ]
        for combination in fitting:
            combination.update(rule)
        if not fitting:
            added.append(dict(rule))
    return extended + added
