"""Writing values as YAML: quoted unless they are plain words, as HTML engines escape by default."""

from __future__ import annotations

import json
import re
from typing import Any

import jinja2
from markupsafe import Markup

from wfgen.errors import WfgenError

_PLAIN = re.compile(
    r"(?:\./)?(?:\.(?=[\w-]+/))?[A-Za-z_/$][A-Za-z0-9_./@$-]*(:[A-Za-z0-9_./@$-]+)*"
)
_NOT_TEXT = re.compile(r"true|false|null|yes|no|on|off|y|n", re.IGNORECASE)
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_SENTENCE = re.compile(r"(?!.*(?::(?: |$)| #| $))[A-Za-z_/$].*")
"""A text that needs no quotes after a key of a block mapping."""


def scalar(value: Any) -> Markup:
    """A value in YAML: quoted unless it is a plain word. Every `#{{ }}#` of a template uses it."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises with the name that is undefined
    if isinstance(value, bool):
        return Markup("true" if value else "false")
    if isinstance(value, int):
        return Markup(str(value))
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and not _NOT_TEXT.fullmatch(value):
            return Markup(value)
        return Markup(json.dumps(value, ensure_ascii=False))
    if isinstance(value, list | tuple):
        return Markup(f"[{', '.join(scalar(item) for item in value)}]")
    kind = type(value).__name__
    raise WfgenError(f"a template prints a {kind}; print a text, a number or a list [template]")


def line(value: str) -> Markup:
    """A value within a line of a block literal, which needs no quotes."""
    if any(character in value for character in "\r\n\x85\u2028\u2029"):
        raise WfgenError(f"{value!r} has more than one line [template]")
    return Markup(value)


def code(value: str) -> Markup:
    """A value as a code span of Markdown, also inside a table."""
    longest = max((len(run) for run in re.findall("`+", value)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    text = line(value).replace("|", "\\|")
    return Markup(f"{fence}{space}{text}{space}{fence}")


def block(value: str, indent: int) -> Markup:
    """A text of several lines as a block literal, any other as a scalar.

    Also a scalar if a block would change it: leading spaces, or spaces at the end of a line.
    """
    lines = value.rstrip("\n").split("\n")
    ragged = any(line != line.rstrip() for line in lines)
    if len(lines) == 1 or lines[0][:1] in (" ", "\t", "") or ragged:
        return scalar(value.rstrip("\n"))
    return Markup("|" + "".join(f"\n{' ' * indent}{line}" if line else "\n" for line in lines))


def entry(key: str, value: Any, indent: int) -> list[str]:
    """The lines of a key and its value in a block mapping, in the style of the templates."""
    word = key == "on" or (_KEY.fullmatch(key) and not _NOT_TEXT.fullmatch(key))
    name = f"{' ' * indent}{key if word else _quoted(key)}:"
    if value is None:
        return [name]
    if isinstance(value, dict) and value:
        return [name, *(line for item in value.items() for line in entry(*item, indent + 2))]
    if isinstance(value, list) and not all(_fits_in_a_line(item) for item in value):
        return [name, *items(value, indent + 2)]
    return f"{name} {_rest(value, indent + 2)}".split("\n")


def items(values: list[Any], indent: int) -> list[str]:
    """The lines of a list in block style."""
    written: list[str] = []
    for value in values:
        dash = f"{' ' * indent}- "
        if isinstance(value, dict) and value:
            lines = [line for item in value.items() for line in entry(*item, indent + 2)]
        else:
            rest = flow(value) if isinstance(value, list) else _rest(value, indent + 2)
            lines = f"{dash}{rest}".split("\n")
        written += [f"{dash}{lines[0][indent + 2 :]}", *lines[1:]]
    return written


def flow(value: Any) -> str:
    """A value in flow style."""
    if isinstance(value, list):
        return f"[{', '.join(flow(item) for item in value)}]"
    if isinstance(value, dict):
        inner = (f"{_quoted(key)}: {flow(item)}" for key, item in value.items())
        return "{" + ", ".join(inner) + "}"
    if value is None or isinstance(value, float):
        return json.dumps(value)
    if isinstance(value, Markup) or not isinstance(value, str) or _plain(value):
        return str(scalar(value))
    return _quoted(value)


def _rest(value: Any, indent: int) -> str:
    """A value after its key or dash, in the same line or as a block literal."""
    if isinstance(value, Markup) or not isinstance(value, str) or _plain(value):
        return flow(value)
    if _SENTENCE.fullmatch(value) and value.isprintable() and not _NOT_TEXT.fullmatch(value):
        return value
    text = value.removesuffix("\n")
    lines = text.split("\n")
    if len(lines) == 1 or lines[0][:1] in (" ", "\t", "") or not lines[-1]:
        return _quoted(value)
    if not all(line.replace("\t", "").isprintable() and line == line.rstrip() for line in lines):
        return _quoted(value)
    block = [f"{' ' * indent}{line}" if line else "" for line in lines]
    return "\n".join(["|" if value != text else "|-", *block])


def _plain(text: str) -> bool:
    return bool(_PLAIN.fullmatch(text) and not _NOT_TEXT.fullmatch(text))


def _fits_in_a_line(value: Any) -> bool:
    """Whether a value is short enough for flow style."""
    if isinstance(value, str):
        return not isinstance(value, Markup) and "\n" not in value and "${{" not in value
    return not isinstance(value, dict | list)


def _quoted(text: str) -> str:
    """A text in quotes; characters that are not printable are escaped."""
    return "".join(
        c if c.isprintable() else _escape(c) for c in json.dumps(text, ensure_ascii=False)
    )


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
