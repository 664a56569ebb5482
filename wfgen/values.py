"""How a value of a spec stands in generated YAML: quoted, unless it is plainly a word.

As HTML engines escape by default, so does this: templates need not think of it.
"""

from __future__ import annotations

import json
import re
from typing import Any

import jinja2
from markupsafe import Markup

from wfgen.errors import WfgenError

_PLAIN = re.compile(r"[A-Za-z_/$][A-Za-z0-9_./@$-]*(:[A-Za-z0-9_./@$-]+)*")
_NOT_TEXT = re.compile(r"true|false|null|yes|no|on|off|y|n", re.IGNORECASE)


def scalar(value: Any) -> Markup:
    """How a value stands in YAML: quoted, unless it is plainly a word.

    Templates need not think of it: every `#{{ }}#` goes through here.
    """
    if isinstance(value, Markup):
        return value
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises, and says which name is undefined
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
    raise WfgenError(f"a template prints a {kind}, which is no text, number or list [template]")


def line(value: str) -> Markup:
    """A value as the rest of a line of a block literal, where nothing needs quotes."""
    if any(character in value for character in "\r\n\x85\u2028\u2029"):
        raise WfgenError(f"{value!r} is more than one line [template]")
    return Markup(value)


def code(value: str) -> Markup:
    """A value as a code span of Markdown, also inside a table."""
    longest = max((len(run) for run in re.findall("`+", value)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    text = line(value).replace("|", "\\|")
    return Markup(f"{fence}{space}{text}{space}{fence}")


def block(value: str, indent: int) -> Markup:
    """A text as a block literal where it has several lines, as a scalar otherwise.

    Quoted as well where a block would change it: spaces first, or at the end of a line.
    """
    lines = value.rstrip("\n").split("\n")
    ragged = any(line != line.rstrip() for line in lines)
    if len(lines) == 1 or lines[0][:1] in (" ", "\t", "") or ragged:
        return scalar(value.rstrip("\n"))
    return Markup("|" + "".join(f"\n{' ' * indent}{line}" if line else "\n" for line in lines))
