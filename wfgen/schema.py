"""The vocabulary of specs for editors (JSON Schema) and for readers (the reference page).

Both are made from the models alone. A field's docstring is the text below it, which Python does
not keep: it is read from the source.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from wfgen.diagnostics import did_you_mean
from wfgen.errors import WfgenError
from wfgen.kinds import KINDS, ProjectSpec, kind_name
from wfgen.kinds._model import Refused
from wfgen.kinds.clusters import CLUSTERS
from wfgen.kinds.registries import REGISTRIES

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


def refused(field: FieldInfo) -> Refused | None:
    """The mark of a field that is in the vocabulary and not rendered, or not with one value."""
    return next((mark for mark in field.metadata if isinstance(mark, Refused)), None)


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


@dataclass(frozen=True)
class Entry:
    """A row of the reference."""

    name: str
    type: str
    default: str
    status: str
    text: str


def entries(model: type[BaseModel]) -> Iterator[Entry]:
    """What the reference says of a model's fields."""
    docs = field_docs(model)
    for name, field in model.model_fields.items():
        mark = refused(field)
        yield Entry(
            name,
            _type(field.annotation),
            _default(field),
            _status(mark),
            docs.get(name, ""),
        )


def _status(mark: Refused | None) -> str:
    if mark is None:
        return "rendered"
    refusal = f"refused: {mark.instead}"
    return f"rendered; `{mark.value}` is {refusal}" if mark.value else refusal


def reference() -> str:
    """The reference page, in Markdown."""
    parts = [
        "# Reference of the specs\n",
        "Made from the models by `make reference`; a test keeps it true. *Refused* is in the\n"
        "vocabulary, is not rendered by this version, and is an error that says what to do instead.\n",
        "## `specs/project.yaml`\n",
        *_tables(ProjectSpec, set()),
    ]
    for title, choices in (("Registries", REGISTRIES), ("Clusters", CLUSTERS)):
        parts.append(f"## {title}\n")
        for choice in choices:
            parts += _table(choice)
    parts += ["## `specs/<service>.yaml`\n", "| kind | for | status |\n|---|---|---|"]
    parts += [
        f"| `{kind_name(kind)}` | {kind.summary} | {'refused' if kind.refused else 'rendered'} |"
        for kind in KINDS
    ]
    parts.append("")
    base = KINDS[0].__mro__[1]
    assert issubclass(base, BaseModel)
    parts += _tables(base, set())
    parts += ["### Defaults that differ by kind\n", "| kind | field | default |\n|---|---|---|"]
    parts += [
        f"| `{kind_name(kind)}` | `{name}` | {_default(field)} |"
        for kind in KINDS
        for name, field in kind.model_fields.items()
        if name != "kind" and _default(field) != _default(base.model_fields[name])
    ]
    return "\n".join(parts) + "\n"


def _tables(model: type[BaseModel], skip: set[type[BaseModel]]) -> Iterator[str]:
    own = (*REGISTRIES, *CLUSTERS)
    for each in models_of(model):
        if each not in own and each not in skip:
            yield from _table(each)


def _table(model: type[BaseModel]) -> list[str]:
    summary = " ".join((model.__doc__ or "").split())
    lines = [f"### {model.__name__}\n", f"{summary}\n"]
    lines.append("| field | type | default | status | meaning |\n|---|---|---|---|---|")
    for entry in entries(model):
        cells = (f"`{entry.name}`", entry.type, entry.default, entry.status, entry.text)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return [*lines, ""]


def _type(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(arguments[0])
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is list:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"mapping to {_type(arguments[1])}"
    if arguments:
        named = [_type(each) for each in arguments if each is not type(None)]
        return " or ".join(dict.fromkeys(named))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    names: dict[Any, str] = {str: "text", int: "number", bool: "`true` or `false`", Any: "anything"}
    return names.get(annotation, str(annotation))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_defaults=True)
        return f"`{json.dumps(value)}`" if value else ""
    if isinstance(value, list):
        dumped = [
            v.model_dump(exclude_defaults=True) if isinstance(v, BaseModel) else v for v in value
        ]
        return f"`{json.dumps(dumped)}`" if any(dumped) else ""
    return f"`{json.dumps(value)}`"


if __name__ == "__main__":
    print(reference(), end="")
