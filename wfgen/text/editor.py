"""The YAML editor: changes lines of a YAML text and keeps all others byte for byte.

libyaml gives the positions of the nodes; an edit replaces characters between two positions. So
comments, blank lines, quotes and the order of keys are kept. (A round trip with ruamel.yaml writes
the whole text again, and changes indentation, spacing and line endings of lines that have no edit.)
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import yaml

from wfgen.text import scalars
from wfgen.text.positions import Route, child, compose
from wfgen.text.quoting import flow

_PLAIN = re.compile(r"[\w./][\w./-]*", re.ASCII)
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""The line endings of libyaml (https://yaml.org/spec/1.1/#id871136)."""


class Unfit(Exception):
    """The text does not allow an edit; `message` is the reason, `hint` what to do instead."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


@dataclass(frozen=True)
class Place:
    """An entry of a block mapping or sequence. Lines are counted from 0."""

    route: Route
    node: Any
    """The entry's value."""
    siblings: int
    """The number of entries in the mapping or sequence, including this one."""
    heading: int
    """The first of the comment lines directly above; `first` if there are none."""
    first: int
    last: int
    column: int
    """The column of the key, or of an item's dash."""


@dataclass(frozen=True, slots=True)
class Edit:
    """The characters from `start` to `end` become `text`."""

    start: int
    end: int
    text: str
    column: int
    """Of two texts at one position, the one with the larger column comes first: it belongs to the
    inner entry."""
    author: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The source of a line of an edited text."""

    line: int | None
    """Its number in the text before, from 0; None for a new line."""
    authors: tuple[str, ...]
    """The authors of the edits in it."""


class Document:
    """A YAML text and the positions of its entries. Raises `yaml.YAMLError`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(match.end() for match in _BREAK.finditer(text))]
        self.lines = _BREAK.split(text)
        self._newlines = [0, *(match.end() for match in re.finditer("\n", text))]
        self.root: Any = compose(text)

    def find(self, route: Route) -> Place | None:
        """The entry at a route; None if the text does not have it.

        Raises `Unfit` for an entry in flow style.
        """
        node, place = self.root, None
        for depth, part in enumerate(route):
            entry = child(node, part)
            if entry is None:
                return None
            if node.flow_style:
                outer = _shown(route[:depth])
                message = f"{outer} is in flow style"
                raise Unfit(message, f"replace {outer} as a whole")
            place = self._place(route[: depth + 1], node, *entry)
            node = place.node
        return place

    def _place(self, route: Route, parent: Any, key: Any, value: Any) -> Place:
        mark = key.start_mark
        first, column = mark.line, mark.column
        if isinstance(parent, yaml.SequenceNode):
            column = self.lines[first].rindex("-", 0, column)
        heading = first
        indent = _indent(self.lines[first])
        while heading and self.lines[heading - 1].startswith(" " * indent + "#"):
            heading -= 1
        last = max(first, self._last(value))
        return Place(route, value, len(parent.value), heading, first, last, column)

    def _last(self, node: Any) -> int:
        """The last line of a node, without the comments and blank lines after it."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style:
            final = node.value[-1]
            key, value = final if isinstance(final, tuple) else (final, final)
            return max(int(key.start_mark.line), self._last(value))
        line = int(node.end_mark.line)
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            line -= node.end_mark.column == 0
            while not self.lines[line].strip():
                line -= 1
        return line

    def before(self, place: Place, lines: list[str], author: str) -> Edit:
        """Inserts lines before an entry and its comments."""
        return self._insert(place.heading, lines, place.column, author)

    def after(self, place: Place, lines: list[str], author: str) -> Edit:
        """Inserts lines after an entry."""
        return self._insert(place.last + 1, lines, place.column, author)

    def _insert(self, line: int, lines: list[str], column: int, author: str) -> Edit:
        start = self._starts[line]
        return Edit(start, start, "".join(f"{text}\n" for text in lines), column, author)

    def replace(self, place: Place, comments: list[str], lines: list[str], author: str) -> Edit:
        """Replaces an entry with lines that are indented like its key; keeps comments above it.

        `comments` are added above the new lines.
        """
        before = self.lines[place.first][: place.column]
        pad = " " * _indent(self.lines[place.first])
        new = [pad + comment for comment in comments] + [
            before + lines[0][place.column :],
            *lines[1:],
        ]
        start, end = self._starts[place.first], self._starts[place.last + 1]
        return Edit(start, end, "".join(f"{text}\n" for text in new), place.column, author)

    def remove(self, place: Place, comments: list[str], author: str) -> list[Edit]:
        """Replaces an entry and the comments above it with `comments`.

        Raises `Unfit` for the only entry of a mapping or sequence.
        """
        if place.siblings == 1:
            outer = _shown(place.route[:-1])
            raise Unfit(f"{outer} would be empty", f"remove {outer} as a whole")
        line = self.lines[place.first]
        pad = " " * _indent(line)
        new = "".join(f"{pad}{comment}\n" for comment in comments)
        start, end = self._starts[place.heading], self._starts[place.last + 1]
        edits = [Edit(start, end, new, place.column, author)]
        if line[: place.column].strip():  # the key after a dash: the second key moves there
            parent = self.find(place.route[:-1])
            assert parent is not None
            second = parent.node.value[1][0].start_mark
            begin = self._starts[second.line]
            dash = line[: place.column]
            edits.append(Edit(begin, begin + second.column, dash, place.column, author))
        return edits

    def append(self, place: Place | None, lines: list[str], author: str) -> Edit:
        """Inserts lines at the end of a mapping or sequence; None: of the text's top level."""
        node = place.node if place else self.root
        column = self.column_in(place)
        return self._insert(self._last(node) + 1, lines, column, author)

    def column_in(self, place: Place | None) -> int:
        """The column of a mapping's keys or of a sequence's dashes. Raises `Unfit` without one."""
        node = place.node if place else self.root
        if isinstance(node, yaml.CollectionNode) and not node.flow_style:
            first = node.value[0]
            mark = (first[0] if isinstance(first, tuple) else first).start_mark
            if isinstance(node, yaml.MappingNode):
                return int(mark.column)
            dash: int = self.lines[mark.line].rindex("-", 0, mark.column)
            return dash
        outer = _shown(place.route if place else ())
        raise Unfit(f"{outer} has no block of keys", f"replace {outer} as a whole")

    def extend(self, place: Place, entries: str, author: str, *, front: bool) -> Edit:
        """Inserts entries in a flow sequence that is not empty."""
        mark = place.node.value[0].start_mark if front else place.node.value[-1].end_mark
        at = self._starts[mark.line] + mark.column
        text = f"{entries}, " if front else f", {entries}"
        return Edit(at, at, text, place.column, author)

    def apply(self, edits: Iterable[Edit]) -> tuple[str, list[Origin]]:
        """The edited text, and the origin of each of its lines."""
        parts: list[tuple[str, int | None, str]] = []
        done = 0
        for edit in sorted(edits, key=lambda e: (e.start, e.end > e.start, -e.column)):
            parts += [(self.text[done : edit.start], done, ""), (edit.text, None, edit.author)]
            done = max(done, edit.end)
        parts.append((self.text[done:], done, ""))
        return "".join(text for text, _, _ in parts), list(self._origins(parts))

    def _origins(self, parts: list[tuple[str, int | None, str]]) -> Iterable[Origin]:
        line: int | None = None
        authors: list[str] = []
        for text, start, author in parts:
            offset = start
            pieces = text.split("\n")
            for index, piece in enumerate(pieces):
                if index:
                    yield Origin(line, tuple(dict.fromkeys(authors)))
                    line, authors = None, []
                here = piece or index < len(pieces) - 1  # else the part ends with a line
                if here and author:
                    authors.append(author)
                if offset is not None:
                    if here and line is None:
                        line = bisect.bisect_right(self._newlines, offset) - 1
                    offset += len(piece) + 1


def with_item(text: str, key: str, item: str) -> str:
    """The text with one more item in the list at `key` of its top-level mapping.

    The list is added where it is missing. Raises `Unfit` or `yaml.YAMLError`.
    """
    ending = "\r\n" if "\r\n" in text else "\n"
    text = text if text.endswith("\n") or not text else text + ending
    document = Document(text)
    written = item if _PLAIN.fullmatch(item) and scalars.read(item) == (item, "") else flow(item)
    if document.root is None:
        return f"{text}{key}:{ending}  - {written}{ending}"
    if not isinstance(document.root, yaml.MappingNode):
        raise Unfit("the file is not a mapping", f"write it as a mapping with `{key}`")
    place = document.find((key,))
    node: Any = place.node if place else None
    if place is None:
        edit = document.append(None, [f"{key}:", f"  - {written}"], "")
    elif isinstance(node, yaml.SequenceNode) and node.value:
        if any(entry.value == item for entry in node.value):
            return text
        if node.flow_style:
            edit = document.extend(place, written, "", front=False)
        else:
            dash = document.column_in(place)
            edit = document.append(place, [f"{' ' * dash}- {written}"], "")
    elif isinstance(node, yaml.ScalarNode) and not (node.value or node.style):
        edit = document.after(place, [f"  - {written}"], "")
    elif isinstance(node, yaml.SequenceNode) or node.value in ("~", "null"):
        edit = document.replace(place, [], [f"{key}:", f"  - {written}"], "")
    else:
        raise Unfit(f"`{key}` is not a list", f"replace `{key}` with a list")
    return document.apply([replace(edit, text=edit.text.replace("\n", ending))])[0]


def _shown(route: Route) -> str:
    return f"`{'.'.join(map(str, route))}`" if route else "the file"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
