"""The YAML reader with positions: plain values, and the line and column of each.

`parse` reads specs, and refuses what other YAML readers would read differently. `locate` finds a
value's position, for messages. Both use libyaml, so that they agree on positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import yaml

from wfgen.findings import Diagnostic, Position
from wfgen.text import scalars

MAX_BYTES = 1_000_000
"""The maximum size of a spec, in bytes."""
MAX_DEPTH = 50
"""The maximum depth of nesting."""
MAX_PROBLEMS = 50
"""The maximum number of problems reported in one file."""

EXPRESSIONS_IN = "patches"
"""The only field of a spec that may contain expressions of GitHub Actions."""

Route = tuple[str | int, ...]
"""The keys and indices of a value, from the top level."""

_BRACKETS = {"while parsing a flow sequence": "[", "while parsing a flow mapping": "{"}
_BLOCKS = ("while parsing a block mapping", "while parsing a block collection")

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class SourceError(Exception):
    """A problem at `line` and `column`, from 1."""

    def __init__(self, mark: Any, message: str, rule: str, hint: str = "") -> None:
        super().__init__(message)
        self.line: int = mark.line + 1 if mark else 1
        self.column: int = mark.column + 1 if mark else 1
        self.message, self.rule, self.hint = message, rule, hint


def diagnose(
    file: str, text: str, line: int, column: int, message: str, rule: str, hint: str = ""
) -> Diagnostic:
    """A diagnostic at a line and a column of `text`, with its source line."""
    lines = _lines(text)
    line = min(max(line, 1), len(lines))
    source = lines[line - 1]
    column = min(column, len(source) + 1)
    return Diagnostic(Position(file, line, column), message, rule, hint, source)


@lru_cache(maxsize=8)
def _lines(text: str) -> list[str]:
    return text.splitlines() or [""]


def parse(file: str, text: str, first: str = "kind") -> tuple[Any, list[Diagnostic]]:
    """The values of a YAML text, None if it is not readable; and its problems.

    `first` is the key that an empty file should start with.
    """
    reader = _Reader(text, first)
    tree = None
    try:
        tree = reader.read()
    except SourceError as refusal:
        reader.problems.append(refusal)
    except yaml.MarkedYAMLError as error:
        reader.problems.append(_explain(text, error))
    except yaml.reader.ReaderError as error:
        # its position counts bytes
        line = text.encode()[: error.position].count(b"\n") + 1
        character: Any = error.character  # a number in libyaml, a text in PyYAML's own reader
        code = character if isinstance(character, int) else ord(character)
        message = f"character `U+{code:04X}` is not allowed in YAML"
        return None, [diagnose(file, text, line, 1, message, "yaml-syntax")]
    return tree, [
        diagnose(file, text, p.line, p.column, p.message, p.rule, p.hint) for p in reader.problems
    ]


class _Reader:
    """Builds plain values from events. Limits the depth and the number of problems."""

    def __init__(self, text: str, first: str) -> None:
        self.first = first
        self.events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
        self.problems: list[SourceError] = []
        self.expressions = False

    def read(self) -> Any:
        next(self.events)  # the start of the stream
        if isinstance(first := next(self.events), yaml.StreamEndEvent):
            hint = f"start with `{self.first}:`"
            raise SourceError(None, "the file is empty", "empty-spec", hint)
        if first.version or first.tags:
            message = "YAML directives are not supported"
            raise SourceError(first.start_mark, message, "yaml-directive", "remove it")
        tree = self._value(next(self.events), 0)
        next(self.events)  # the end of the document
        if not isinstance(more := next(self.events), yaml.StreamEndEvent):
            message = "second YAML document: expected one per file"
            raise SourceError(
                more.start_mark, message, "yaml-documents", "move it to a separate file"
            )
        return tree

    def _value(self, event: Any, depth: int) -> Any:
        mark = event.start_mark
        if depth > MAX_DEPTH:
            raise SourceError(mark, f"nested deeper than {MAX_DEPTH} levels", "yaml-depth")
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            message = "YAML anchors and aliases are not supported"
            raise SourceError(mark, message, "yaml-anchor", "repeat the value")
        if event.tag not in (None, "!"):
            raise SourceError(
                mark, f"YAML tag `{event.tag}` is not supported", "yaml-tag", "remove the tag"
            )
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(item := next(self.events), yaml.SequenceEndEvent):
                items.append(self._value(item, depth + 1))
            return items
        return self._mapping(depth)

    def _mapping(self, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        while not isinstance(key := next(self.events), yaml.MappingEndEvent):
            mark: Any = key.start_mark
            if not isinstance(key, yaml.ScalarEvent):
                raise SourceError(mark, "keys must be strings", "yaml-key")
            name: str = key.value
            if name == "<<":
                hint = "repeat the keys"
                message = "YAML merge keys are not supported"
                raise SourceError(mark, message, "yaml-anchor", hint)
            if name in values:
                message = f"duplicate key `{name}`: already set on line {lines[name]}"
                hint = "remove one of them"
                self._add(SourceError(mark, message, "duplicate-key", hint))
            lines.setdefault(name, mark.line + 1)
            if depth == 0:
                self.expressions = name == EXPRESSIONS_IN
            self._scalar(key)  # for its traps: a key is always text
            values[name] = self._value(next(self.events), depth + 1)
        return values

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if "${{" in text and not self.expressions:
            message = "GitHub Actions expressions are not allowed here"
            hint = "for secrets, use `secrets`; for values of the run, use `build.dynamic_args`"
            self._add(SourceError(event.start_mark, message, "no-expression", hint))
        if not event.implicit[0]:  # quoted, or a block
            return text
        value, trap = scalars.read(text)
        if trap:
            message = f"ambiguous value `{text}`: {trap}"
            self._add(SourceError(event.start_mark, message, "yaml-1.1-trap", scalars.remedy(text)))
        return value

    def _add(self, problem: SourceError) -> None:
        self.problems.append(problem)
        if len(self.problems) == MAX_PROBLEMS:
            raise SourceError(None, "too many errors", "too-many", "fix these first")


def _explain(text: str, error: yaml.MarkedYAMLError) -> SourceError:
    """A problem from an error of libyaml."""
    mark: Any = error.problem_mark or error.context_mark
    lines = _lines(text)
    conflict = next((i for i, line in enumerate(lines) if line.startswith("<<<<<<< ")), None)
    if conflict is not None:
        problem = SourceError(
            None,
            "contains merge conflict markers",
            "merge-conflict",
            "resolve the conflict, and remove the markers",
        )
        problem.line = conflict + 1
        return problem
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" in indent or line[mark.column : mark.column + 1] == "\t":
        return SourceError(
            mark, "tabs are not allowed for indentation", "yaml-tab", "use two spaces"
        )
    what, hint = _syntax(error, is_indent=mark.column == len(indent))
    if error.context == "while scanning a quoted scalar" and error.context_mark:
        mark, what = error.context_mark, "unterminated string"
        quote = "".join(lines[mark.line : mark.line + 1])[mark.column : mark.column + 1]
        hint = f"close the `{quote}` of line {mark.line + 1}"
    return SourceError(mark, f"invalid YAML: {what}", "yaml-syntax", hint)


def _syntax(error: yaml.MarkedYAMLError, *, is_indent: bool) -> tuple[str, str]:
    """What is wrong, and a hint; `is_indent` says whether it is at the first word of a line."""
    what = (error.problem or "unreadable").replace("did not find expected", "expected")
    hint = ""
    if error.context in _BLOCKS and is_indent:
        what = "indentation does not match the lines above"
    elif error.context in _BLOCKS:
        what, hint = "unexpected text after a value", "check the quotes and brackets before it"
    elif what.startswith("mapping values are not allowed"):
        what = "a key is not allowed here"
        hint = "check the indentation, and that the key above ends with a colon"
    elif error.context in _BRACKETS and error.context_mark:
        bracket = _BRACKETS[error.context]
        hint = f"close the `{bracket}` of line {error.context_mark.line + 1}"
    elif error.context:
        what += f" {error.context}"
    return what, hint


def locate(text: str, route: Route, *, key: bool = False) -> tuple[int, int]:
    """The line and column, from 1, of the value at `route`, or of its key.

    Of a missing field, those of the innermost key around it. `parse` must have read the text.
    """
    place = node = compose(text)
    for depth, part in enumerate(route):
        entry = child(node, part)
        if entry is None:
            break
        name, node = entry
        place = name if key or depth < len(route) - 1 else node
    mark = place.start_mark
    return mark.line + 1, mark.column + 1


def has(text: str, route: Route) -> bool:
    """Whether the text has a value at `route`."""
    node = compose(text)
    for part in route:
        entry = child(node, part)
        if entry is None:
            return False
        node = entry[1]
    return True


@lru_cache(maxsize=8)
def compose(text: str) -> Any:
    """The nodes of a text, each with its position. Raises `yaml.YAMLError`."""
    return yaml.compose(text, Loader=_Loader)


def child(node: Any, part: str | int) -> tuple[Any, Any] | None:
    """The nodes of an entry's key and value; an item of a sequence is its own key."""
    if isinstance(node, yaml.MappingNode):
        # the last of duplicates, whose value `parse` gives
        return next((pair for pair in reversed(node.value) if pair[0].value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None
