"""No text of this repository uses a phrase of tests/writing.yaml."""

from __future__ import annotations

import pytest

from tests import writing


@pytest.mark.parametrize("pattern", writing.patterns(), ids=lambda pattern: pattern.regex.pattern)
def test_a_pattern_has_a_failing_and_a_passing_example(pattern: writing.Pattern) -> None:
    assert pattern.regex.search(pattern.fails)
    assert not pattern.regex.search(pattern.passes)
    assert pattern.instead


def test_a_phrase_is_found_across_a_line_break() -> None:
    (match,) = writing.matches_in("# Kept but\n    # for one.\n", "a.py")
    assert (match.line, match.phrase.split()) == (1, ["but", "for"])


def test_no_text_uses_a_phrase_of_the_list() -> None:
    found = list(writing.matches(writing.files()))
    assert not found, "\n".join(map(str, found[:50]))


def test_every_exception_is_needed_and_has_a_reason() -> None:
    for each in writing.exceptions():
        text = (writing.ROOT / each["path"]).read_text("utf-8")
        lines = [line for line in text.split("\n") if each["text"] in line]
        assert any(p.regex.search(line) for p in writing.patterns() for line in lines), each
        assert each["reason"]
