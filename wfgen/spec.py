"""Loads `specs/`, checks each file against its kind and all of them against one another."""

from __future__ import annotations

import os
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from wfgen.diagnostics import Diagnostic, Position, did_you_mean
from wfgen.errors import InvalidSpecs, WfgenError
from wfgen.kinds import KINDS, ProjectSpec, ServiceSpec, kind_name
from wfgen.references import Project, Route, Service, SpecFile, cross_check
from wfgen.source import MAX_BYTES, parse

Spec = typing.TypeVar("Spec", bound=BaseModel)

PROJECT_FILE = "specs/project.yaml"
_KINDS = {kind_name(kind): kind for kind in KINDS}


def load(root: Path) -> Project:
    """Reads the specs below `root`; raises `InvalidSpecs` with every mistake found."""
    problems: list[Diagnostic] = []
    paths = list(_spec_paths(root, problems))
    if not paths and not problems:
        raise WfgenError(
            f"no specs: {root / 'specs'} has no .yaml file; `wfgen new NAME --kind server` writes one"
        )
    project: tuple[ProjectSpec, SpecFile] | None = None
    services: list[Service] = []
    for path in paths:
        file = _read(root, path, problems)
        if file is None:
            continue
        tree, found = parse(path, file.text)
        problems += found
        if tree is None and found:
            continue
        if path == PROJECT_FILE:
            if (spec := _validate(file, tree, ProjectSpec, problems, bool(found))) is not None:
                project = spec, file
        elif (kind := _kind_of(file, tree, problems)) is not None:
            named = {"name": Path(path).stem, **tree}
            service = _validate(file, named, kind, problems, bool(found))
            if service is not None:
                services.append(Service(service, file))
    if PROJECT_FILE not in paths:
        problems.append(
            Diagnostic(
                Position(PROJECT_FILE), "missing; expected the project's spec", "project-spec"
            )
        )
    elif len(paths) == 1 and not problems:
        raise WfgenError(
            "no specs of services: write specs/NAME.yaml, or `wfgen new NAME --kind server`"
        )
    services.sort(key=lambda service: (service.spec.name, service.file.path))
    if project is not None:
        whole = Project(root, *project, tuple(services))
        # names of specs that could not be read are known all the same
        broken = {Path(path).stem for path in paths} if problems else set()
        problems += cross_check(whole, broken)
        if not problems:
            return whole
    raise InvalidSpecs(problems)


def _spec_paths(root: Path, problems: list[Diagnostic]) -> Iterator[str]:
    folder = root / "specs"
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    except OSError as error:
        raise WfgenError(f"specs: {error.strerror}; expected a folder of specs") from error
    for name in names:
        if name.startswith("."):
            continue
        path = f"specs/{name}"
        if name.endswith(".yaml"):
            yield path
        elif name.endswith(".yml"):
            problems.append(
                Diagnostic(Position(path), "ends in .yml; expected .yaml", "spec-file", "rename it")
            )


def _read(root: Path, path: str, problems: list[Diagnostic]) -> SpecFile | None:
    def refuse(message: str, hint: str = "") -> None:
        problems.append(Diagnostic(Position(path), message, "spec-file", hint))

    full = root / path
    try:
        if full.is_dir():
            refuse("a folder; expected a file", "specs lie directly in specs/")
            return None
        if not full.is_file():
            os.stat(full)  # a loop or a broken link says so here
            refuse("not a regular file; expected YAML")
            return None
        if full.stat().st_size > MAX_BYTES:
            refuse(f"{full.stat().st_size:,} bytes; expected at most {MAX_BYTES:,}")
            return None
        text = full.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse(f"byte {error.start + 1} is not UTF-8; expected YAML in UTF-8")
        return None
    except OSError as error:
        refuse(f"cannot be read: {error.strerror}")
        return None
    return SpecFile(path, text.replace("\r\n", "\n"))


def _kind_of(file: SpecFile, tree: Any, problems: list[Diagnostic]) -> type[ServiceSpec] | None:
    if not isinstance(tree, dict):
        problems.append(
            file.at((), "not a mapping; expected `kind:` and further fields", "spec-file")
        )
        return None
    hint = f"known: {', '.join(_KINDS)}"
    if "kind" not in tree:
        problems.append(file.at((), "kind is missing", "missing-field", hint))
        return None
    name = tree["kind"]
    if not isinstance(name, str) or name not in _KINDS:
        if isinstance(name, str):
            hint = did_you_mean(name, _KINDS)
        problems.append(
            file.at(("kind",), f"{_shown(name)} is no kind of service", "unknown-kind", hint)
        )
        return None
    return _KINDS[name]


def _validate(
    file: SpecFile, tree: Any, model: type[Spec], problems: list[Diagnostic], trapped: bool
) -> Spec | None:
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            diagnostic = _translate(file, model, tree, dict(found))
            # a trap of YAML is told once, by the parser that saw it
            if not (trapped and any(d.position == diagnostic.position for d in problems)):
                problems.append(diagnostic)
        return None


def _translate(
    file: SpecFile, model: type[BaseModel], tree: Any, found: dict[str, Any]
) -> Diagnostic:
    """One of pydantic's errors, in our words and at the line that caused it."""
    context = found.get("ctx") or {}
    route = _route(found["loc"], tree)
    field = ".".join(str(part) for part in route)
    kind = found["type"]
    if kind == "extra_forbidden":
        hint = did_you_mean(str(route[-1]), _fields(model, route[:-1]))
        return file.at(route, f"{field} is no field here", "unknown-field", hint, key=True)
    if kind == "missing":
        return file.at(route, f"{field} is missing", "missing-field", context.get("hint", ""))
    if kind == "not-rendered" and "field" in context:
        field = ".".join([*(str(part) for part in route), context["field"]])
        message = f"{field} is not rendered by this version of wfgen"
        return file.at((*route, context["field"]), message, kind, context["hint"], key=True)
    hint = context.get("hint", "")
    message: str | None = {
        "string_type": f"expected text, found {_shown(found['input'])}",
        "int_type": f"expected a whole number, found {_shown(found['input'])}",
        "bool_type": f"expected true or false, found {_shown(found['input'])}",
        "list_type": f"expected a list, found {_shown(found['input'])}",
        "dict_type": f"expected a mapping, found {_shown(found['input'])}",
        "model_type": f"expected a mapping, found {_shown(found['input'])}",
        "model_attributes_type": f"expected a mapping, found {_shown(found['input'])}",
        "string_pattern_mismatch": f"{_shown(found['input'])} does not match {context.get('pattern')}",
        "too_short": "empty; expected at least one entry",
        "union_tag_invalid": f"type {context.get('tag')} is unknown",
        "union_tag_not_found": "type is missing",
    }.get(kind)
    if kind == "string_type" and isinstance(found["input"], int | float):
        hint = f'write "{found["input"]}"'
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        known = [tag.strip(" '") for tag in str(context.get("expected_tags", "")).split(",")]
        hint = did_you_mean(str(context.get("tag", "")), [tag for tag in known if tag])
        route = (*route, "type") if kind == "union_tag_invalid" else route
    if kind == "literal_error":
        expected = str(context["expected"]).replace("'", "")
        message = f"{_shown(found['input'])} is not one of {expected}"
    own = kind in ("pattern", "duration") or message
    text = f"{field}: {message or found['msg']}" if own and field else message or found["msg"]
    return file.at(route, text, kind.replace("_", "-"), hint)


def _route(loc: Iterable[str | int], tree: Any) -> Route:
    """pydantic's location without the names of union members, which stand in no file."""
    route: list[str | int] = []
    loc = list(loc)
    for index, part in enumerate(loc):
        last = index == len(loc) - 1
        inside = (isinstance(tree, dict) and part in tree) or (
            isinstance(tree, list) and isinstance(part, int) and part < len(tree)
        )
        if inside:
            tree = tree[part]
        elif not (last and isinstance(tree, dict)) or part == "[key]" or part in ("Health",):
            continue
        route.append(part)
    return tuple(route)


def _fields(model: Any, route: Route) -> list[str]:
    """Names of the fields that the mapping at `route` may have."""
    here = {model}
    for part in route:
        if isinstance(part, str):
            fields = [m.model_fields[part] for m in here if part in m.model_fields]
            here = {inner for field in fields for inner in _models(field.annotation)} or here
    return [name for each in here for name in each.model_fields]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models(inner)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
