"""The fast YAML reader: values as YAML 1.2 has them, or every scalar as a text."""

from wfgen.text import reader

TEXT = (
    "on: {push: }\nyes: no\nday: 2024-01-01\ncount: 3\nquoted: '3'\n"
    "open: true\nlist: &a [1]\nagain: *a\n"
)


def test_values() -> None:
    assert reader.values(TEXT) == {
        "on": {"push": None},
        "yes": "no",
        "day": "2024-01-01",
        "count": 3,
        "quoted": "3",
        "open": True,
        "list": [1],
        "again": [1],
    }


def test_texts() -> None:
    assert reader.texts("on: 3\nopen: true\n") == {"on": "3", "open": "true"}
    assert reader.all_texts("a: 1\n---\n- 2\n") == [{"a": "1"}, ["2"]]
    assert list(reader.scalars_of("a: [1, {b: c}]\n")) == ["a", "1", "b", "c"]
