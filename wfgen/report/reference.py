"""The reference page in Markdown: every field, kind and rule, from the models and docstrings.

`python -m wfgen.report.reference FILE` writes it.
"""

from __future__ import annotations

import builtins
import json
import re
import sys
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from wfgen.checks import safety
from wfgen.checks.properties import PROPERTIES
from wfgen.checks.rules import RULES, Documented, name_of
from wfgen.checks.scenarios.roles import ROLES
from wfgen.specs.kinds import KINDS, ProjectSpec, ServiceSpec, kind_name
from wfgen.specs.kinds._model import Between, Lasting, Matching, Refused, fields_of
from wfgen.specs.schema import field_docs

_INTRODUCTION = """\
# Reference of the specs

Generated from the code by `make reference`. Each field is either *rendered* or *refused*: this
version of wfgen does not render it, and reports an error with an alternative. No field is accepted
and then ignored.
"""
_LIMITS = """\
wfgen writes nothing where GitHub would refuse a generated workflow.
"""
_MUSTS = """\
wfgen refuses a patch that breaks one of these rules or one of the rules above, and writes nothing.
"""
_WAIVABLE = """\
It also refuses a patch that breaks one of these rules, unless the patch gives a reason:
`waive: {secrets-by-name: ours}`. The generated file has the reason above the patched lines.
"""
_HEAD = "| field | type | default | status | meaning |\n|---|---|---|---|---|"
_WORDS: dict[Any, str] = {str: "text", int: "a number", bool: "`true` or `false`", Any: "anything"}
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


@dataclass(frozen=True)
class Part:
    """A mapping in a spec, and its model.

    `path` has the names of the fields that lead to it, `<name>` for any key, `[]` for any entry.
    """

    path: tuple[str, ...]
    model: type[BaseModel]

    @property
    def title(self) -> str:
        """The heading of its table."""
        route = ".".join(self.path).replace(".[]", "[]")
        return f"`{route}` of type {tag}" if (tag := tag_of(self.model)) else f"`{route}`"

    @property
    def text(self) -> str:
        """The model's docstring in one line."""
        return " ".join((self.model.__doc__ or "").split())


@dataclass(frozen=True)
class Entry:
    """A row of the reference."""

    name: str
    type: str
    default: str
    status: str
    text: str

    def __str__(self) -> str:
        cells = (f"`{self.name}`", self.type, self.default, self.status, self.text)
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def refused(field: FieldInfo) -> Refused | None:
    """The mark of a field that is not rendered, or not with one of its values."""
    return next((mark for mark in field.metadata if isinstance(mark, Refused)), None)


def _status(mark: Refused | None) -> str:
    if mark is None:
        return "rendered"
    refusal = f"refused: {mark.instead}"
    return f"rendered; `{mark.value}` is {refusal}" if mark.value else refusal


def tag_of(model: type[BaseModel]) -> str:
    """The `type` that selects this model; "" where there is one model only."""
    field = model.model_fields.get("type")
    return str(typing.get_args(field.annotation)[0]) if field else ""


def parts(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Part]:
    """A model and the models of its fields, in the order of the fields."""
    yield Part(path, model)
    for name, field in fields_of(model).items():
        yield from _parts(field.annotation, (*path, name))


def _parts(annotation: Any, path: tuple[str, ...]) -> Iterator[Part]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from parts(annotation, path)
        return
    inner = {list: ("[]",), dict: ("<name>",)}.get(typing.get_origin(annotation), ())
    for argument in typing.get_args(annotation):
        yield from _parts(argument, (*path, *inner))


def entries(model: type[BaseModel]) -> Iterator[Entry]:
    """The row of each field of a model."""
    docs = field_docs(model)
    for name, field in fields_of(model).items():
        mark = refused(field)
        yield Entry(
            name,
            _type(field.annotation, field.metadata),
            "the file's name" if (model, name) == (ServiceSpec, "name") else _default(field),
            _status(mark),
            docs.get(name, "Selects these fields."),
        )


def reference() -> str:
    """The page."""
    lines = [_INTRODUCTION, "## `specs/project.yaml`\n", *_tables(ProjectSpec)]
    lines += ["## `specs/<service>.yaml`\n", *_tables(ServiceSpec)]
    lines += ["## Kinds\n", *_kinds(), "## Rules\n", _LIMITS, *_rules(RULES)]
    lines += ["## Rules for patches\n", _MUSTS, *_rules(safety.MUSTS)]
    lines += [_WAIVABLE, *_rules(safety.RULES)]
    lines += ["## Safety properties\n", *_properties(), "## Roles\n", *_roles()]
    return "\n".join(lines)


def _tables(model: type[BaseModel]) -> Iterator[str]:
    for part in parts(model):
        if part.path:
            yield f"### {part.title}\n"
        yield f"{part.text}\n"
        yield _HEAD
        yield from map(str, entries(part.model))
        yield ""


def _kinds() -> Iterator[str]:
    yield "| kind | for | status |\n|---|---|---|"
    for kind in KINDS:
        status = f"refused: {kind.refused}" if kind.refused else "rendered"
        yield f"| `{kind_name(kind)}` | {kind.summary} | {status} |"
    yield "\nFields that only one kind has, and other defaults:\n"
    yield "| kind | field | type | default |\n|---|---|---|---|"
    base = ServiceSpec.model_fields
    for kind in KINDS:
        for name, field in kind.model_fields.items():
            default = _default(field)
            if name != "kind" and (name not in base or default != _default(base[name])):
                type_ = _type(field.annotation, field.metadata)
                yield f"| `{kind_name(kind)}` | `{name}` | {type_} | {default} |"
    yield ""


def _rules(rules: typing.Iterable[Documented]) -> Iterator[str]:
    for rule in rules:
        title, *reason, remedy = (" ".join(p.split()) for p in rule.__doc__.strip().split("\n\n"))
        yield f"### {name_of(rule)}\n\n{title}\n"
        yield f"- Reason: {' '.join(reason)}\n- Remedy: {remedy}\n"


def _properties() -> Iterator[str]:
    yield "`wfgen verify` checks these for every outcome of every job. Those that do not depend on"
    yield "outcomes are checked by `wfgen render` and `wfgen check` as well.\n"
    for checked in PROPERTIES:
        title, *reason, remedy = (" ".join(p.split()) for p in checked.text.split("\n\n"))
        yield f"### {checked.name}\n\n{title}\n"
        yield f"- Reason: {' '.join(reason)}\n- Remedy: {remedy}\n"


_ROLES = """\
`wfgen verify --workflow FILE` and `wfgen simulate FILE` read the roles of jobs in any workflow from
comments: at the end of a line of the step, at the end of the job's first line for the whole job, or
on the line above. Name services after the role; without any, it applies to all.

```yaml
  deploy:
    environment: production
    steps:
      - run: kubectl apply -f kube # wfgen: deploy client, server
      - run: kubectl rollout status deployment/client # wfgen: monitor client
      - run: kubectl rollout status deployment/server # wfgen: monitor server
      - if: always() && job.status != 'success'
        run: kubectl apply -f last-known-good # wfgen: rollback
```

| role | what it does |
|---|---|"""


def _roles() -> Iterator[str]:
    yield _ROLES
    yield from (f"| `{role}` | {text} |" for role, text in ROLES.items())
    yield ""


def _type(annotation: Any, marks: typing.Sequence[Any] = ()) -> str:
    if text := next(filter(None, map(_limits, marks)), ""):
        return text
    arguments = typing.get_args(annotation)
    match typing.get_origin(annotation):
        case typing.Annotated:
            return _type(arguments[0], arguments[1:])
        case typing.Literal:
            return " or ".join(f"`{value}`" for value in arguments)
        case builtins.list:
            return f"list, each {_type(arguments[0])}"
        case builtins.dict:
            return f"a mapping from {_type(arguments[0])} to {_type(arguments[1])}"
        case None:
            return _plain_type(annotation)
        case _:  # a union
            named = [_type(choice) for choice in arguments if choice is not type(None)]
            return " or ".join(dict.fromkeys(named))


def _limits(mark: Any) -> str:
    match mark:
        case Matching():
            return mark.noun
        case Between():
            return f"a number from {mark.low} to {mark.high}"
        case Lasting():
            return f"a duration from {mark.low} to {mark.high}"
        case _:
            return ""


def _plain_type(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"type {tag}" if (tag := tag_of(annotation)) else "a mapping (below)"
    return _WORDS[annotation]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = _plain(field.default)
    if value in (None, [], {}, [{}]):
        return ""
    if any(isinstance(mark, Lasting) for mark in field.metadata):
        unit, seconds = next((u, s) for u, s in _UNITS if value % s == 0)
        return f"`{value // seconds}{unit}`"
    return f"`{value if isinstance(value, str) else _flow(value)}`"


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_defaults=True)
    return [_plain(entry) for entry in value] if isinstance(value, list) else value


def _flow(value: Any) -> str:
    """A value in YAML's flow style."""
    return re.sub(r'"([A-Za-z/][\w/-]*)"', r"\1", json.dumps(value))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), "utf-8")
