"""Parses tokens into a syntax tree.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#operators
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager

from wfgen.actions.expressions.errors import ExpressionError
from wfgen.actions.expressions.functions import FUNCTIONS
from wfgen.actions.expressions.lexer import Token, tokenize
from wfgen.actions.expressions.nodes import (
    Call,
    Compare,
    Group,
    Index,
    Literal,
    Logical,
    Name,
    Node,
    Not,
    Star,
)

MAX_DEPTH = 50
"""Maximum number of nested levels."""


class Parser:
    """Parses one expression; `shift` is its offset in a longer text."""

    def __init__(self, text: str, contexts: Container[str] | None, shift: int = 0) -> None:
        self.tokens = tokenize(text)
        self.contexts = contexts
        self.shift = shift
        self.position = 0
        self.depth = 0

    def parse(self) -> Node:
        """Raises `ExpressionError`."""
        tree = self._expression()
        if self._token.kind != "end":
            raise self._unexpected()
        return tree

    @property
    def _token(self) -> Token:
        return self.tokens[self.position]

    def _unexpected(self) -> ExpressionError:
        token = self._token
        what = "end" if token.kind == "end" else repr(token.text)
        return ExpressionError("syntax", f"unexpected {what}", self.shift + token.start)

    def _take(self, *kinds: str) -> Token | None:
        token = self._token
        if token.kind not in kinds:
            return None
        self.position += 1
        return token

    def _expect(self, kind: str) -> Token:
        token = self._take(kind)
        if token is None:
            raise self._unexpected()
        return token

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError("syntax", f"nested deeper than {MAX_DEPTH} levels")
        yield
        self.depth -= 1

    def _expression(self) -> Node:
        with self._deeper():
            return self._logical("||", lambda: self._logical("&&", self._equality))

    def _logical(self, operator: str, operand: Callable[[], Node]) -> Node:
        operands = [operand()]
        if self._token.kind == operator:
            with self._deeper():
                while self._take(operator):
                    operands.append(operand())
        if len(operands) == 1:
            return operands[0]
        return Logical(operands[0].start, operands[-1].end, operator, tuple(operands))

    def _equality(self) -> Node:
        return self._compare(("==", "!="), lambda: self._compare((">", ">=", "<", "<="), self._not))

    def _compare(self, operators: tuple[str, ...], operand: Callable[[], Node]) -> Node:
        left = operand()
        while operator := self._take(*operators):
            right = operand()
            left = Compare(left.start, right.end, operator.kind, left, right)
        return left

    def _not(self) -> Node:
        if sign := self._take("!"):
            with self._deeper():
                operand = self._not()
            return Not(self.shift + sign.start, operand.end, operand)
        return self._access()

    def _access(self) -> Node:
        """A value, with the indexes and properties after it."""
        tree = self._value()
        depth = self.depth
        while isinstance(tree, Group | Call | Name | Index):
            if self._take("["):
                index = self._star() or self._expression()
                self._expect("]")
            elif self._take("."):
                index = self._star() or self._property()
            else:
                break
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise ExpressionError("syntax", f"nested deeper than {MAX_DEPTH} levels")
            tree = Index(tree.start, self._last_end, tree, index)
        self.depth = depth
        return tree

    @property
    def _last_end(self) -> int:
        return self.shift + self.tokens[self.position - 1].end

    def _star(self) -> Node | None:
        star = self._take("*")
        return Star(self.shift + star.start, self.shift + star.end) if star else None

    def _property(self) -> Node:
        word = self._expect("word")
        return Literal(self.shift + word.start, self.shift + word.end, word.text)

    def _value(self) -> Node:
        if literal := self._take("literal"):
            start, end = self.shift + literal.start, self.shift + literal.end
            return Literal(start, end, literal.value)
        if opening := self._take("("):
            inner = self._expression()
            self._expect(")")
            return Group(self.shift + opening.start, self._last_end, inner)
        word = self._expect("word")
        if self._take("("):
            return self._call(word)
        if self.contexts is not None and word.text.lower() not in self.contexts:
            raise ExpressionError("name", f"no context {word.text!r} here", self.shift + word.start)
        return Name(self.shift + word.start, self.shift + word.end, word.text)

    def _call(self, word: Token) -> Node:
        arguments = []
        while not self._take(")"):
            arguments.append(self._expression())
            if self._token.kind != ")":
                self._expect(",")
        start = self.shift + word.start
        function = FUNCTIONS.get(word.text.lower())
        if function is None:
            raise ExpressionError("name", f"no function {word.text!r}", start)
        if not function.least <= len(arguments) <= function.most:
            message = f"{word.text}() does not take {len(arguments)} arguments"
            raise ExpressionError("arguments", message, start)
        if word.text.lower() == "case" and len(arguments) % 2 == 0:
            raise ExpressionError("arguments", "case() has no last value", start)
        return Call(start, self._last_end, word.text, tuple(arguments))
