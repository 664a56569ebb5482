"""The comparison of rows that `make e2e` observes with the page that `make e2e-all` writes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.e2e import rows

ROWS = [
    rows.Row("workflows", 0, ("a | release", "Plan, Finish", "`live`", "one", "good", "")),
    rows.Row("program", 0, ("a release", "preflight", "", "one", "good")),
    rows.Row("program", 1, ("a bad release", "preflight, **deploy**", "`no`", "one", "good")),
]
PAGE = rows.compose(ROWS)


def test_rows_of_the_page_are_found() -> None:
    assert rows.missing(ROWS, PAGE) == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.cells[0])
def test_a_row_that_differs_is_missing_and_its_committed_one_is_found(row: rows.Row) -> None:
    changed = replace(row, cells=(*row.cells[:3], "two", *row.cells[4:]))
    assert rows.missing([*ROWS, changed], PAGE) == [changed]
    assert rows.committed(changed, PAGE) == row.text


def test_a_row_of_another_table_is_missing() -> None:
    moved = replace(ROWS[1], table="workflows")
    assert rows.missing([moved], PAGE) == [moved]
    assert rows.committed(moved, PAGE) == ""


def test_a_situation_that_the_page_lacks_is_missing() -> None:
    new = replace(ROWS[1], cells=("another release", *ROWS[1].cells[1:]))
    assert rows.missing([new], PAGE) == [new]
    assert rows.committed(new, PAGE) == ""
