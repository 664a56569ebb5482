"""Expressions against GitHub's own engine: the same values, truths and errors."""

from __future__ import annotations

import json
import math
import secrets
from typing import Any

import pytest

from tests.judges.expressions import Answer, Query, evaluate
from tests.semantics.random_expressions import Generator
from wfgen.actions.expressions import ExpressionError, is_truthy, lower, parse, to_string

COUNT = 12_000
STATUS = {
    "success": lambda *_: True,
    "failure": lambda *_: False,
    "cancelled": lambda: False,
    "always": lambda: True,
}


@pytest.fixture(scope="module")
def answers() -> dict[int, list[tuple[Query, Answer]]]:
    """What the engine says, in one process: for a fixed seed, and for a fresh one."""
    queries = {seed: _queries(seed) for seed in (1, secrets.randbits(32))}
    found = iter(evaluate(query for each in queries.values() for query in each))
    return {seed: [(query, next(found)) for query in each] for seed, each in queries.items()}


def _queries(seed: int) -> list[Query]:
    generator = Generator(seed)
    context: dict[str, Any] = {}
    made = []
    for number in range(COUNT):
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
            pytest.fail("\n".join([f"{len(differing)} differ with seed {seed}", *differing[:5]]))


def test_the_expressions_are_worth_asking(answers: dict[int, list[tuple[Query, Answer]]]) -> None:
    """Neither all errors nor all null."""
    for pairs in answers.values():
        refused = sum(answer.error is not None for _, answer in pairs)
        empty = sum(answer.error is None and answer.text == "" for _, answer in pairs)
        assert COUNT / 20 < refused < COUNT / 2
        assert empty < COUNT / 2


def _theirs(answer: Answer) -> tuple[str, str, bool] | None:
    if answer.error is not None:
        return None
    return _json(answer.value), answer.text, answer.runs


def _ours(query: Query) -> tuple[str, str, bool] | None:
    """The value, its text and its truth; None where it is refused."""
    try:
        tree = parse(query.expression.strip(), set(query.context))
        value = tree.evaluate(query.context, STATUS)
    except ExpressionError:
        return None
    return _json(lower(value)), to_string(value), is_truthy(value)


def _json(value: Any) -> str:
    """JSON in which every number has a point, and NaN and infinite ones are null."""
    return json.dumps(_pointed(value))


def _pointed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _pointed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_pointed(each) for each in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value + 0.0 if math.isfinite(value) else None  # -0.0 becomes 0.0
    return value
