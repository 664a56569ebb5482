"""What every part of a spec has in common: its base class and the types of its scalars."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError


@dataclass(frozen=True, slots=True)
class Refused:
    """Marks a field of the vocabulary that wfgen does not render yet, and says what to do instead."""

    instead: str


class Model(BaseModel):
    """A part of a spec: no unknown keys, no silent conversion, never changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def model_post_init(self, context: Any, /) -> None:
        for name in self.model_fields_set:
            for mark in type(self).model_fields[name].metadata:
                if isinstance(mark, Refused):
                    raise PydanticCustomError(
                        "not-rendered",
                        "{field} is not rendered by this version of wfgen",
                        {"field": name, "hint": mark.instead},
                    )


def _pattern(expression: str, what: str) -> AfterValidator:
    compiled = re.compile(expression)

    def match(text: str) -> str:
        if not compiled.fullmatch(text):
            raise PydanticCustomError(
                "pattern", "{found} is not {what}", {"found": text, "what": what}
            )
        return text

    return AfterValidator(match)


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _seconds(value: object) -> int:
    found = re.fullmatch(r"([1-9][0-9]{0,5}|0)([smhd])", value) if isinstance(value, str) else None
    if not found:
        raise PydanticCustomError(
            "duration", "{found} is not a duration such as 90s, 5m, 2h or 3d", {"found": value}
        )
    return int(found[1]) * _UNITS[found[2]]


Name = Annotated[
    str, _pattern(r"[a-z]([a-z0-9-]{0,51}[a-z0-9])?", "a name of lower-case letters, digits and -")
]
"""A DNS label (RFC 1123) that begins with a letter, short enough for a suffix."""

ObjectName = Annotated[
    str, _pattern(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", "a name of a Kubernetes object")
]
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"""

SecretName = Annotated[
    str,
    _pattern(
        r"(?!GITHUB_)[A-Z_][A-Z0-9_]{0,99}",
        "a name of a secret (capitals, digits and _, not beginning with GITHUB_)",
    ),
]
"""https://docs.github.com/en/actions/reference/security/secrets#naming-your-secrets"""

ArgumentName = Annotated[str, _pattern(r"[A-Za-z_][A-Za-z0-9_]*", "a name of a build argument")]

Line = Annotated[str, _pattern(r"[^\x00-\x1f\x7f\x85\u2028\u2029]+", "one line of text")]
"""Text without line breaks and control characters."""

Text = Annotated[str, _pattern(r"[^\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]+", "printable text")]
"""Text of one or more lines, such as a shell command."""

Runner = Annotated[str, _pattern(r"[A-Za-z0-9][A-Za-z0-9._-]*", "the label of a runner")]
"""https://docs.github.com/en/actions/how-tos/write-workflows/choose-where-workflows-run"""

Label = Annotated[str, _pattern(r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,49}", "a plain name of a label")]

Path = Annotated[
    str,
    _pattern(
        r"(?!/)(?!.*(^|/)\.\.(/|$))(\./)?[A-Za-z0-9_.@+/ -]+",
        "a path below the repository's root (relative, without ..)",
    ),
]

Glob = Annotated[
    str,
    _pattern(
        r"(?!/)(?!.*(^|/)\.\.(/|$))[A-Za-z0-9_.@+/ *?\[\]-]+",
        "a path pattern below the repository's root (relative, without ..)",
    ),
]

ImageName = Annotated[
    str,
    _pattern(
        r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*",
        "an image name of lower-case letters, digits and separators, without tag",
    ),
]
"""https://github.com/distribution/reference: a path of name components."""

ImageReference = Annotated[
    str,
    _pattern(
        r"[a-z0-9][A-Za-z0-9._:/-]*(:(?!latest$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
        r"|@sha256:[0-9a-f]{64})",
        "an image with an exact tag or a digest (never latest)",
    ),
]

Port = Annotated[int, Field(ge=1, le=65535)]

Duration = Annotated[int, BeforeValidator(_seconds, json_schema_input_type=str)]
"""Written as 90s, 5m, 2h or 3d; seconds once loaded."""
