"""What act runs is what is generated, but for what act cannot read.

The two are compared as trees: how the projection rewrites text is not repeated here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.act.sample import ROOT, Sample

GENERATED = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / ".github").rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
)
ABSENT = "(absent)"
Route = tuple[str | int, ...]
Difference = tuple[Route, Any, Any]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return Sample.make(tmp_path_factory.mktemp("projection") / "shop")


def test_no_file_is_added_or_left_out(sample: Sample) -> None:
    there = sorted(
        path.relative_to(sample.root).as_posix()
        for path in (sample.root / ".github").rglob("*")
        if path.is_file()
    )
    assert there == GENERATED
    assert ".github/workflows/production.yml" in there


@pytest.mark.parametrize("name", [name for name in GENERATED if name.endswith(".yml")])
def test_nothing_differs_but_what_act_cannot_read(sample: Sample, name: str) -> None:
    before, after = (_load(root / name) for root in (ROOT, sample.root))
    assert [e for e in differences(before, after) if not _is_known(e, sample.root)] == []


def test_the_program_is_the_same_and_its_description_but_for_patience(sample: Sample) -> None:
    for name in GENERATED:
        before, after = (root.joinpath(name).read_text("utf-8") for root in (ROOT, sample.root))
        if name.endswith(".json"):
            found = differences(json.loads(before), json.loads(after))
            assert {route[-1] for route, *_ in found} == {"timeout_seconds", "bake_seconds"}
        elif not name.endswith(".yml"):
            assert after == before, name


def test_all_that_act_cannot_read_is_gone(sample: Sample) -> None:
    """A queue, an environment and references that would stop act are in the real pipeline."""
    name = ".github/workflows/production.yml"
    before, after = (_load(root / name) for root in (ROOT, sample.root))
    found = {route[-1] for route, *_ in differences(before, after)}
    assert found == {"queue", "deployment", "uses"}
    assert not [*_values(after, "queue"), *_values(after, "deployment")]
    assert not [each for each in _values(after, "uses") if each.startswith("$")]


def test_a_change_of_anything_else_would_be_seen(tmp_path: Path) -> None:
    """The comparison itself: a condition, an order of steps and a lost job are differences."""
    step = {"uses": "$/.github/actions/release", "if": "always()"}
    job: dict[str, Any] = {"needs": ["plan"], "steps": [step, {"run": "queue: max"}]}
    real = {"jobs": {"release": job, "audit": {}}}
    for changed in (
        {"jobs": {"release": {**job, "needs": []}, "audit": {}}},
        {"jobs": {"release": {**job, "steps": [*job["steps"][::-1]]}, "audit": {}}},
        {"jobs": {"release": {**job, "steps": [step, {"run": ""}]}, "audit": {}}},
        {"jobs": {"release": {**job, "steps": [{"uses": "acme/shop/other@main"}]}, "audit": {}}},
        {"jobs": {"release": job}},
    ):
        found = list(differences(real, changed))
        assert [each for each in found if not _is_known(each, tmp_path)]


def differences(before: Any, after: Any, route: Route = ()) -> Iterator[Difference]:
    """Where two trees differ, and what stands there in either."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            pair = before.get(key, ABSENT), after.get(key, ABSENT)
            yield from differences(*pair, (*route, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from differences(*pair, (*route, index))
    elif before != after or type(before) is not type(after):
        yield route, before, after


def _is_known(difference: Difference, root: Path) -> bool:
    """Whether it is one of the three; a reference must lead to the same file as before."""
    route, before, after = difference
    match route:
        case (*_, "concurrency", "queue"):
            return (before, after) == ("max", ABSENT)
        case (*_, "environment", "deployment"):
            return (before, after) == (False, ABSENT)
        case (*_, "uses"):
            path = before.removeprefix("$/")
            called = ("./" + path, f"acme/shop/{path}@main")[path.startswith(".github/actions/")]
            return bool(before.startswith("$/") and after == called and (root / path).exists())
    return False


def _load(path: Path) -> Any:
    return yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)


def _values(tree: Any, key: str) -> Iterator[Any]:
    """All values of a key, wherever it stands."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield value
            yield from _values(value, key)
    elif isinstance(tree, list):
        for each in tree:
            yield from _values(each, key)
