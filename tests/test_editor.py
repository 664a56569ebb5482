"""An item is added to a list of a YAML text, and no other line changes."""

from __future__ import annotations

import pytest
import yaml

from wfgen.text.editor import Unfit, with_item

ITEM = "../../bases/worker"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"list:\n  - {ITEM}\n"),
        ("# only a comment\n", f"# only a comment\nlist:\n  - {ITEM}\n"),
        ("a:   {b:  c}", f"a:   {{b:  c}}\nlist:\n  - {ITEM}\n"),
        ("list: # why\nb: 1\n", f"list: # why\n  - {ITEM}\nb: 1\n"),
        ("list: []\nb: 1\n", f"list:\n  - {ITEM}\nb: 1\n"),
        ("list: null\n", f"list:\n  - {ITEM}\n"),
        ("list: [a,   b] # why\n", f"list: [a,   b, {ITEM}] # why\n"),
        ("list:\n- a # why\n\n# end\nb: 1\n", f"list:\n- a # why\n- {ITEM}\n\n# end\nb: 1\n"),
        ("list:\n    -   a\n\n\nb: 1\n", f"list:\n    -   a\n    - {ITEM}\n\n\nb: 1\n"),
        ("list:\r\n  - 'a'\r\nb: 1\r\n", f"list:\r\n  - 'a'\r\n  - {ITEM}\r\nb: 1\r\n"),
        (f"list: ['{ITEM}']\n", f"list: ['{ITEM}']\n"),
    ],
)
def test_only_the_new_line_changes(before: str, after: str) -> None:
    assert with_item(before, "list", ITEM) == after
    assert with_item(after, "list", ITEM) == after


@pytest.mark.parametrize("item", ["on", "1", "a: b", "a # b", "null", "", "- x"])
def test_an_item_stays_a_text(item: str) -> None:
    assert yaml.safe_load(with_item("list: [x]\n", "list", item)) == {"list": ["x", item]}
    assert yaml.safe_load(with_item("list:\n- x\n", "list", item)) == {"list": ["x", item]}


@pytest.mark.parametrize("text", ["list: text\n", "list: ''\n", "list: {}\n", "- a\n"])
def test_what_is_not_a_list_is_refused(text: str) -> None:
    with pytest.raises(Unfit):
        with_item(text, "list", ITEM)
