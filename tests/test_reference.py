"""docs/reference.md is correct: refused fields are refused, rendered fields change the output."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from tests import case
from wfgen.errors import InvalidSpecs
from wfgen.report import reference
from wfgen.report.reference import Entry, Part
from wfgen.specs.kinds import KINDS, ProjectSpec, ServiceSpec, kind_name
from wfgen.specs.kinds._model import fields_of
from wfgen.specs.schema import field_docs
from wfgen.text import header

ROOT = Path(__file__).parents[1]
PROJECT = "specs/project.yaml"

Field = tuple[type[BaseModel], Part, Entry]
"""A row of the reference: the model of the file, the part that has the field, the row."""
Made = Callable[[str], dict[str, str]]

USED = {name: case.read("ok", name) for name in case.names("ok")}
USED["this repository"] = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in (*ROOT.glob("specs/*.yaml"), *ROOT.glob("app/*/Dockerfile"))
}
"""The files of each case, and of this repository."""


def fields(status: str) -> list[Any]:
    """The rows of the reference with a status that begins so."""
    return [
        pytest.param((model, part, entry), id=".".join([*part.path, entry.name]))
        for model in (ProjectSpec, ServiceSpec)
        for part in reference.parts(model)
        for entry in reference.entries(part.model)
        if entry.status.startswith(status)
    ]


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs/reference.md").read_text("utf-8")
    assert page == reference.reference(), "make reference"


def test_every_field_is_explained() -> None:
    """Except for `type`, whose values have a table each."""
    models = {part.model for model in (ProjectSpec, ServiceSpec) for part in reference.parts(model)}
    silent = [
        f"{model.__name__}.{name}"
        for model in models
        for name in fields_of(model).keys() - field_docs(model).keys() - {"type"}
    ]
    assert silent == []


@pytest.mark.parametrize("field", fields("refused"))
def test_a_refused_field_is_refused_with_an_alternative(field: Field, tmp_path: Path) -> None:
    model, part, entry = field
    files = dict(case.BASE)
    path = PROJECT if model is ProjectSpec else "specs/web.yaml"
    tree = yaml.safe_load(files[path])
    inner = tree
    for step in part.path:
        inner = inner.setdefault("production" if step == "<name>" else step, {})
    inner[entry.name] = "anything"
    files[path] = yaml.safe_dump(tree)
    with pytest.raises(InvalidSpecs) as caught:
        case.rendered(case.write(tmp_path, files))
    name = ".".join([*part.path, entry.name]).replace("<name>", "production")
    errors = [(error.rule, error.message, error.hint) for error in caught.value.diagnostics]
    message = f"field `{name}` is not supported by this version of wfgen"
    assert errors == [("not-rendered", message, entry.status.removeprefix("refused: "))]


@pytest.mark.parametrize("kind", [k for k in KINDS if k.refused], ids=kind_name)
def test_a_refused_kind_is_refused_with_an_alternative(
    kind: type[ServiceSpec], tmp_path: Path
) -> None:
    files = {**case.BASE, "specs/web.yaml": f"kind: {kind_name(kind)}\n"}
    with pytest.raises(InvalidSpecs) as caught:
        case.rendered(case.write(tmp_path, files))
    assert [(f.rule, f.hint) for f in caught.value.diagnostics] == [("not-rendered", kind.refused)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The generated files of a case, by its name."""
    return cache(lambda name: bodies(case.write(tmp_path_factory.mktemp("made"), USED[name])))


@pytest.mark.parametrize("field", fields("rendered"))
def test_a_rendered_field_changes_the_output(field: Field, made: Made, tmp_path: Path) -> None:
    """Of the cases that set it, one renders differently without it.

    The value of a required field must be in the output. `type` selects the other fields of its
    table, and `wfgen` only causes a note.
    """
    using = list(uses(field))
    assert using, "no case of tests/cases/ok sets it"
    assert field[2].name in ("type", "wfgen") or any(
        matters(made(name), files, value, tmp_path / str(number))
        for number, (name, files, value) in enumerate(using)
    )


@cache
def parsed(text: str) -> Any:
    """The values of a spec, which must not be changed."""
    return yaml.safe_load(text)


def uses(field: Field) -> Iterator[tuple[str, dict[str, str], object]]:
    """Each use of a field in the cases: the case, its files without the field, and its value."""
    model, part, entry = field
    for name, files in USED.items():
        for path in files:
            if not path.startswith("specs/") or (path == PROJECT) != (model is ProjectSpec):
                continue
            tree = copy.deepcopy(parsed(files[path]))
            tag = reference.tag_of(part.model)
            for place in places(tree, part.path):
                if entry.name in place and tag in ("", place.get("type")):
                    value = copy.deepcopy(place.pop(entry.name))
                    yield name, {**files, path: yaml.safe_dump(tree, sort_keys=False)}, value
                    place[entry.name] = value


def places(tree: Any, path: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The mappings of a spec that a part's path leads to."""
    if not path:
        if isinstance(tree, dict):
            yield tree
    elif path[0] in ("<name>", "[]"):
        for inner in tree.values() if isinstance(tree, dict) else tree or ():
            yield from places(inner, path[1:])
    elif isinstance(tree, dict) and path[0] in tree:
        yield from places(tree[path[0]], path[1:])


def matters(made: dict[str, str], without: dict[str, str], value: object, root: Path) -> bool:
    """Whether the output differs without a field, or contains the value of a required one."""
    try:
        return bodies(case.write(root, without)) != made
    except InvalidSpecs:
        everything = "\n".join(made.values())
        return all(json.dumps(scalar).strip('"') in everything for scalar in scalars(value))


def bodies(root: Path) -> dict[str, str]:
    """The generated files: path to text without the header."""
    parsed = {file.path: (header.parse(file.text), file.text) for file in case.rendered(root)}
    return {path: top.body if top else text for path, (top, text) in parsed.items()}


def scalars(value: object) -> Iterator[object]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from scalars(inner)
    else:
        yield value
