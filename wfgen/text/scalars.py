"""What a plain scalar of YAML means, and whether every reader agrees on it.

By the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema). What readers of
YAML 1.1 (https://yaml.org/type/) would take for something else is a trap: `on`, `1:30`, `010`.
"""

from __future__ import annotations

import contextlib
import re

_CONSTANTS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_YES = re.compile(r"[yY]|[yY]es|YES|[oO]n|ON")
_NO = re.compile(r"[nN]|[nN]o|NO|[oO]ff|OFF")
_TRAPS = (
    (_YES, "a boolean in YAML 1.1, a string in YAML 1.2"),
    (_NO, "a boolean in YAML 1.1, a string in YAML 1.2"),
    (
        re.compile(r"[-+]?0o?[0-7]+"),
        "an octal number for some YAML readers, a decimal number for others",
    ),
    (
        re.compile(r"[-+]?0x[0-9a-fA-F_]+|[-+]?0b[01_]+"),
        "a number for some YAML readers, a string for others",
    ),
    (
        re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"),
        "a base-60 number in YAML 1.1, a string in YAML 1.2",
    ),
    (
        re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?"),
        "a number in YAML 1.1, a string in YAML 1.2",
    ),
    (
        re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9:.Zz+ -]*)?"),
        "a date in YAML 1.1, a string in YAML 1.2",
    ),
)

Plain = str | int | float | bool | None


def read(text: str) -> tuple[Plain, str]:
    """The value, and what some reader takes it for instead ("" where all agree)."""
    if text in _CONSTANTS:
        return _CONSTANTS[text], ""
    if text[:1].isalpha() and len(text) > 3:
        return text, ""  # neither a number nor a word of the traps
    for pattern, meaning in _TRAPS:
        if pattern.fullmatch(text):
            return text, meaning
    if not _NUMBER.fullmatch(text):
        return text, ""
    number = int(text) if _INT.fullmatch(text) else float(text)
    return (number, "") if str(number) == text else (text, f"read as the number `{number}`")


def remedy(text: str) -> str:
    """How to write a trap so that every reader agrees."""
    plain = "true" if _YES.fullmatch(text) else "false" if _NO.fullmatch(text) else _whole(text)
    return f'write `{plain}`, or `"{text}"` for the string' if plain else f'write `"{text}"`'


def _whole(text: str) -> str:
    """The whole number that was meant; "" where it was none."""
    digits = text.replace("_", "")
    for base in (0, 10):  # with 0, Python reads 0x and 0b, and refuses 010
        with contextlib.suppress(ValueError):
            return str(int(digits, base))
    return ""
