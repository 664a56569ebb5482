"""The vocabulary of specs for editors, as JSON Schema.

Made from the models alone. A field's docstring is the text below it, which Python does not keep:
it is read from the source.
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
    """The docstring of each field of a model, its bases' included."""
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
    return docs


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of the project's spec and of each kind, by name."""
    models: dict[str, type[BaseModel]] = {"project": ProjectSpec}
    models |= {kind_name(kind): kind for kind in KINDS}
    return {name: _schema(name, model) for name, model in models.items()}


def export(name: str | None, folder: Path | None) -> str:
    """One schema, or all, as text; written to a file each where there is a folder."""
    made = schemas()
    if name is not None and name not in made:
        raise WfgenError(f"{name} is no kind; {did_you_mean(name, made)}")
    if name is not None:
        made = {name: made[name]}
    if folder is None:
        return json.dumps(made[name] if name else made, indent=2)
    folder.mkdir(parents=True, exist_ok=True)
    for each, schema in made.items():
        (folder / f"{each}.schema.json").write_text(json.dumps(schema, indent=2) + "\n", "utf-8")
    return "\n".join(f"wrote {folder / each}.schema.json" for each in made)


def _schema(name: str, model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(mode="validation")
    by_title = {each.__name__: each for each in models_of(model)}
    for title, part in [(model.__name__, schema), *schema.get("$defs", {}).items()]:
        docs = field_docs(by_title[title]) if title in by_title else {}
        for field, described in part.get("properties", {}).items():
            if field in docs:
                described["description"] = docs[field]
    if name != "project":  # the file's name is the default
        schema["required"] = [field for field in schema["required"] if field != "name"]
    return {"$schema": DIALECT, **schema}


def models_of(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and the models of its fields, each once."""
    seen: set[type[BaseModel]] = set()
    todo = [model]
    while todo:
        current = todo.pop(0)
        if current in seen:
            continue
        seen.add(current)
        yield current
        for field in current.model_fields.values():
            todo += list(_inner(field.annotation))


def _inner(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _inner(argument)
