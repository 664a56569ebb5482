"""The vocabulary of specs for editors, as JSON Schema.

Generated from the models alone. Python does not keep the docstrings of fields: they are read from
the source.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
import typing
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from wfgen.errors import WfgenError
from wfgen.findings import did_you_mean
from wfgen.specs.kinds import KINDS, ProjectSpec, kind_name

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """The docstring of each field of a model and of its bases, by its name in a spec."""
    docs: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if not issubclass(cls, BaseModel) or cls is BaseModel:
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, text in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
            ):
                docs[field.target.id] = " ".join(str(text.value.value).split())
    named = {name: field.alias or name for name, field in model.model_fields.items()}
    return {named.get(name, name): text for name, text in docs.items()}


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schemas of the project spec and of each kind, by name."""
    models: dict[str, type[BaseModel]] = {"project": ProjectSpec}
    models |= {kind_name(kind): kind for kind in KINDS}
    return {name: _schema(name, model) for name, model in models.items()}


def export(name: str | None, folder: Path | None) -> str:
    """One schema, or all, as JSON; with a folder, writes each to a file and lists the files.

    Raises `WfgenError` for an unknown name.
    """
    selected = schemas()
    if name is not None and name not in selected:
        raise WfgenError(f"unknown kind `{name}`; {did_you_mean(name, selected)}")
    if name is not None:
        selected = {name: selected[name]}
    if folder is None:
        return json.dumps(selected[name] if name else selected, indent=2)
    folder.mkdir(parents=True, exist_ok=True)
    for kind, schema in selected.items():
        (folder / f"{kind}.schema.json").write_text(json.dumps(schema, indent=2) + "\n", "utf-8")
    return "\n".join(f"wrote {folder / kind}.schema.json" for kind in selected)


def _schema(name: str, model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(mode="validation")
    by_title = {part.__name__: part for part in models_of(model)}
    for title, part in [(model.__name__, schema), *schema.get("$defs", {}).items()]:
        docs = field_docs(by_title[title]) if title in by_title else {}
        for field, described in part.get("properties", {}).items():
            if field in docs:
                described["description"] = docs[field]
    if name != "project":  # the file's name is the default
        schema["required"] = [field for field in schema["required"] if field != "name"]
    return {"$schema": DIALECT, **schema}


def models_of(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and the models of its fields, without duplicates."""
    seen: set[type[BaseModel]] = set()
    queue = [model]
    while queue:
        current = queue.pop(0)
        if current in seen:
            continue
        seen.add(current)
        yield current
        for field in current.model_fields.values():
            queue += list(_inner(field.annotation))


def _inner(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _inner(argument)
