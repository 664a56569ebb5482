"""What every part of a spec has in common: its base class and the types of its scalars."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic import model_validator as validator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True, slots=True)
class Mistake:
    """What fields of one part get wrong about one another; shown at `field`."""

    field: str
    message: str
    hint: str


class Model(BaseModel):
    """A part of a spec: no unknown keys, no silent conversion, never changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    def mistakes(self) -> Iterable[Mistake]:
        """Asked once each field is right by itself."""
        return ()

    @validator(mode="after")
    def _consistent(self) -> Self:
        if found := tuple(self.mistakes()):
            raise PydanticCustomError("mistakes", "inconsistent", {"mistakes": found})
        return self


@dataclass(frozen=True, slots=True)
class Refused:
    """Marks a field, or one value of it, that wfgen does not render yet: what to do instead."""

    instead: str
    value: str | None = None
    """The one value that is refused; None for the whole field."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._refuse, handler(source))

    def _refuse(self, given: object) -> object:
        if self.value not in (None, given):
            return given
        raise PydanticCustomError(
            "not-rendered", "not rendered", {"hint": self.instead, "value": self.value or ""}
        )


@dataclass(frozen=True)
class Matching:
    """Text that matches a regular expression as a whole; `what` says in words what that is."""

    expression: str
    what: str
    hint: str = ""

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.expression, re.ASCII)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._match, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "pattern": f"^(?:{self.expression})$"}

    def _match(self, text: str) -> str:
        if not self._compiled.fullmatch(text):
            raise PydanticCustomError("format", "no", {"what": self.what, "hint": self.hint})
        return text


@dataclass(frozen=True, slots=True)
class Between:
    """A whole number from `low` to `high`."""

    low: int
    high: int

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "minimum": self.low, "maximum": self.high}

    def _check(self, number: int) -> int:
        if not self.low <= number <= self.high:
            what = f"between {self.low} and {self.high}"
            raise PydanticCustomError("range", "no", {"what": what})
        return number


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Lasting:
    """A duration, written as 90s, 5m, 2h or 3d and seconds once loaded, from `low` to `high`."""

    low: str
    high: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            self._seconds,
            handler(source),
            json_schema_input_schema=core_schema.str_schema(pattern="^[0-9]{1,6}[smhd]$"),
        )

    def _seconds(self, value: object) -> int:
        seconds = _seconds(value) if isinstance(value, str) else None
        if seconds is None:
            hint = f"write {value}s for seconds" if type(value) is int else ""
            what = "a duration such as 90s, 5m, 2h or 3d"
            raise PydanticCustomError("format", "no", {"what": what, "hint": hint})
        if not (_seconds(self.low) or 0) <= seconds <= (_seconds(self.high) or 0):
            what = f"between {self.low} and {self.high}"
            raise PydanticCustomError("range", "no", {"what": what})
        return seconds


def _seconds(text: str) -> int | None:
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text, re.ASCII)
    return int(found[1]) * _UNITS[found[2]] if found else None


# No line breaks and control characters (https://yaml.org/spec/1.2.2/#51-character-set), and nothing
# that turns the direction of text around: a reviewer must see what runs.
_PRINTABLE = r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
_BELOW_ROOT = r"(?!/)(?!(?:.*/)?\.\.(?:/|$))"

Name = Annotated[
    str,
    Matching(
        r"(?!(?:true|false|null|yes|no|on|off|y|n)$)[a-z](?:[a-z0-9-]{0,51}[a-z0-9])?",
        "a name of lower-case letters, digits and -",
        "a letter first, at most 53, and no word such as true or on",
    ),
]
"""A DNS label (RFC 1123) that begins with a letter, short enough for a suffix."""

ObjectName = Annotated[
    str,
    Matching(
        r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?",
        "the name of a Kubernetes object",
        "lower-case letters, digits, - and .",
    ),
]
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"""

SecretName = Annotated[
    str,
    Matching(
        r"(?!GITHUB_)[A-Z_][A-Z0-9_]{0,99}",
        "the name of a secret",
        "capitals, digits and _, not beginning with GITHUB_",
    ),
]
"""https://docs.github.com/en/actions/reference/security/secrets#naming-your-secrets"""

ArgumentName = Annotated[
    str,
    Matching(r"[A-Za-z_][A-Za-z0-9_]*", "the name of a build argument", "letters, digits and _"),
]

Line = Annotated[str, Matching(rf"{_PRINTABLE}+", "one line of printable text")]
"""Text without line breaks and control characters."""

Text = Annotated[str, Matching(rf"(?:{_PRINTABLE}|[\t\n])+", "printable text")]
"""Text of one or more lines, such as a shell command."""

Runner = Annotated[
    str, Matching(r"[A-Za-z0-9][A-Za-z0-9._-]*", "the label of a runner, such as ubuntu-24.04")
]
"""https://docs.github.com/en/actions/how-tos/write-workflows/choose-where-workflows-run"""

Label = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9](?:[A-Za-z0-9 ._/-]{0,48}[A-Za-z0-9._/-])?",
        "a plain label",
        "letters, digits, spaces and . _ / -, at most 50",
    ),
]

Path = Annotated[
    str,
    Matching(
        _BELOW_ROOT + r"[A-Za-z0-9_.@+/ -]*[A-Za-z0-9_.@+/-]",
        "a path below the repository's root",
        "no / first, no .., and no characters that a shell knows",
    ),
]

Glob = Annotated[
    str,
    Matching(
        _BELOW_ROOT + r"[A-Za-z0-9_.@+/ *?\[\]-]*[A-Za-z0-9_.@+/*?\[\]-]",
        "a path pattern below the repository's root",
        "no / first, no .., and no characters that a shell knows but *, ? and []",
    ),
]

_IMAGE_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
ImageName = Annotated[
    str,
    Matching(
        rf"{_IMAGE_PART}(?:/{_IMAGE_PART})*",
        "the name of an image",
        "lower-case letters, digits and separators, without tag",
    ),
]
"""https://github.com/distribution/reference: a path of name components."""

ImageReference = Annotated[
    str,
    Matching(
        r"[a-z0-9][A-Za-z0-9._:/-]*(?::(?!latest$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
        r"|@sha256:[0-9a-f]{64})",
        "an image with an exact tag or a digest",
        "such as redis:7.4.1; never latest",
    ),
]

Port = Annotated[int, Between(1, 65535)]
