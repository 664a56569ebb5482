"""pydantic's errors in our words, each at the line that caused it."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from wfgen.findings import Diagnostic, did_you_mean
from wfgen.specs.kinds._model import Mistake
from wfgen.specs.references import SpecFile
from wfgen.text.source import MAX_PROBLEMS, Route

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "health_type": "none, or a mapping with http, tcp, exec or grpc",
}
_PLAIN = re.compile(r"[A-Za-z0-9_./ -]+")
_REFERENCE = "docs/reference.md of wfgen lists the fields"


def translate(file: SpecFile, model: type[BaseModel], error: ValidationError) -> list[Diagnostic]:
    """What a spec gets wrong about its kind."""
    found = error.errors(include_url=False)
    told = [each for one in found[:MAX_PROBLEMS] for each in _translate(file, model, dict(one))]
    if (more := len(found) - MAX_PROBLEMS) > 0:
        told.append(file.at((), f"{more:,} more mistakes", "too-many", "mend these first"))
    meant = {_meant(each) for each in told}  # a field that is misspelt is not missing as well
    return [each for each in told if each.message not in meant]


def _meant(unknown: Diagnostic) -> str:
    """What else is said of the field that an unknown one stands for."""
    parent, dot, _ = unknown.message.rpartition(".")
    name = unknown.hint.removeprefix("did you mean `").removesuffix("`?")
    return f"{parent}{dot}{name} is missing"


def _translate(
    file: SpecFile, model: type[BaseModel], found: dict[str, Any]
) -> Iterator[Diagnostic]:
    context: dict[str, Any] = found.get("ctx") or {}
    place = _walk(model, found["loc"])
    route, field, value = place.route, _dotted(place.route), shown(found["input"])
    hint, prefix = str(context.get("hint", "")), f"{field}: " if field else ""
    match found["type"]:
        case "extra_forbidden":
            hint = _nearest(str(route[-1]), place.model)
            yield file.at(route, f"{field} is no field here", "unknown-field", hint, key=True)
        case "missing":
            yield file.at(route, f"{field} is missing", "missing-field", hint)
        case "union_tag_not_found" | "union_tag_invalid":
            tag = context.get("tag", "")
            message = f"{prefix}type {shown(tag) + ' is unknown' if tag else 'is missing'}"
            yield file.at((*route, "type"), message, "choice", did_you_mean(tag, place.tags))
        case "literal_error":
            choices = re.findall("'([^']+)'", context["expected"])
            near = did_you_mean(value, choices)
            message = f"{prefix}{value} is not one of {', '.join(choices)}"
            yield file.at(route, message, "choice", near if near.startswith("did") else "")
        case "not-rendered":
            what = f"{prefix}{context['value']}" if context["value"] else field
            message = f"{what} is not rendered by this version of wfgen"
            yield file.at(route, message, "not-rendered", hint, key=not context["value"])
        case "mistakes":
            mistakes: tuple[Mistake, ...] = context["mistakes"]
            for each in mistakes:
                inner = (*route, *each.field.split(".")) if each.field else route
                yield file.at(inner, prefix + each.message, "contradiction", each.hint)
        case "format" | "range" as rule:
            if place.is_key:
                prefix = f"{_dotted(route[:-1])}: "
            message = f"{prefix}{value} is not {context['what']}"
            yield file.at(route, message, rule, hint, key=place.is_key)
        case "too_short":
            yield file.at(route, f"{prefix}empty; expected at least one entry", "empty")
        case kind:
            given = found["input"]
            quoted = json.dumps(value, ensure_ascii=False) if isinstance(given, str) else value
            expected = _EXPECTED.get(kind)
            message = f"expected {expected}, found {quoted}" if expected else str(found["msg"])
            yield file.at(route, prefix + message, "type", _for_type(kind, given, route))


def _for_type(kind: str, given: object, route: Route) -> str:
    """How to write what was meant."""
    if given is None:
        return "give a value, or remove the line"
    if kind == "string_type" and isinstance(given, int | float):
        return f'write "{shown(given)}"'
    if kind == "string_type" and isinstance(given, list) and route[-1] in ("test", "before"):
        line = " ".join(map(str, given))
        return f"write {line}" if len(given) > 1 and _PLAIN.fullmatch(line) else ""
    if kind == "list_type" and _PLAIN.fullmatch(str(given).replace(",", " ")):
        return f"write [{', '.join(str(given).replace(',', ' ').split())}]"
    if isinstance(given, str) and route and _PLAIN.fullmatch(given.replace(":", "")):
        field, quoted = route[-1], json.dumps(given)
        if kind == "health_type" and given.startswith("/"):
            return f"write {{http: {given}}}"
        if kind.startswith("model") and field in ("image", "build"):
            return f"write {{{'reference' if field == 'image' else 'context'}: {quoted}}}"
    if kind in ("int_type", "bool_type") and isinstance(given, str) and _PLAIN.fullmatch(given):
        return f"write {given}" if given.isdecimal() or given in ("true", "false") else ""
    return ""


def shown(value: object) -> str:
    """A value of a spec within a message."""
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if len(text) > 60:
        text = text[:57] + "..."
    return text if text.isprintable() and text.strip() == text != "" else json.dumps(text)


def _dotted(route: Route) -> str:
    return ".".join(shown(part) for part in route)


def _nearest(name: str, model: type[BaseModel]) -> str:
    """The hint for a field that `model` does not have: one near, or one of the name further in."""
    hint = did_you_mean(name, model.model_fields, _REFERENCE)
    inner = [
        f"{outer}.{name}"
        for outer, field in model.model_fields.items()
        if any(name in member.model_fields for member in _members(field.annotation))
    ]
    if inner and not hint.startswith("did"):
        return f"did you mean {' or '.join(inner)}?"
    return hint


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an error is: the route in the file, and what the models know of it."""

    route: Route
    model: type[BaseModel]
    """The model that has, or lacks, the last field."""
    tags: list[str]
    """The values of `type` that are known here."""
    is_key: bool
    """Whether the key is wrong, and not its value."""


def _walk(model: type[BaseModel], loc: tuple[str | int, ...]) -> _Place:
    """pydantic's location names members of unions too, which stand in no file."""
    route: list[str | int] = []
    here: Any = model
    parent, is_key = model, False
    for part in loc:
        members = _members(here)
        if is_key and part == "[key]":
            break
        is_key = typing.get_origin(here) is dict
        if typing.get_origin(here) in (dict, list):
            here = _plain(typing.get_args(here)[-1])
        elif len(members) > 1 or (here not in members and members):  # a union
            here = next((m for m in members if part in _tags(m)), None)
            continue
        elif members:
            parent = members[0]
            field = parent.model_fields.get(str(part))
            here = _plain(field.annotation) if field else None
        route.append(part)
    else:
        is_key = False
    return _Place(tuple(route), parent, [t for m in _members(here) for t in _tags(m)], is_key)


def _plain(annotation: Any) -> Any:
    """An annotation without its metadata and without `None`."""
    members = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        return _plain(members[0])
    if type(None) in members:
        return _plain(next(member for member in members if member is not type(None)))
    return annotation


def _members(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation names by itself, or as a union."""
    annotation = _plain(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [model for each in typing.get_args(annotation) for model in _members(each)]
    return []


def _tags(model: type[BaseModel]) -> list[str]:
    """By what pydantic tells the members of a union apart: its `type`, or its name."""
    kind = model.model_fields.get("type")
    return list(typing.get_args(kind.annotation)) if kind else [model.__name__]
