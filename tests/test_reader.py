"""The fast YAML reader: every scalar is a text."""

from wfgen.text import reader


def test_every_scalar_is_a_text() -> None:
    text = "on: 3\nopen: true\nday: 2024-01-01\nlist: &a [null, ~]\nagain: *a\n"
    assert reader.texts(text) == {
        "on": "3",
        "open": "true",
        "day": "2024-01-01",
        "list": ["null", "~"],
        "again": ["null", "~"],
    }
    assert reader.all_texts("a: 1\n---\n- 2\n") == [{"a": "1"}, ["2"]]
    assert list(reader.scalars_of("a: [1, {b: c}]\n")) == ["a", "1", "b", "c"]
