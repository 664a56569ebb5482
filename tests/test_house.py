"""The code stays small and untangled; import-linter, in `make lint`, holds the layers."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests import house

HOUSE = house.House()
EXCEPTIONS: dict[str, Any] = yaml.safe_load((house.ROOT / "tests/house.yaml").read_text("utf-8"))


def test_no_further_function_exceeds_a_limit() -> None:
    assert sorted({*HOUSE.large} - {*EXCEPTIONS}) == []


def test_every_exception_is_needed_and_names_its_issue() -> None:
    assert sorted({*EXCEPTIONS} - {*HOUSE.large}) == []
    assert all(isinstance(issue, int) for issue in EXCEPTIONS.values())


def test_a_function_beyond_a_limit_is_found() -> None:
    text = "class A:\n    def b(self):\n" + "        if self: pass\n" * 13
    (function,) = house._functions("wfgen/a.py", text)
    assert function == house.Function("wfgen/a.py:A.b", 14, 13)


def test_no_class_name_stands_twice_in_a_room() -> None:
    assert HOUSE.twice == []


def test_few_modules_are_in_no_room() -> None:
    assert len(HOUSE.flat) <= house.FLAT


def test_few_levels_are_between_rooms() -> None:
    assert HOUSE.levels <= house.LEVELS


def test_a_circle_of_rooms_is_an_error() -> None:
    tangled = house.House()
    tangled.__dict__["imports"] = {"wfgen.a": {"wfgen.b"}, "wfgen.b": {"wfgen.a"}}
    with pytest.raises(ValueError, match=r"wfgen\.a > wfgen\.b > wfgen\.a"):
        tangled._depth("wfgen.a")


@pytest.mark.parametrize("package", HOUSE.packages)
def test_a_package_says_what_it_knows(package: str) -> None:
    text = HOUSE.modules[f"{package}/__init__.py"]
    assert text.startswith('"""')
