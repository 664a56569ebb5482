"""The syntax tree of an expression; each node evaluates its part.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#operators
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from wfgen.actions.expressions.errors import ExpressionError
from wfgen.actions.expressions.functions import FUNCTIONS
from wfgen.actions.expressions.lookup import ALL, Key, look_up
from wfgen.actions.expressions.values import Value, equals, is_greater, is_truthy, to_string

COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "==": equals,
    "!=": lambda left, right: not equals(left, right),
    ">": is_greater,
    ">=": lambda left, right: equals(left, right) or is_greater(left, right),
    "<": lambda left, right: is_greater(right, left),
    "<=": lambda left, right: equals(left, right) or is_greater(right, left),
}


@dataclass(slots=True)
class Scope:
    """The names that an expression can use, and a record of what it evaluated."""

    contexts: Mapping[str, Value]
    """By lower-case name."""
    functions: Mapping[str, Callable[..., Value]] = field(default_factory=dict)
    """By lower-case name: those that depend on a run."""
    seen: list[tuple[Node, str, Value]] | None = None
    """Each lookup and call that was evaluated, its function, its value; None: not recorded."""

    def see(self, node: Node, function: str, value: Value) -> Value:
        """Records a value, and returns it."""
        if self.seen is not None:
            self.seen.append((node, function, value))
        return value


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression; `start` and `end` are offsets into its text."""

    start: int
    end: int

    def value(self, scope: Scope) -> Value:
        """Raises `ExpressionError`."""
        raise NotImplementedError

    def parts(self) -> tuple[Node, ...]:
        """The child nodes."""
        return ()

    def walk(self) -> Iterator[Node]:
        """This node and all its descendants."""
        yield self
        for part in self.parts():
            yield from part.walk()


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A literal value."""

    literal: Value

    def value(self, scope: Scope) -> Value:  # noqa: ARG002  the signature of all nodes
        return self.literal


@dataclass(frozen=True, slots=True)
class Group(Node):
    """Parentheses."""

    inner: Node

    def value(self, scope: Scope) -> Value:
        return self.inner.value(scope)

    def parts(self) -> tuple[Node, ...]:
        return (self.inner,)


@dataclass(frozen=True, slots=True)
class Not(Node):
    """`!`"""

    operand: Node

    def value(self, scope: Scope) -> Value:
        if isinstance(self.operand, Call):  # recorded once for both
            value = not is_truthy(self.operand.bare(scope))
            return scope.see(self, self.operand.name.lower(), value)
        return not is_truthy(self.operand.value(scope))

    def parts(self) -> tuple[Node, ...]:
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """A comparison, such as `==`."""

    operator: str
    left: Node
    right: Node

    def value(self, scope: Scope) -> Value:
        left = self.left.value(scope)
        return COMPARE[self.operator](left, self.right.value(scope))

    def parts(self) -> tuple[Node, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Logical(Node):
    """`&&` gives the first false operand, `||` the first true one; otherwise the last operand."""

    operator: str
    operands: tuple[Node, ...]

    def value(self, scope: Scope) -> Value:
        wanted = self.operator == "||"
        result: Value = None
        for operand in self.operands:
            result = operand.value(scope)
            if is_truthy(result) == wanted:
                break
        return result

    def parts(self) -> tuple[Node, ...]:
        return self.operands


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A context."""

    name: str

    def value(self, scope: Scope) -> Value:
        return scope.see(self, "", self.bare(scope))

    def bare(self, scope: Scope) -> Value:
        """The value, not recorded."""
        try:
            return scope.contexts[self.name.lower()]
        except KeyError:
            raise ExpressionError("name", f"no context {self.name!r}", self.start) from None


@dataclass(frozen=True, slots=True)
class Star(Node):
    """`*` as an index: all values."""


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`base.property`, `base[index]` or `base.*`."""

    base: Node
    index: Node

    def value(self, scope: Scope) -> Value:
        return scope.see(self, "", self.bare(scope))

    def bare(self, scope: Scope) -> Value:
        """The value, not recorded."""
        key = ALL if isinstance(self.index, Star) else Key(self.index.value(scope))
        base = self.base
        inner = base.bare(scope) if isinstance(base, Name | Index) else base.value(scope)
        return look_up(inner, key)

    def parts(self) -> tuple[Node, ...]:
        return (self.base, self.index)


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function's call."""

    name: str
    arguments: tuple[Node, ...]

    def value(self, scope: Scope) -> Value:
        return scope.see(self, self.name.lower(), self.bare(scope))

    def bare(self, scope: Scope) -> Value:
        """The value, not recorded."""
        arguments = [argument.value(scope) for argument in self.arguments]
        name = self.name.lower()
        call = scope.functions.get(name) or FUNCTIONS[name].call
        return call(*arguments)

    def parts(self) -> tuple[Node, ...]:
        return self.arguments


@dataclass(frozen=True, slots=True)
class Text(Node):
    """Text that contains expressions, such as `release-${{ inputs.environment }}`."""

    pieces: tuple[Node, ...]

    def value(self, scope: Scope) -> Value:
        return "".join(to_string(piece.value(scope)) for piece in self.pieces)

    def parts(self) -> tuple[Node, ...]:
        return self.pieces
