"""The messages about the fields of a spec: unknown, missing, of a wrong type or value.

`_WORDING` has the function that words each type of pydantic error. Fields that contradict one
another are worded beside the fields, in `kinds/`; names that refer to nothing, in `references.py`;
text that is not YAML, in `wfgen/text/positions.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ValidationError

from wfgen import __version__
from wfgen.findings import Diagnostic, did_you_mean, nearest
from wfgen.specs.kinds import ServiceSpec, kind_name
from wfgen.specs.kinds._model import Mistake, fields_of
from wfgen.specs.locations import Location, locate, models_in
from wfgen.specs.references import SpecFile
from wfgen.text.positions import MAX_PROBLEMS, Route, has

_PLAIN = re.compile(r"[A-Za-z0-9_./ -]+")
"""Text that can be part of a suggestion without quotes."""


def translate(file: SpecFile, model: type[BaseModel], invalid: ValidationError) -> list[Diagnostic]:
    """What a spec gets wrong about its kind; the first `MAX_PROBLEMS` errors."""
    details: list[Any] = list(invalid.errors(include_url=False))
    kind = kind_name(model) if issubclass(model, ServiceSpec) else "project"
    errors = [
        _Error(file, kind, locate(model, item["loc"]), item) for item in details[:MAX_PROBLEMS]
    ]
    misspelt = {error.misspelt for error in errors if error.type == "extra_forbidden"}
    diagnostics = [
        diagnostic
        for error in errors
        if not (error.type == "missing" and error.route in misspelt)
        for diagnostic in _WORDING.get(error.type, _wrong_type)(error)
    ]
    if (more := len(details) - MAX_PROBLEMS) > 0:
        diagnostics.append(file.at((), f"{more:,} more errors", "too-many", "fix these first"))
    return diagnostics


def kind_diagnostic(
    file: SpecFile, tree: object, kinds: Mapping[str, type[ServiceSpec]]
) -> Diagnostic:
    """Why a spec, read as `tree`, has none of `kinds` that wfgen supports."""
    supported = [name for name, kind in kinds.items() if not kind.refused]
    if not isinstance(tree, dict):
        message = f"a spec must be a mapping with the field `kind`, found {shown(tree)}"
        return file.at((), message, "spec-file")
    if "kind" not in tree:
        return file.at((), "missing field `kind`", "missing-field", did_you_mean("", supported))
    name = tree["kind"]
    if not isinstance(name, str):
        message, hint = f"`kind` must be a string, found {shown(name)}", did_you_mean("", supported)
        return file.at(("kind",), message, "unknown-kind", hint)
    if name not in kinds:
        hint = did_you_mean(name, supported)
        return file.at(("kind",), f"unknown kind {shown(name)}", "unknown-kind", hint)
    message = f"kind `{name}` is not supported by this version of wfgen"
    return file.at(("kind",), message, "not-rendered", kinds[name].refused)


@dataclass(frozen=True)
class _Error:
    """An error of pydantic: `details` as pydantic gives it."""

    file: SpecFile
    kind: str
    """The kind of the spec, or "project"."""
    location: Location
    details: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.details["type"])

    @property
    def value(self) -> object:
        """What the spec has at this place."""
        return self.details["input"]

    @property
    def context(self) -> dict[str, Any]:
        return self.details.get("ctx") or {}

    @property
    def hint(self) -> str:
        return str(self.context.get("hint", ""))

    @property
    def route(self) -> Route:
        return self.location.route

    @property
    def field(self) -> str:
        """The field's path in backticks; "the spec" for the file as a whole."""
        return f"`{_dotted(self.route)}`" if self.route else "the spec"

    @cached_property
    def similar(self) -> list[str]:
        """For an unknown field: the field most like it, else those of its name further in."""
        name, fields = str(self.route[-1]), fields_of(self.location.model)
        if near := nearest(name, fields):
            return [near]
        return [
            f"{outer}.{name}"
            for outer, field in fields.items()
            if any(name in fields_of(inner) for inner in models_in(field.annotation))
        ]

    @property
    def misspelt(self) -> Route | None:
        """For an unknown field: the route of the field that was meant; None if that is unclear."""
        return (*self.route[:-1], *self.similar[0].split(".")) if len(self.similar) == 1 else None

    def at(
        self, message: str, rule: str, hint: str = "", *, route: Route | None = None,
        key: bool = False,
    ) -> Diagnostic:  # fmt: skip
        """A diagnostic at this place, or at `route`."""
        return self.file.at(self.route if route is None else route, message, rule, hint, key=key)


_Words = Callable[[_Error], Iterable[Diagnostic]]


def _unknown_field(error: _Error) -> Iterable[Diagnostic]:
    if error.similar:
        hint = f"did you mean {' or '.join(f'`{name}`' for name in error.similar)}?"
    else:
        see = f"for all fields, run `wfgen schema {error.kind}`"
        hint = did_you_mean(str(error.route[-1]), fields_of(error.location.model), see)
    yield error.at(f"unknown field {error.field}", "unknown-field", hint, key=True)


def _missing_field(error: _Error) -> Iterable[Diagnostic]:
    yield error.at(f"missing field {error.field}", "missing-field")


def _missing_type(error: _Error) -> Iterable[Diagnostic]:
    route = (*error.route, "type")
    hint = did_you_mean("", error.location.types)
    yield error.at(f"missing field `{_dotted(route)}`", "choice", hint, route=route)


def _unknown_type(error: _Error) -> Iterable[Diagnostic]:
    route, tag = (*error.route, "type"), error.context["tag"]
    message = f"unknown value {shown(tag)} for `{_dotted(route)}`"
    yield error.at(message, "choice", did_you_mean(tag, error.location.types), route=route)


def _unknown_value(error: _Error) -> Iterable[Diagnostic]:
    choices = re.findall("'([^']+)'", error.context["expected"])
    expected = _listed(choices, "or")
    message = f"unknown value {shown(error.value)} for {error.field}: expected {expected}"
    near = nearest(str(error.value), choices)
    yield error.at(message, "choice", f"did you mean `{near}`?" if near else "")


def _not_rendered(error: _Error) -> Iterable[Diagnostic]:
    value = error.context["value"]
    subject = f"`{_dotted(error.route)}: {value}`" if value else f"field {error.field}"
    message = f"{subject} is not supported by this version of wfgen"
    yield error.at(message, "not-rendered", error.hint, key=not value)


def _contradiction(error: _Error) -> Iterable[Diagnostic]:
    mistakes: tuple[Mistake, ...] = error.context["mistakes"]
    for mistake in mistakes:
        route = (*error.route, *mistake.field.split(".")) if mistake.field else error.route
        message = f"{error.field}: {mistake.message}" if error.route else mistake.message
        yield error.at(message, "contradiction", mistake.hint, route=route)


def _wrong_format(error: _Error) -> Iterable[Diagnostic]:
    noun, expected = error.context["noun"], error.context["expected"]
    message = f"invalid {noun} {shown(error.value)}: {expected}"
    hint = error.hint
    if error.route == ("name",) and not has(error.file.text, error.route):  # the file's name
        hint = "rename the file, or set `name`"
    yield error.at(message, "format", hint, key=error.location.is_key)


def _out_of_range(error: _Error) -> Iterable[Diagnostic]:
    low, high = error.context["low"], error.context["high"]
    message = f"{error.field} must be between {low} and {high}, found {shown(error.value)}"
    yield error.at(message, "range")


def _empty(error: _Error) -> Iterable[Diagnostic]:
    yield error.at(f"{error.field} is empty: expected at least one entry", "empty")


def _wrong_type(error: _Error) -> Iterable[Diagnostic]:
    value = error.value
    found = f"`{json.dumps(value, ensure_ascii=False)}`" if isinstance(value, str) else shown(value)
    expected, suggest = _TYPES.get(error.type, ("", None))
    message = f"must be {expected}, found {found}" if expected else str(error.details["msg"])
    if value is None:
        hint = "set a value, or remove the line"
    else:
        suggestion = suggest(error) if suggest else ""
        hint = f"write `{suggestion}`" if suggestion else ""
    yield error.at(f"{error.field} {message}", "type", hint)


_WORDING: dict[str, _Words] = {
    "extra_forbidden": _unknown_field,
    "missing": _missing_field,
    "union_tag_not_found": _missing_type,
    "union_tag_invalid": _unknown_type,
    "literal_error": _unknown_value,
    "not-rendered": _not_rendered,
    "mistakes": _contradiction,
    "format": _wrong_format,
    "range": _out_of_range,
    "too_short": _empty,
}
"""Type of a pydantic error, or of one that `kinds/_model.py` raises, to what words it."""

_Suggest = Callable[[_Error], str]
"""From a value of a wrong type to what was probably meant; "" if that is unclear."""


def _as_string(error: _Error) -> str:
    value = error.value
    if error.route == ("wfgen",):
        return f'"{__version__}"'
    if isinstance(value, int | float):
        return f'"{_text(value)}"'
    if isinstance(value, list) and len(value) > 1 and error.route[-1] in ("test", "before"):
        command = " ".join(map(str, value))
        return command if _PLAIN.fullmatch(command) else ""
    return ""


def _as_list(error: _Error) -> str:
    words = str(error.value).replace(",", " ")
    return f"[{', '.join(words.split())}]" if _PLAIN.fullmatch(words) else ""


def _as_mapping(error: _Error) -> str:
    value, field = error.value, error.route[-1] if error.route else ""
    main = {"image": "reference", "build": "context"}.get(str(field))
    if error.route[:1] == ("secrets",) and isinstance(value, str) and _PLAIN.fullmatch(value):
        return f"{{from: {value}}}"
    if main and isinstance(value, str) and _PLAIN.fullmatch(value.replace(":", "")):
        return f"{{{main}: {json.dumps(value)}}}"
    return ""


def _as_health(error: _Error) -> str:
    path = str(error.value)
    return f"{{http: {path}}}" if path.startswith("/") and _PLAIN.fullmatch(path) else ""


def _as_integer(error: _Error) -> str:
    text = str(error.value)
    return text if isinstance(error.value, str) and re.fullmatch("[0-9]+", text) else ""


def _as_boolean(error: _Error) -> str:
    return error.value if isinstance(error.value, str) and error.value in ("true", "false") else ""


_TYPES: dict[str, tuple[str, _Suggest | None]] = {
    "string_type": ("a string", _as_string),
    "int_type": ("a whole number", _as_integer),
    "bool_type": ("`true` or `false`", _as_boolean),
    "list_type": ("a list", _as_list),
    "dict_type": ("a mapping", None),
    "model_type": ("a mapping", _as_mapping),
    "model_attributes_type": ("a mapping", _as_mapping),
    "secrets_type": ("a list of names, a mapping, or `existing`", _as_list),
    "approval_type": ("`true`, `false`, or a mapping with `unasked`", _as_boolean),
    "health_type": ("`none`, or a mapping with `http`, `tcp`, `exec` or `grpc`", _as_health),
}
"""Type of a pydantic error to the type that was expected, and what suggests a correction."""


def shown(value: object) -> str:
    """A value of a spec in a message: in backticks, a long one shortened."""
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return "an empty value" if value is None else f"`{_text(value)}`"


def _dotted(route: Route) -> str:
    """A route as `build.platforms[0]`."""
    path = ""
    for part in route:
        path += f"[{part}]" if isinstance(part, int) else f".{_text(part)}" if path else _text(part)
    return path


def _listed(names: Iterable[str], conjunction: str) -> str:
    """Names in backticks: `a`, `b` or `c`."""
    *first, last = (f"`{name}`" for name in names)
    return f"{', '.join(first)} {conjunction} {last}" if first else last


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if len(text) > 60:
        text = text[:57] + "..."
    return text if text.isprintable() and text.strip() == text != "" else json.dumps(text)
