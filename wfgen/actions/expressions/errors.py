"""The error of an expression."""

from __future__ import annotations


class ExpressionError(Exception):
    """An expression that GitHub refuses, or that fails while it is evaluated.

    `kind` is "syntax", "name" (unknown context or function), "arguments" (too many, too few) or
    "value"; `offset` is the position in the text, from 0; -1 if unknown.
    """

    def __init__(self, kind: str, message: str, offset: int = -1) -> None:
        super().__init__(message)
        self.kind, self.offset = kind, offset
