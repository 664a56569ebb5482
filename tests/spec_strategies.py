"""Valid specs of all kinds, generated from the models: a new field needs no change here.

`of` is the strategy for the values of a single field; `projects` makes fields agree with one
another. Values are plain ones, as in YAML.
"""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Callable
from functools import cache
from typing import Any

from annotated_types import MinLen
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from wfgen.report.reference import refused
from wfgen.specs.kinds import KINDS, ProjectSpec, ServiceSpec, kind_name
from wfgen.specs.kinds._model import Between, Lasting, Matching, _seconds, fields_of
from wfgen.specs.kinds.image import Build, Image
from wfgen.specs.kinds.project import Environment, Revert
from wfgen.specs.kinds.secrets import EXISTING
from wfgen.specs.kinds.service import _OF_DEPLOYED, External, Health, Workload

Values = dict[str, Any]
_OF_PLATFORM = frozenset({"platform", "server", "oidc_repository"})
_APART = _OF_PLATFORM | {"environments", "secrets", "patches", "wfgen_requirement"}
"""Fields of the project that must agree with others, or have a test: test_patches.py for patches,
test_requirement.py for wfgen_requirement."""
_TAKEN = {"watchdog", "wfgen-check", "ci"}
"""Names of generated workflows, which no environment can have."""
LONG = 300
"""Maximum duration of a step of a release, in seconds."""


def of(annotation: Any, metadata: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    """The values that an annotation accepts, without `None`, which stands for a missing field."""
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return of(arguments[0], (*metadata, *arguments[1:]))
    for mark in metadata:
        if isinstance(mark, Matching):
            return _matching(mark)
        if isinstance(mark, Between):
            return st.integers(mark.low, mark.high) | st.sampled_from([mark.low, mark.high])
        if isinstance(mark, Lasting):
            low, high = _seconds(mark.low) or 0, _seconds(mark.high) or 0
            # Several steps must end before the cluster login expires: rules/login_lifetime.py.
            return st.integers(low, min(high, max(low, LONG))).map(_duration)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([of(member) for member in arguments if member is not type(None)])
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is list:
        return st.lists(of(arguments[0]), min_size=_least(metadata), max_size=3)
    if origin is dict:
        return st.dictionaries(of(arguments[0]), of(arguments[1]), max_size=3)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return model(annotation)
    assert annotation is bool, f"no strategy for {annotation}"
    return st.booleans()


@cache
def field(cls: type[BaseModel], name: str) -> st.SearchStrategy[Any]:
    """The values of one field of a model."""
    info = fields_of(cls)[name]
    return of(info.annotation, tuple(info.metadata))


def model(cls: type[BaseModel]) -> st.SearchStrategy[Values]:
    """A mapping that a model accepts."""
    return _SHAPED[cls]() if cls in _SHAPED else fields(cls)


@cache
def fields(
    cls: type[BaseModel], without: frozenset[str] = frozenset()
) -> st.SearchStrategy[Values]:
    """Fields of a model, each valid alone; optional ones in some of the examples."""
    rendered: dict[str, FieldInfo] = {
        name: info
        for name, info in fields_of(cls).items()
        if not refused(info) and name not in without
    }
    needed = {n: field(cls, n) for n, info in rendered.items() if info.is_required()}
    optional = {n: field(cls, n) for n in rendered if n not in needed}
    return st.fixed_dictionaries(needed, optional=optional)


def _least(metadata: tuple[Any, ...]) -> int:
    marks = [inner for mark in metadata for inner in getattr(mark, "metadata", [mark])]
    return max((mark.min_length for mark in marks if isinstance(mark, MinLen)), default=0)


@cache
def _matching(mark: Matching) -> st.SearchStrategy[str]:
    made = st.from_regex(re.compile(mark.expression, re.ASCII), fullmatch=True)
    # GitHub expressions are refused everywhere.
    return made.filter(lambda text: "${{" not in text)


def _duration(seconds: int) -> str:
    return f"{seconds}s" if seconds < 10**6 else f"{seconds // 60}m"


@st.composite
def _health(draw: st.DrawFn) -> Values:
    way = draw(st.sampled_from(["http", "tcp", "exec", "grpc"]))
    return {
        way: draw(field(Health, way)),
        **({"port": draw(field(Health, "port"))} if way == "http" else {}),
    }


@st.composite
def _build(draw: st.DrawFn) -> Values:
    made: Values = draw(fields(Build))
    for name in made.get("args", {}).keys() & made.get("dynamic_args", {}).keys():
        del made["args"][name]
    return made


@st.composite
def _environment(draw: st.DrawFn) -> Values:
    made: Values = draw(fields(Environment))
    if made["deploy_on"] == "pull_request":
        made.pop("approval", None)
        if "url" in made:
            made["url"] = "https://{number}." + made["url"].removeprefix("https://")
    else:
        made.pop("label", None)
        made.pop("time_to_live", None)
        if "url" in made:
            made["url"] = made["url"].replace("{number}", "1")
    return made


@st.composite
def _revert(draw: st.DrawFn) -> Values:
    made: Values = draw(fields(Revert))
    return made if {"app_client_id", "app_key_secret"} <= made.keys() else {}


_SHAPED: dict[type[BaseModel], Callable[[], st.SearchStrategy[Values]]] = {
    Health: _health,
    Build: _build,
    Environment: _environment,
    Revert: _revert,
}


_TOGETHER = frozenset(
    {"kind", "name", "depends_on", "image", "build", "deploy", "only_in", "external"}
    | {"replicas", "autoscaled", "workloads"}
)
"""Fields of a service that must agree with one another."""


@st.composite
def services(
    draw: st.DrawFn, name: str, environments: list[str], others: list[tuple[str, Values]]
) -> Values:
    """A service that may depend on `others`."""
    kind = draw(st.sampled_from([model for model in KINDS if not model.refused]))
    made: Values = {"kind": kind_name(kind), **draw(fields(kind, _TOGETHER))}
    if draw(st.booleans()):
        made["only_in"] = draw(st.lists(st.sampled_from(environments), min_size=1, unique=True))
    _add_image(draw, kind, made, environments)
    if draw(st.booleans()):
        made["workloads"] = draw(_workloads(name))
    kinds = {workload.get("kind", "Deployment") for workload in made.get("workloads", [])}
    if not kinds & {"DaemonSet", "CronJob"}:
        copies = draw(st.sampled_from(["", "replicas", "autoscaled"]))
        if copies:
            made[copies] = draw(field(kind, copies))
    deployed = [other for other, spec in others if spec.get("deploy", True)]
    if deployed:
        made["depends_on"] = draw(st.lists(st.sampled_from(deployed), max_size=3))
    health = made.get("health")
    if isinstance(health, dict) and "http" in health and "port" not in health:
        made.setdefault("ports", [8080])
    if "build" in made and draw(st.integers(0, 4)) == 0:
        made["deploy"] = False
        made = {key: value for key, value in made.items() if key not in _OF_DEPLOYED}
    if not made.get("ports", [0]) and isinstance(made.get("health", 0), int):
        del made["ports"]  # the default health check of the kind needs one
    if "migrate" not in made:
        made.pop("allow_major", None)  # which requires a backup
    return made


def _add_image(
    draw: st.DrawFn, kind: type[ServiceSpec], made: Values, environments: list[str]
) -> None:
    ways = ["build", "reference", *(["external"] if kind.check_image else [])]
    way = draw(st.sampled_from(ways))
    image = draw(st.fixed_dictionaries({}, optional={"manifest": field(Image, "manifest")}))
    if way == "build":
        made["build"] = draw(model(Build))
        if draw(st.booleans()):
            image["name"] = draw(field(Image, "name"))
    elif way == "reference":
        image["reference"] = draw(field(Image, "reference"))
    if way == "external" or (kind.check_image and draw(st.booleans())):
        places = made.get("only_in", environments)
        made["external"] = {name: draw(model(External)) for name in places}
    if image:
        made["image"] = image


def _workloads(service: str) -> st.SearchStrategy[list[Values]]:
    """Workloads with names that no other service uses."""

    def named(workloads: list[Values]) -> list[Values]:
        return [{**made, "name": f"{service}.{index}"} for index, made in enumerate(workloads)]

    return st.lists(model(Workload), min_size=1, max_size=2).map(named)


@st.composite
def projects(draw: st.DrawFn) -> dict[str, Values]:
    """All specs of a repository by path, consistent with one another."""
    project: Values = draw(fields(ProjectSpec, _APART))
    names = draw(
        st.lists(
            field(ServiceSpec, "name").filter(lambda name: name not in _TAKEN),
            min_size=4,
            max_size=6,
            unique=True,
        )
    )
    split = draw(st.integers(1, 3))
    environments = names[:split]
    project["environments"] = {name: draw(model(Environment)) for name in environments}
    for name in environments[1:]:  # no two in one namespace of one cluster
        project["environments"][name]["namespace"] = name
    _add_platform(draw, project)
    _part_runners(project)
    made: list[tuple[str, Values]] = []
    for name in names[split:]:
        if name != "project":
            made.append((name, draw(services(name, environments, made))))
    images = [spec.get("image", {}).pop("name", None) for _, spec in made]
    for index, (image, (_, spec)) in enumerate(zip(images, made, strict=True)):
        if image:
            spec["image"]["name"] = f"{image}-{index}"
    for index, (_, spec) in enumerate(made):
        _part_secrets(index, spec)
    specs = {"specs/project.yaml": project}
    specs |= {f"specs/{name}.yaml": spec for name, spec in made}
    project["secrets"] = sorted(_secrets(specs) - {EXISTING})
    return specs


def _add_platform(draw: st.DrawFn, project: Values) -> None:
    """GitHub.com, or a server, with the fields that it needs."""
    project |= draw(fields(ProjectSpec, frozenset(ProjectSpec.model_fields) - _OF_PLATFORM))
    if project.get("platform") == "ghes":
        project["server"] = draw(field(ProjectSpec, "server"))
        project["oidc_repository"] = re.sub("@[0-9]+", "", project.get("oidc_repository", "a/b"))
        if project["registry"]["type"] == "ghcr":
            project["registry"]["host"] = "containers.example.com"
    else:
        project.pop("server", None)


def _part_runners(project: Values) -> None:
    """No label for both pull requests and releases, whoever hosts it."""
    environments = project["environments"].values()
    lasting = [made for made in environments if made["deploy_on"] != "pull_request"]
    releases = {made["runner"] for made in (project, *lasting) if "runner" in made}
    releases.add("ubuntu-24.04")
    if project.get("pull_request_runner") in (None, *releases):
        project["pull_request_runner"] = "-".join(["pull", *sorted(releases)])
    for made in environments:
        if made["deploy_on"] == "pull_request" and made.get("runner") in releases:
            del made["runner"]


def _part_secrets(index: int, spec: Values) -> None:
    """No name of another service, unless the spec says `from`."""
    if isinstance(spec.get("secrets"), list):
        spec["secrets"] = [f"{name[:90]}_OF_{index}" for name in spec["secrets"]]
    if "secret_name" in spec:
        spec["secret_name"] = f"{spec['secret_name'][:200]}.{index}"
    for external in spec.get("external", {}).values():
        external.setdefault("from", external["secret"])


def _secrets(node: Any, key: str = "") -> set[str]:
    """The names of the secrets that specs use."""
    if isinstance(node, dict):
        names = {name for inner, value in node.items() for name in _secrets(value, inner)}
        if node.get("type") == "dockerhub":
            names.add(node.get("token_secret", "DOCKERHUB_TOKEN"))
        return names
    if isinstance(node, list):
        return {name for item in node for name in _secrets(item, key)}
    return {node} if key.endswith("secret") or key in ("from", "secrets") else set()


def as_yaml(spec: Values) -> str:
    """A spec's text; JSON is YAML."""
    return "".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in spec.items()
    )
