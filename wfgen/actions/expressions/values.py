"""The values of expressions, and conversions between their types.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#operators

Values are None, bool, float, str, and two containers, `Object` and list. Numbers are 64-bit floats
and print as in JavaScript.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

Value = Any
"""None, bool, float, str, Object or list."""

SPACE = (
    "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""Characters that are allowed around a number in a string."""
DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
BASED = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")
PLACES = Decimal("1e-15")
"""A number prints with at most 15 decimal places."""
DOTLESS_I = "\u0131"
"""The one letter that keeps its case in comparisons."""


class Object:
    """A mapping that ignores the case of keys; of two that differ in case, the first counts."""

    __slots__ = ("_by_lower",)

    def __init__(self, items: Mapping[str, Value]) -> None:
        self._by_lower: dict[str, tuple[str, Value]] = {}
        for key, value in items.items():
            self._by_lower.setdefault(key.lower(), (key, value))

    def get(self, key: str) -> Value:
        """The value of a key; None where it does not exist."""
        item = self._by_lower.get(key.lower())
        return item and item[1]

    def __contains__(self, key: str) -> bool:
        return key.lower() in self._by_lower

    def values(self) -> list[Value]:
        """All values, in the order of their keys."""
        return [value for _, value in self._by_lower.values()]

    def items(self) -> list[tuple[str, Value]]:
        """Keys in their first spelling, and their values."""
        return list(self._by_lower.values())


class Filtered(list[Value]):
    """The value of `*`: an index into it applies to each of its items."""


def lift(plain: Any) -> Value:
    """A plain JSON value as a value of expressions."""
    if isinstance(plain, Mapping):
        return Object({str(key): lift(value) for key, value in plain.items()})
    if isinstance(plain, (list, tuple)):
        return [lift(item) for item in plain]
    if isinstance(plain, int) and not isinstance(plain, bool):
        return float(plain)
    return plain


def lower(value: Value) -> Any:
    """A value of expressions as a plain one."""
    if isinstance(value, Object):
        return {key: lower(item) for key, item in value.items()}
    if isinstance(value, list):
        return [lower(item) for item in value]
    return value


def is_truthy(value: Value) -> bool:
    """False for null, false, 0, NaN and the empty string; true for containers, even empty ones."""
    if isinstance(value, (Object, list)):
        return True
    return bool(value) and value == value


def is_primitive(value: Value) -> bool:
    """Neither an object nor a list."""
    return not isinstance(value, (Object, list))


def to_number(value: Value) -> float:
    """NaN for containers and for strings that are not numbers."""
    if isinstance(value, str):
        return _parse_number(value.strip(SPACE))
    return float(value or 0) if is_primitive(value) else math.nan


def _parse_number(text: str) -> float:
    if not text:
        return 0.0
    if text.lstrip("+-") == "Infinity" and len(text) <= len("+Infinity"):
        return -math.inf if text[0] == "-" else math.inf
    if BASED.fullmatch(text):
        try:
            return float(int(text, 0))
        except OverflowError:
            return math.inf
    return float(text) if DECIMAL.fullmatch(text) else math.nan


def to_string(value: Value) -> str:
    """The text that GitHub puts in place of an expression."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(_round(value))
    if isinstance(value, str):
        return value
    return "Object" if isinstance(value, Object) else "Array"


def _round(number: float) -> float:
    if not math.isfinite(number) or abs(number) >= 1e21:
        return number
    with localcontext(prec=60):
        return float(Decimal(number).quantize(PLACES, ROUND_HALF_UP))


def number_text(number: float) -> str:
    """The shortest text of a number, as in JavaScript."""
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(number)).as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    point = len(digits) + int(exponent)
    minus = "-" if sign else ""
    if 0 < point <= 21:
        whole, rest = text[:point].ljust(point, "0"), text[point:]
        return f"{minus}{whole}.{rest}" if rest else minus + whole
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{text}"
    mantissa = f"{text[0]}.{text[1:]}" if len(text) > 1 else text
    return f"{minus}{mantissa}e{point - 1:+d}"


def fold(text: str) -> str:
    """A string in the form for comparisons, which ignore case."""
    if DOTLESS_I not in text:
        return text.upper()
    return DOTLESS_I.join(part.upper() for part in text.split(DOTLESS_I))


def _converted(left: Value, right: Value) -> tuple[Value, Value]:
    """Both values as one type where GitHub converts them; otherwise unchanged."""
    if isinstance(left, str) and isinstance(right, str):
        return fold(left), fold(right)
    if type(left) is not type(right) and is_primitive(left) and is_primitive(right):
        return to_number(left), to_number(right)
    return left, right


def equals(left: Value, right: Value) -> bool:
    """`==`. Strings ignore case; containers are equal only to themselves."""
    left, right = _converted(left, right)
    if not is_primitive(left) or not is_primitive(right):
        return left is right
    return bool(left == right)


def is_greater(left: Value, right: Value) -> bool:
    """`>`. False for containers, null and NaN."""
    left, right = _converted(left, right)
    if isinstance(left, str):
        return _units(left) > _units(right) if isinstance(right, str) else False
    if left is None or right is None or not is_primitive(left) or not is_primitive(right):
        return False
    return bool(left > right)


def _units(text: str) -> bytes:
    """The order of strings is that of their UTF-16 code units."""
    return text.encode("utf-16-be", "surrogatepass")


def to_json(value: Value, indent: str = "") -> str:
    """The value of toJSON(): indented by two spaces."""
    deeper = indent + "  "
    if isinstance(value, float):
        return number_text(value) if math.isfinite(value) else "null"
    if isinstance(value, Object):
        lines = [
            f"{json.dumps(k, ensure_ascii=False)}: {to_json(v, deeper)}" for k, v in value.items()
        ]
        begin, end = "{}"
    elif isinstance(value, list):
        lines = [to_json(item, deeper) for item in value]
        begin, end = "[]"
    else:
        return json.dumps(value, ensure_ascii=False)
    if not lines:
        return begin + end
    return begin + ",".join(f"\n{deeper}{line}" for line in lines) + f"\n{indent}{end}"


def from_json(text: str) -> Value:
    """Raises `ValueError` for a text that is not JSON."""
    return lift(json.loads(text, parse_int=float, parse_constant=_refuse))


def _refuse(constant: str) -> Value:
    raise ValueError(f"{constant} is not JSON")
