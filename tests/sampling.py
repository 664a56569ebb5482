"""The seed of all random choices, and the sample of the long tests.

WFGEN_SEED repeats a run: pytest prints the seed. If WFGEN_SAMPLE is 1, as in `make slow`, one in
`SHARE` long tests of each file runs, and one in `SHARE` examples of each property. Of the tests on
a cluster, as in `make e2e`, those marked `always` run, and others up to `RELEASES` releases.
"""

from __future__ import annotations

import os
import random
import secrets
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest

SEED = int(os.environ.setdefault("WFGEN_SEED", str(secrets.randbits(32))))  # for xdist's workers
SAMPLED = os.environ.get("WFGEN_SAMPLE") == "1"
SHARE = 4
RELEASES = 40
"""Maximum number of releases to a cluster: 12 minutes on two busy cores."""


def examples(number: int) -> Callable[[Any], Any]:
    """Decorates a property: the same `number` examples in each run, or a sample by the seed."""
    settings = hypothesis.settings(
        max_examples=number // SHARE if SAMPLED else number,
        derandomize=not SAMPLED,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    return lambda test: settings(hypothesis.seed(SEED)(test) if SAMPLED else test)


def choose(items: list[pytest.Item]) -> list[pytest.Item]:
    """The tests without those that are not in the sample."""
    if not SAMPLED:
        return items
    on_cluster = set(_choose_on_cluster(items))
    return [
        item
        for item in _choose_long(items)
        if item in on_cluster or not item.get_closest_marker("e2e")
    ]


def _choose_on_cluster(items: list[pytest.Item]) -> list[pytest.Item]:
    """Tests marked `always`, and others in random order while their releases are few enough."""
    tests = [item for item in items if item.get_closest_marker("e2e")]
    chosen = [item for item in tests if item.get_closest_marker("always")]
    left = RELEASES - sum(map(releases, chosen))
    others = [item for item in tests if item not in chosen]
    for item in random.Random(SEED).sample(others, len(others)):
        if releases(item) <= left:
            chosen.append(item)
            left -= releases(item)
    return chosen


def releases(item: pytest.Item) -> int:
    """How many releases a test makes, by its mark `releases`; 2 without one."""
    mark = item.get_closest_marker("releases")
    return int(mark.args[0]) if mark else 2


def _choose_long(items: list[pytest.Item]) -> list[pytest.Item]:
    """The tests without the slow ones that are not in the sample."""
    long: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("slow") and not is_property(item):
            long[str(item.path)].append(item)
    chosen = {
        item
        for path, tests in long.items()
        for item in random.Random(f"{SEED} {path.rpartition('/')[2]}").sample(
            tests, -(-len(tests) // SHARE)
        )
    }
    return [
        item
        for item in items
        if item in chosen or is_property(item) or not item.get_closest_marker("slow")
    ]


def is_property(item: pytest.Item) -> bool:
    """Whether hypothesis gives the test its examples."""
    return bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False))
