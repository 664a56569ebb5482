"""The sample of the long tests: some of each file, the same for one seed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import sampling


class Item:
    """A test as pytest collects it."""

    def __init__(self, file: str, number: int, slow: bool = True, is_property: bool = False):
        self.path, self.name, self.slow = Path(file), f"{file}[{number}]", slow
        self.obj = SimpleNamespace(is_hypothesis_test=is_property)

    def get_closest_marker(self, name: str) -> bool:
        return self.slow and name == "slow"


class Items(list[Any]):
    """40 long tests of one file, one of another, a quick one, a long property."""

    def __init__(self) -> None:
        super().__init__(Item("test_many.py", number) for number in range(40))
        self.others = [Item("test_one.py", 0), Item("test_many.py", 40, slow=False)]
        self.others.append(Item("test_many.py", 41, is_property=True))
        self.extend(self.others)


def chosen(monkeypatch: pytest.MonkeyPatch, seed: int) -> list[str]:
    monkeypatch.setattr(sampling, "SAMPLED", True)
    monkeypatch.setattr(sampling, "SEED", seed)
    return [test.name for test in sampling.choose(Items())]


def test_a_quarter_of_each_file_and_all_that_is_not_sampled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = chosen(monkeypatch, 1)
    assert len(names) == 10 + 3
    assert names[-3:] == [test.name for test in Items().others]


def test_the_seed_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen(monkeypatch, 1) == chosen(monkeypatch, 1) != chosen(monkeypatch, 2)


class OnCluster(Item):
    """A test on a cluster."""

    def __init__(self, number: int, **marks: int):
        super().__init__("test_cluster.py", number, slow=False)
        self.marks = {"e2e": 0, **marks}

    def get_closest_marker(self, name: str) -> Any:
        return SimpleNamespace(args=[self.marks[name]]) if name in self.marks else None


def test_releases_to_a_cluster_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are marked are always among them; which others are decided by the seed."""
    always = OnCluster(0, always=0, releases=6)
    tests: list[Any] = [always, *(OnCluster(number, releases=3) for number in range(1, 40))]
    quick: list[Any] = [OnCluster(number) for number in range(40, 80)]
    monkeypatch.setattr(sampling, "SAMPLED", True)
    samples: list[list[str]] = []
    for seed in range(10):
        monkeypatch.setattr(sampling, "SEED", seed)
        chosen: list[Any] = sampling.choose([*tests, *quick])
        assert always in chosen
        number = sum(sampling.releases(test) for test in chosen)
        assert sampling.RELEASES - 3 < number <= sampling.RELEASES
        samples.append([test.name for test in chosen])
    assert len({tuple(names) for names in samples}) == len(samples)


def test_without_a_sample_all_tests_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "SAMPLED", False)
    items = Items()
    assert sampling.choose(items) == list(items)
