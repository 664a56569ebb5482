"""YAML text to plain values, and a route into it to a line and a column.

Reading is two-fold. `parse` turns libyaml's events into plain values by the core schema of
YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema) and refuses what other YAML readers would
read differently. `locate` is asked only once something is wrong: ruamel.yaml's round-trip tree
knows where each key and value stands. No other module knows either library.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from wfgen.diagnostics import Diagnostic, Position

MAX_BYTES = 1_000_000
"""A longer spec is refused unread."""
MAX_DEPTH = 50
"""Deeper nesting is refused."""

Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TRAP = re.compile(
    r"(?P<boolean>[yY]|[nN]|[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF)"
    r"|(?P<octal>[-+]?0[0-9]+|[-+]?0o[0-7]+)"
    r"|(?P<sexagesimal>[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9]*)?)"
    r"|(?P<underscore>[-+]?[0-9][0-9_]*_[0-9_]*)"
    r"|(?P<version>[0-9]+\.[0-9]*0)"
)
_TRAPS = {
    "boolean": "a boolean in YAML 1.1 and a text in YAML 1.2",
    "octal": "an octal number to some YAML readers and a decimal one to others",
    "sexagesimal": "a number to base 60 in YAML 1.1 and a text in YAML 1.2",
    "underscore": "a number in YAML 1.1 and a text in YAML 1.2",
    "version": "a number, which loses its last 0",
}
_CONSTANTS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


class Refused(Exception):
    """The text stops being a readable spec at `line` and `column` (from 1)."""

    def __init__(self, mark: Any, message: str, rule: str, hint: str = "") -> None:
        super().__init__(message)
        self.line: int = mark.line + 1 if mark else 1
        self.column: int = mark.column + 1 if mark else 1
        self.message, self.rule, self.hint = message, rule, hint


def diagnose(
    file: str, text: str, line: int, column: int, message: str, rule: str, hint: str = ""
) -> Diagnostic:
    """A diagnostic at a line and a column of `text`, with its source line."""
    lines = text.splitlines() or [""]
    line = min(max(line, 1), len(lines))
    source = lines[line - 1]
    if len(source) > 160:
        source = source[:157] + "..."
    column = min(column, len(source) + 1)
    return Diagnostic(Position(file, line, column), message, rule, hint, source)


def parse(file: str, text: str) -> tuple[Any, list[Diagnostic]]:
    """The values of a YAML text, and what is wrong with it; values are None where it is unreadable."""
    try:
        reader = _Reader(text)
        tree = reader.read()
        problems = reader.problems
    except Refused as refusal:
        tree, problems = None, [refusal]
    except yaml.MarkedYAMLError as error:
        tree, problems = None, [_explain(text, error)]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"character #x{error.character:04x} is not allowed in YAML"
        return None, [diagnose(file, text, line, 1, message, "yaml-syntax")]
    return tree, [
        diagnose(file, text, p.line, p.column, p.message, p.rule, p.hint) for p in problems
    ]


class _Reader:
    """Builds plain values from a stream of events, depth and size bounded."""

    def __init__(self, text: str) -> None:
        self.events: Iterator[Any] = yaml.parse(text, Loader=Loader)
        self.problems: list[Refused] = []

    def read(self) -> Any:
        next(self.events)  # the start of the stream
        if isinstance(first := next(self.events), yaml.StreamEndEvent):
            raise Refused(first.start_mark, "the file is empty", "empty-spec", "start with `kind:`")
        tree = self._value(next(self.events), 0)
        next(self.events)  # the end of the document
        if not isinstance(more := next(self.events), yaml.StreamEndEvent):
            raise Refused(
                more.start_mark, "a second document; expected one per file", "yaml-documents"
            )
        return tree

    def _value(self, event: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise Refused(event.start_mark, f"nested deeper than {MAX_DEPTH} levels", "yaml-depth")
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise Refused(
                event.start_mark,
                "anchors and aliases are not read; expected plain values",
                "yaml-anchor",
                "write the value out at each place",
            )
        if event.tag not in (None, "!"):
            raise Refused(
                event.start_mark, f"tag {event.tag} is not read", "yaml-tag", "remove the tag"
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
        while not isinstance(key := next(self.events), yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent):
                raise Refused(key.start_mark, "a key must be a plain word", "yaml-key")
            if key.value == "<<":
                raise Refused(
                    key.start_mark, "merge keys are not read", "yaml-anchor", "write the keys out"
                )
            if key.value in values:
                self.problems.append(
                    Refused(
                        key.start_mark,
                        f"key {key.value} stands here a second time",
                        "duplicate-key",
                        "keep one of them",
                    )
                )
            if key.implicit[0] and (trap := _TRAP.fullmatch(key.value)):
                self.problems.append(_trapped(key, trap))
            values[key.value] = self._value(next(self.events), depth + 1)
        return values

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if "${{" in text:
            self.problems.append(
                Refused(
                    event.start_mark,
                    "an expression of GitHub Actions; expected a plain value",
                    "no-expression",
                    "secrets are named under `secrets`, changing values under `dynamic_args`",
                )
            )
        if not event.implicit[0]:  # quoted, or a block
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if trap := _TRAP.fullmatch(text):
            self.problems.append(_trapped(event, trap))
            return text
        if _INT.fullmatch(text) and len(text) < 20:
            return int(text)
        return float(text) if _FLOAT.fullmatch(text) else text


def _trapped(event: Any, trap: re.Match[str]) -> Refused:
    meaning = _TRAPS[trap.lastgroup or ""]
    hint = f'write "{event.value}" for the text'
    if trap.lastgroup == "boolean":
        hint = f"write {'true' if event.value.lower() in ('y', 'yes', 'on') else 'false'}, or " + (
            f'"{event.value}" for the text'
        )
    return Refused(event.start_mark, f"{event.value} is {meaning}", "yaml-1.1-trap", hint)


def _explain(text: str, error: yaml.MarkedYAMLError) -> Refused:
    """libyaml's complaint, in words for who wrote the file."""
    mark: Any = error.problem_mark or error.context_mark
    lines = text.splitlines()
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    if (
        "\t" in line[: len(line) - len(line.lstrip())]
        or line[mark.column : mark.column + 1] == "\t"
    ):
        return Refused(mark, "a tab; YAML is indented with spaces", "yaml-tab", "use two spaces")
    problem = (error.problem or "not YAML").replace("did not find expected", "expected")
    if error.context:
        problem += f" {error.context}"
    return Refused(mark, f"not YAML: {problem}", "yaml-syntax")


def locate(text: str, route: tuple[str | int, ...], *, key: bool = False) -> tuple[int, int]:
    """Line and column (from 1) of the value at `route`, or of its key.

    Where the route leaves the text (a field that is missing), the place of the last part that
    exists is given.
    """
    from ruamel.yaml import YAML

    reader = YAML(typ="rt")
    reader.allow_duplicate_keys = True  # told by `parse` already
    node: Any = reader.load(text)
    place = (0, 0)
    for depth, part in enumerate(route):
        last = depth == len(route) - 1
        if isinstance(part, str) and isinstance(node, dict):
            part = next((k for k in node if str(k) == part), part)
            if part not in node:
                break
            place = node.lc.key(part) if key and last else node.lc.value(part)
        elif isinstance(part, int) and isinstance(node, list) and part < len(node):
            place = node.lc.item(part)
        else:
            break
        node = node[part]
    return place[0] + 1, place[1] + 1


def with_item(text: str, key: str, item: str) -> str:
    """A YAML text with one more item in the list at `key`; comments and order stay as they are."""
    import io

    from ruamel.yaml import YAML

    editor: Any = YAML(typ="rt")
    editor.preserve_quotes = True
    editor.width = 4096
    editor.indent(mapping=2, sequence=4, offset=2)
    tree: Any = editor.load(text)
    if item in tree.setdefault(key, []):
        return text
    tree[key].append(item)
    out = io.StringIO()
    editor.dump(tree, out)
    return out.getvalue()
