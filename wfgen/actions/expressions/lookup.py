"""The value at an index of another value.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#object-filters
"""

from __future__ import annotations

import math

from wfgen.actions.expressions.values import (
    Filtered,
    Object,
    Value,
    is_primitive,
    to_number,
    to_string,
)

ALL = None
"""In place of a key: all items."""


class Key:
    """A value as an index: into objects by its text, into lists by its number."""

    __slots__ = ("position", "text")

    def __init__(self, value: Value) -> None:
        self.text = to_string(value) if is_primitive(value) else None
        number = to_number(value)
        self.position = math.floor(number) if 0 <= number < math.inf else None


def look_up(base: Value, key: Key | None) -> Value:
    """The value at a key. As on GitHub, null where it does not exist, and an empty list for `*`."""
    if isinstance(base, Filtered):
        values = Filtered()
        for item in base:
            values.extend(_inside(item, key))
        return values
    inside = _inside(base, key)
    if key is ALL:
        return Filtered(inside)
    return inside[0] if inside else None


def _inside(base: Value, key: Key | None) -> list[Value]:
    """All values at a key of one container; none for other values."""
    if isinstance(base, Object):
        if key is ALL:
            return base.values()
        return [base.get(key.text)] if key.text is not None and key.text in base else []
    if isinstance(base, list):
        if key is ALL:
            return base
        return base[key.position : key.position + 1] if key.position is not None else []
    return []
