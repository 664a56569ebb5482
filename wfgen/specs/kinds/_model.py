"""What every part of a spec has in common: its base class and the types of its scalars."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic import model_validator as validator
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True, slots=True)
class Mistake:
    """Fields of one part that contradict one another."""

    field: str
    """The field that the message points to, with dots; "" for the part as a whole."""
    message: str
    hint: str


class Model(BaseModel):
    """A part of a spec: no unknown keys, no silent conversion, never changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    def mistakes(self) -> Iterable[Mistake]:
        """What fields get wrong about one another; each alone is valid."""
        return ()

    @validator(mode="after")
    def _consistent(self) -> Self:
        if mistakes := tuple(self.mistakes()):
            raise PydanticCustomError("mistakes", "inconsistent", {"mistakes": mistakes})
        return self


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by their names in a spec: `from` is a keyword of Python."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


@dataclass(frozen=True, slots=True)
class Refused:
    """Marks a field, or one value of it, that wfgen does not support yet."""

    instead: str
    """What to do instead, as a hint."""
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
    """Text that matches a regular expression as a whole.

    The message for other text is "invalid <noun> `<text>`: <expected>".
    """

    expression: str
    noun: str
    expected: str
    """What to write, such as "use letters and digits"."""
    hint: str = ""
    correct: Callable[[str], str] = str
    """The text that was probably meant; the hint suggests it where it is valid."""

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
            corrected = self.correct(text)
            valid = self._compiled.fullmatch(corrected)
            hint = f"write `{corrected}`" if valid else self.hint
            context = {"noun": self.noun, "expected": self.expected, "hint": hint}
            raise PydanticCustomError("format", "no", context)
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
            raise PydanticCustomError("range", "no", {"low": self.low, "high": self.high})
        return number


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Lasting:
    """A duration from `low` to `high`: 90s, 5m, 2h or 3d in a spec, seconds once loaded."""

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
            context = {
                "noun": "duration",
                "expected": "use a number and a unit, such as `90s`, `5m`, `2h` or `3d`",
                "hint": f"write `{value}s` for seconds" if type(value) is int else "",
            }
            raise PydanticCustomError("format", "no", context)
        if not (_seconds(self.low) or 0) <= seconds <= (_seconds(self.high) or 0):
            raise PydanticCustomError(
                "range", "no", {"low": f"`{self.low}`", "high": f"`{self.high}`"}
            )
        return seconds


def _seconds(text: str) -> int | None:
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", text, re.ASCII)
    return int(match[1]) * _UNITS[match[2]] if match else None


# No line breaks or control characters (https://yaml.org/spec/1.2.2/#51-character-set), and nothing
# that changes the direction of text: a reviewer must see what runs.
_PRINTABLE = r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
_BELOW_ROOT = r"(?!/)(?!(?:.*/)?\.\.(?:/|$))"

Name = Annotated[
    str,
    Matching(
        r"(?!(?:true|false|null|yes|no|on|off|y|n)$)[a-z](?:[a-z0-9-]{0,51}[a-z0-9])?",
        "name",
        "use lower-case letters, digits and hyphens",
        "start with a letter; at most 53 characters; words such as `true` and `on` are not allowed",
        lambda text: re.sub(r"[^a-z0-9]+", "-", text.lower()),
    ),
]
"""A DNS label (RFC 1123) that starts with a letter and leaves room for a suffix."""

ObjectName = Annotated[
    str,
    Matching(
        r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?",
        "Kubernetes object name",
        "use lower-case letters, digits, `-` and `.`",
    ),
]
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"""

SecretName = Annotated[
    str,
    Matching(
        r"(?!GITHUB_)[A-Z_][A-Z0-9_]{0,99}",
        "secret name",
        "use upper-case letters, digits and `_`, without the prefix `GITHUB_`",
        "start with a letter or `_`; GitHub reserves names with this prefix",
        lambda text: re.sub(r"[^A-Z0-9_]", "_", text.upper()),
    ),
]
"""https://docs.github.com/en/actions/reference/security/secrets#naming-your-secrets"""

ArgumentName = Annotated[
    str,
    Matching(r"[A-Za-z_][A-Za-z0-9_]*", "build argument name", "use letters, digits and `_`"),
]

Line = Annotated[str, Matching(rf"{_PRINTABLE}+", "text", "use one line of printable characters")]
"""Text without line breaks and control characters."""

Text = Annotated[str, Matching(rf"(?:{_PRINTABLE}|[\t\n])+", "text", "use printable characters")]
"""Text of one or more lines, such as a shell command."""

Runner = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9][A-Za-z0-9._-]*",
        "runner label",
        "use letters, digits, `.`, `_` and `-`",
        "for example, `ubuntu-24.04`",
    ),
]
"""https://docs.github.com/en/actions/how-tos/write-workflows/choose-where-workflows-run"""

Label = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9](?:[A-Za-z0-9 ._/-]{0,48}[A-Za-z0-9._/-])?",
        "label",
        "use letters, digits, spaces, `.`, `_`, `/` and `-`, at most 50 characters",
    ),
]

Path = Annotated[
    str,
    Matching(
        _BELOW_ROOT + r"[A-Za-z0-9_.@+/ -]*[A-Za-z0-9_.@+/-]",
        "path",
        "use a path relative to the repository root",
        "no leading `/`, no `..`, and no special characters of a shell",
    ),
]

Glob = Annotated[
    str,
    Matching(
        _BELOW_ROOT + r"[A-Za-z0-9_.@+/ *?\[\]-]*[A-Za-z0-9_.@+/*?\[\]-]",
        "path pattern",
        "use a pattern relative to the repository root",
        "no leading `/`, no `..`, and no special characters of a shell except `*`, `?` and `[]`",
    ),
]

_IMAGE_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
IMAGE_PATH = rf"{_IMAGE_PART}(?:/{_IMAGE_PART})*"
"""A regular expression: https://github.com/distribution/reference, a path of name components."""
ImageName = Annotated[
    str,
    Matching(
        IMAGE_PATH,
        "image name",
        "use lower-case letters, digits and separators, without a tag",
        correct=str.lower,
    ),
]

ImageReference = Annotated[
    str,
    Matching(
        r"[a-z0-9][A-Za-z0-9._:/-]*(?::(?!latest$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
        r"|@sha256:[0-9a-f]{64})",
        "image reference",
        "use an exact tag or a digest",
        "for example, `redis:7.4.1`; `latest` is not allowed",
    ),
]

Port = Annotated[int, Between(1, 65535)]
