"""act runs the generated files, except for what act cannot read.

The tests compare parsed files, so they do not repeat how the projection rewrites text.
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
    copied = sorted(
        path.relative_to(sample.root).as_posix()
        for path in (sample.root / ".github").rglob("*")
        if path.is_file()
    )
    assert copied == GENERATED
    assert ".github/workflows/production.yml" in copied


@pytest.mark.parametrize("name", [name for name in GENERATED if name.endswith(".yml")])
def test_only_what_act_cannot_read_differs(sample: Sample, name: str) -> None:
    before, after = (_load(root / name) for root in (ROOT, sample.root))
    assert [e for e in differences(before, after) if not _is_known(e, sample.root)] == []


def test_the_program_is_the_same_and_its_description_differs_only_in_timeouts(
    sample: Sample,
) -> None:
    for name in GENERATED:
        before, after = (root.joinpath(name).read_text("utf-8") for root in (ROOT, sample.root))
        if name.endswith(".json"):
            changes = differences(json.loads(before), json.loads(after))
            assert {route[-1] for route, *_ in changes} == {"timeout_seconds", "bake_seconds"}
        elif not name.endswith(".yml"):
            assert after == before, name


def test_everything_that_act_cannot_read_is_rewritten(sample: Sample) -> None:
    """The real pipeline has a queue, an environment and calls that act rejects."""
    name = ".github/workflows/production.yml"
    before, after = (_load(root / name) for root in (ROOT, sample.root))
    changed = {route[-1] for route, *_ in differences(before, after)}
    assert changed == {"queue", "deployment", "uses"}
    assert not [*_values(after, "queue"), *_values(after, "deployment")]
    assert not [uses for uses in _values(after, "uses") if uses.startswith("$")]


def test_the_comparison_reports_any_other_change(tmp_path: Path) -> None:
    """Such as a changed condition, another order of steps, or a missing job."""
    step = {"uses": "./.github/actions/release", "if": "always()"}
    job: dict[str, Any] = {"needs": ["plan"], "steps": [step, {"run": "queue: max"}]}
    call = {"uses": "$/.github/workflows/_deploy.yml"}
    real = {"jobs": {"release": call, "finish": job}}
    for changed in (
        {"jobs": {"release": call, "finish": {**job, "needs": []}}},
        {"jobs": {"release": call, "finish": {**job, "steps": [*job["steps"][::-1]]}}},
        {"jobs": {"release": call, "finish": {**job, "steps": [step, {"run": ""}]}}},
        {"jobs": {"release": call, "finish": {**job, "steps": [{**step, "uses": "./other"}]}}},
        {"jobs": {"release": {"uses": "./.github/workflows/other.yml"}, "finish": job}},
        {"jobs": {"release": call}},
    ):
        assert [d for d in differences(real, changed) if not _is_known(d, tmp_path)]


def differences(before: Any, after: Any, route: Route = ()) -> Iterator[Difference]:
    """The routes at which two trees differ, and the values of both."""
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
    """Whether it is one of the three rewrites; a call must lead to the same workflow."""
    route, before, after = difference
    match route:
        case (*_, "concurrency", "queue"):
            return (before, after) == ("max", ABSENT)
        case (*_, "environment", "deployment"):
            return (before, after) == (False, ABSENT)
        case (*_, "uses"):
            path = before.removeprefix("$/")
            called = before.startswith("$/.github/workflows/") and after == f"./{path}"
            return bool(called and (root / path).exists())
    return False


def _load(path: Path) -> Any:
    return yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)


def _values(tree: Any, key: str) -> Iterator[Any]:
    """All values of a key anywhere in a tree."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield value
            yield from _values(value, key)
    elif isinstance(tree, list):
        for item in tree:
            yield from _values(item, key)
