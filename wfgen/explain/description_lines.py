"""Which code of `describe` makes a line of an environment's description: JSON has no template."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from wfgen.generate import description

_KEY = re.compile(r'( *)"([^"]*)":')
Span = tuple[str, int, int]
"""A file, and lines of it from 1: the first and the last."""


def keys_of(lines: list[str], index: int) -> list[str]:
    """The keys that lead to a line of indented JSON, the outermost first."""
    keys: list[str] = []
    indent = len(lines[index]) - len(lines[index].lstrip()) + 1
    for line in reversed(lines[: index + 1]):
        found = _KEY.match(line)
        if found and len(found[1]) < indent:
            indent = len(found[1])
            keys.append(found[2])
    return keys[::-1]


def code_of(keys: list[str], read: set[int]) -> Span | None:
    """The lines that make the value at these keys; of several, those that fit more of the keys.

    `read` are the lines that read a field of the service in question: they come before others.
    """
    while keys:
        fitting = [
            (len(entry.keys), bool(read & {*entry.lines}), -entry.lines[0], entry)
            for entry in _entries()
            if (list(entry.keys) == keys if entry.whole else _ends(keys, entry.keys))
        ]
        if fitting:
            *_, entry = max(fitting, key=lambda each: each[:3])
            return description.__file__, entry.lines[0], entry.lines[-1]
        keys = keys[:-1]  # the name of a service, which no code spells out
    return None


@dataclass(frozen=True)
class _Entry:
    """A keyword argument in the code: a field of the description."""

    keys: tuple[str, ...]
    """Its key, and those around it in its function."""
    lines: range
    whole: bool
    """Whether the keys begin at the top of the description, rather than within a service."""


def _ends(keys: list[str], end: tuple[str, ...]) -> bool:
    return keys[:1] == ["services"] and tuple(keys[2:][-len(end) :]) == end


@cache
def _entries() -> list[_Entry]:
    tree = ast.parse(Path(description.__file__).read_text("utf-8"))
    return [
        _Entry(keys, range(first, last + 1), function.name == "describe")
        for function in tree.body
        if isinstance(function, ast.FunctionDef)
        for keys, first, last in _below(function, ())
    ]


def _below(node: ast.AST, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int, int]]:
    if isinstance(node, ast.keyword) and node.arg:
        keys = (*keys, node.arg)
        yield keys, node.lineno, node.end_lineno or node.lineno
    for child in ast.iter_child_nodes(node):
        yield from _below(child, keys)
