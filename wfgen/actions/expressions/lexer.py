"""Splits the text of an expression into tokens.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#literals
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from wfgen.actions.expressions.errors import ExpressionError
from wfgen.actions.expressions.values import SPACE, Value, to_number

MAX_LENGTH = 21_000
"""Maximum number of characters (UTF-16 code units) of an expression."""
EDGE = re.escape("()[],!<>=&|" + SPACE)
"""The characters that end a word or a number."""
TOKEN = re.compile(
    rf"(?P<space>[ \t\r\n]+)|(?P<text>'(?:[^']|'')*+')|(?P<operator>&&|\|\||[=!<>]=|[][()<>!,*])"
    rf"|(?P<number>[-+0-9][^{EDGE}]*)|(?P<word>[^.{EDGE}]+)|(?P<dot>\.)"
)
POINT = re.compile(rf"\.[^{EDGE}]*")
"""A number that begins with its decimal point."""
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
CONSTANTS = {"true": True, "false": False, "null": None, "NaN": math.nan, "Infinity": math.inf}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an expression; `start` and `end` are offsets into its text."""

    kind: str
    """The text of an operator; or "word", "literal", "end"."""
    text: str
    start: int
    end: int
    value: Value = None


def tokenize(text: str) -> list[Token]:
    """All tokens, and a last one of kind "end". Raises `ExpressionError`."""
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > MAX_LENGTH:
        raise ExpressionError("syntax", f"longer than {MAX_LENGTH:,} characters")
    tokens: list[Token] = []
    offset = 0
    while offset < len(text):
        match = TOKEN.match(text, offset)
        if match and match.lastgroup == "dot" and not _is_property(tokens):
            match = POINT.match(text, offset)
        if not match:
            raise ExpressionError("syntax", f"unexpected {text[offset:]!r}", offset)
        if match.lastgroup != "space":
            tokens.append(_token(match.lastgroup, match[0], offset, tokens))
        offset = match.end()
    return [*tokens, Token("end", "", offset, offset)]


def _is_property(tokens: list[Token]) -> bool:
    """Whether a point after these tokens begins a property."""
    return bool(tokens) and tokens[-1].kind in ("word", "]", ")", "*")


def _token(group: str | None, text: str, start: int, before: list[Token]) -> Token:
    end = start + len(text)
    if group == "text":
        return Token("literal", text, start, end, text[1:-1].replace("''", "'"))
    if group in ("operator", "dot"):
        return Token(text, text, start, end)
    if group == "word":
        is_property = bool(before) and before[-1].kind == "."
        if text in CONSTANTS and not is_property:
            return Token("literal", text, start, end, CONSTANTS[text])
        if WORD.fullmatch(text):
            return Token("word", text, start, end)
    else:
        number = to_number(text)
        if not math.isnan(number):
            return Token("literal", text, start, end, number)
    raise ExpressionError("syntax", f"unexpected {text!r}", start)
