"""A parsed expression: evaluates, explains its value, and lists what it reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from functools import cached_property
from typing import Any

from wfgen.actions.expressions.functions import STATUS
from wfgen.actions.expressions.nodes import Call, Index, Literal, Logical, Name, Node, Scope, Text
from wfgen.actions.expressions.parser import Parser
from wfgen.actions.expressions.values import Object, Value, lift, to_string

Functions = Mapping[str, Callable[..., Value]]
BRACES = re.compile(r"\$\{\{(?P<inner>(?:[^'}]|'(?:[^']|'')*'|\}(?!\}))*)\}\}")
LONGEST = 60
"""Characters of a value that an explanation shows."""


class Expression:
    """An expression, or a text that contains expressions."""

    def __init__(self, text: str, tree: Node) -> None:
        self.text, self.tree = text, tree

    def evaluate(self, contexts: Mapping[str, Any], functions: Functions | None = None) -> Value:
        """Its value. Contexts are plain values or `Lifted`; functions have lower-case names.

        Raises `ExpressionError`.
        """
        return self.tree.value(Scope(_lifted(contexts), functions or {}))

    def explain(
        self,
        contexts: Mapping[str, Any],
        functions: Functions | None = None,
        notes: Mapping[str, str] | None = None,
    ) -> str:
        """The text, with values in brackets after every lookup and every call that gives a boolean.

        Parts that were not evaluated have no value, nor do repetitions. `notes` replaces the value
        of a function by a reason.
        """
        seen: list[tuple[Node, str, Value]] = []
        self.tree.value(Scope(_lifted(contexts), functions or {}, seen))
        first: dict[str, tuple[int, str]] = {}
        for node, function, value in sorted(seen, key=lambda evaluated: evaluated[0].start):
            if not function or isinstance(value, bool):
                note = (notes or {}).get(function) or show(value)
                first.setdefault(self.text[node.start : node.end], (node.end, note))
        text = self.text
        for end, note in sorted(first.values(), reverse=True):
            text = f"{text[:end]} [{note}]{text[end:]}"
        return text

    @cached_property
    def calls(self) -> frozenset[str]:
        """The functions that it calls, by lower-case name."""
        return frozenset(n.name.lower() for n in self.tree.walk() if isinstance(n, Call))

    @cached_property
    def asks_status(self) -> bool:
        """Whether it calls a status function: then GitHub does not add success()."""
        return not self.calls.isdisjoint(STATUS)

    @cached_property
    def reads(self) -> frozenset[tuple[str, ...]]:
        """What it looks up, in lower case: a context and its properties; "*" for any property."""
        inner = {id(node.base) for node in self.tree.walk() if isinstance(node, Index)}
        return frozenset(
            _path(node)
            for node in self.tree.walk()
            if isinstance(node, Name | Index) and id(node) not in inner
            if _path(node)
        )


def _path(node: Node) -> tuple[str, ...]:
    """What a node looks up; () where this does not begin with a context."""
    if isinstance(node, Name):
        return (node.name.lower(),)
    if not isinstance(node, Index) or not (base := _path(node.base)):
        return ()
    if isinstance(node.index, Literal):
        return (*base, to_string(node.index.literal).lower())
    return (*base, "*")


def _lifted(contexts: Mapping[str, Any]) -> Mapping[str, Value]:
    if isinstance(contexts, Lifted):
        return contexts
    return {name.lower(): lift(value) for name, value in contexts.items()}


class Lifted(dict[str, Value]):
    """Contexts by lower-case name, with lifted values."""


def show(value: Value) -> str:
    """A value's text in an explanation."""
    if isinstance(value, str):
        text = f"'{value}'"
    elif isinstance(value, list):
        text = ", ".join(map(show, value)) or "none"
    elif isinstance(value, Object):
        text = "an object"
    else:
        text = "null" if value is None else to_string(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def parse(text: str, contexts: Container[str] | None = None) -> Expression:
    """An expression without braces. Raises `ExpressionError`.

    `contexts` are those that are allowed, by lower-case name; None allows all.
    """
    return Expression(text, Parser(text, contexts).parse())


def parse_template(text: str, contexts: Container[str] | None = None) -> Expression:
    """A text with expressions in braces; a single expression keeps the type of its value."""
    pieces: list[Node] = []
    end = 0
    for match in BRACES.finditer(text):
        if match.start() > end:
            pieces.append(Literal(end, match.start(), text[end : match.start()]))
        pieces.append(Parser(match["inner"], contexts, match.start("inner")).parse())
        end = match.end()
    if end < len(text) or not pieces:
        pieces.append(Literal(end, len(text), text[end:]))
    tree = pieces[0] if len(pieces) == 1 else Text(0, len(text), tuple(pieces))
    return Expression(text, tree)


def parse_condition(text: str, contexts: Container[str] | None = None) -> Expression:
    """The condition of an `if`, with or without braces, and with the success() that GitHub adds.

    GitHub adds none where it calls a status function. With text outside the braces, as in
    `${{ a }} == 'x'`, the whole is a string, and true.
    """
    stripped = text.strip()
    if not stripped:
        return parse("success()")
    match = BRACES.fullmatch(stripped)
    inner = match["inner"].strip() if match else stripped
    if not match and BRACES.search(stripped):
        template = parse_template(stripped, contexts)
        return template if template.asks_status else parse("success()")
    condition = parse(inner, contexts)
    if condition.asks_status:
        return condition
    is_choice = isinstance(condition.tree, Logical) and condition.tree.operator == "||"
    return parse(f"success() && ({inner})" if is_choice else f"success() && {inner}", contexts)


def evaluate(
    expression: str, contexts: Mapping[str, Any], functions: Functions | None = None
) -> Value:
    """Parses and evaluates an expression that is used once."""
    names = {name.lower() for name in contexts}
    return parse(expression, names).evaluate(contexts, functions)
