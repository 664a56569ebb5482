"""Expressions against GitHub's engine: equal values, truth values and errors."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from tests import sampling
from tests.judges.expressions import Answer, Query, evaluate
from tests.semantics.random_expressions import Generator
from wfgen.actions.expressions import ExpressionError, is_truthy, lower, parse, to_string

COUNTS = [1_500, pytest.param(12_000, marks=pytest.mark.slow)]
"""Expressions per seed."""
STATUS = {
    "success": lambda *_: True,
    "failure": lambda *_: False,
    "cancelled": lambda: False,
    "always": lambda: True,
}


@pytest.fixture(scope="module", params=COUNTS)
def answers(request: pytest.FixtureRequest) -> dict[int, list[tuple[Query, Answer]]]:
    """The engine's answers, from one process: for a fixed seed, and for the run's."""
    by_seed = {seed: _queries(seed, request.param) for seed in (1, sampling.SEED)}
    evaluated = iter(evaluate(query for queries in by_seed.values() for query in queries))
    return {
        seed: [(query, next(evaluated)) for query in queries] for seed, queries in by_seed.items()
    }


def _queries(seed: int, count: int) -> list[Query]:
    generator = Generator(seed)
    context: dict[str, Any] = {}
    made = []
    for number in range(count):
        if number % 10 == 0:
            context = generator.context()
        made.append(Query(generator.expression(), context))
    return made


def test_the_engine_agrees(answers: dict[int, list[tuple[Query, Answer]]]) -> None:
    for seed, pairs in answers.items():
        differing = [
            f"{query.expression!r}\n  over {query.context}\n  engine {theirs}\n  wfgen  {ours}"
            for query, theirs in pairs
            if (ours := _ours(query)) != _theirs(theirs)
        ]
        if differing:
            pytest.fail(
                "\n".join([f"{len(differing)} differ with WFGEN_SEED={seed}", *differing[:5]])
            )


def test_the_expressions_have_varied_results(
    answers: dict[int, list[tuple[Query, Answer]]],
) -> None:
    """Neither mostly errors nor mostly null."""
    for pairs in answers.values():
        refused = sum(answer.error is not None for _, answer in pairs)
        empty = sum(answer.error is None and answer.text == "" for _, answer in pairs)
        assert len(pairs) / 20 < refused < len(pairs) / 2
        assert empty < len(pairs) / 2


def _theirs(answer: Answer) -> tuple[str, str, bool] | None:
    if answer.error is not None:
        return None
    return _json(answer.value), answer.text, answer.runs


def _ours(query: Query) -> tuple[str, str, bool] | None:
    """The value, its text and its truth value; None for an error."""
    try:
        tree = parse(query.expression.strip(), set(query.context))
        value = tree.evaluate(query.context, STATUS)
    except ExpressionError:
        return None
    return _json(lower(value)), to_string(value), is_truthy(value)


def _json(value: Any) -> str:
    """JSON in which every number is a float, and NaN and infinite numbers are null."""
    return json.dumps(_with_floats(value))


def _with_floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_floats(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value + 0.0 if math.isfinite(value) else None  # -0.0 becomes 0.0
    return value
