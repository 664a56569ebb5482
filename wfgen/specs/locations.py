"""Where in a spec an error of pydantic is: its location as a route into the YAML file."""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Tag

from wfgen.text.positions import Route


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a spec, and what the models know of it."""

    route: Route
    model: type[BaseModel]
    """The model that has, or lacks, the last field."""
    types: list[str]
    """The values of `type` that are known here."""
    is_key: bool
    """Whether the key is wrong, and not its value."""


def locate(model: type[BaseModel], loc: tuple[str | int, ...]) -> Location:
    """The place of pydantic's `loc`, which also names members of unions: these are in no file."""
    route: list[str | int] = []
    annotation: Any = model
    parent, is_key = model, False
    for part in loc:
        members = models_in(annotation)
        if is_key and part == "[key]":
            break
        is_key = typing.get_origin(annotation) is dict
        if typing.get_origin(annotation) in (dict, list):
            annotation = _plain(typing.get_args(annotation)[-1])
        elif part in (tagged := _tagged(annotation)):
            annotation = _plain(tagged[str(part)])
            continue
        elif len(members) > 1 or (annotation not in members and members):  # a union
            annotation = next((m for m in members if part in _tags(m)), None)
            continue
        elif members:
            parent = members[0]
            field = parent.model_fields.get(str(part))
            annotation = _plain(field.annotation) if field else None
        route.append(part)
    else:
        is_key = False
    tags = [tag for member in models_in(annotation) for tag in _tags(member)]
    return Location(tuple(route), parent, tags, is_key)


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The model that an annotation is, or the models of its union."""
    annotation = _plain(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [model for member in typing.get_args(annotation) for model in models_in(member)]
    return []


def _plain(annotation: Any) -> Any:
    """An annotation without its metadata and without `None`."""
    members = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        return _plain(members[0])
    if type(None) in members:
        return _plain(next(member for member in members if member is not type(None)))
    return annotation


def _tagged(annotation: Any) -> dict[str, Any]:
    """The members of a union by their `Tag`, which pydantic's location has."""
    return {
        mark.tag: member
        for member in typing.get_args(annotation)
        for mark in getattr(member, "__metadata__", ())
        if isinstance(mark, Tag)
    }


def _tags(model: type[BaseModel]) -> list[str]:
    """What pydantic's location calls a member of a union: its `type`, or its name."""
    kind = model.model_fields.get("type")
    return list(typing.get_args(kind.annotation)) if kind else [model.__name__]
