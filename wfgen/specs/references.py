"""A repository's specs as a whole, and whether what they name exists."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wfgen.findings import Diagnostic, did_you_mean
from wfgen.specs.kinds import ProjectSpec, ServiceSpec
from wfgen.specs.kinds.requirement import path_of
from wfgen.text.source import Route, diagnose, locate


@dataclass(frozen=True, slots=True)
class SpecFile:
    """The text of a spec, and its path from the repository's root."""

    path: str
    text: str

    def at(
        self, route: Route, message: str, rule: str, hint: str = "", *, key: bool = False
    ) -> Diagnostic:
        """A diagnostic at the value (or the key) that `route` leads to."""
        line, column = locate(self.text, route, key=key)
        return diagnose(self.path, self.text, line, column, message, rule, hint)


@dataclass(frozen=True, slots=True)
class Service:
    """A service's spec and the file that it stands in."""

    spec: ServiceSpec
    file: SpecFile


@dataclass(frozen=True, slots=True)
class Project:
    """All specs of a repository, consistent with one another; services sorted by name."""

    root: Path
    spec: ProjectSpec
    file: SpecFile
    services: tuple[Service, ...]

    @property
    def files(self) -> tuple[SpecFile, ...]:
        return (self.file, *(service.file for service in self.services))


def check_services(
    root: Path, project: str, services: tuple[Service, ...], unread: set[str]
) -> Iterator[Diagnostic]:
    """What services get wrong about one another and the repository.

    `project` is its name, `unread` are the names of services whose own spec has errors.
    """
    specs = {service.spec.name: service for service in services}
    known = set(specs) | unread
    for service in services:
        spec, file = service.spec, service.file
        for index, name in enumerate(spec.depends_on):
            if name not in known:
                yield file.at(
                    ("depends_on", index),
                    f"depends on {name}, which is no service",
                    "unknown-service",
                    did_you_mean(
                        name, known - {spec.name}, f"write specs/{name}.yaml, or remove it"
                    ),
                )
            elif name in specs and not specs[name].spec.deploy:
                yield file.at(
                    ("depends_on", index),
                    f"depends on {name}, which is not deployed",
                    "unknown-service",
                    f"remove it, or `deploy: false` in {specs[name].file.path}",
                )
        yield from _check_build(root, service)
    yield from _twice(project, services)
    yield from _cycle(specs)


def check_project(
    spec: ProjectSpec, file: SpecFile, services: Iterable[Service]
) -> Iterator[Diagnostic]:
    """What the project's spec and its services get wrong about one another."""
    environments = spec.environments
    for service in services:
        routes: list[tuple[Route, str]] = [
            *((("only_in", index), name) for index, name in enumerate(service.spec.only_in)),
            *((("external", name), name) for name in service.spec.external),
        ]
        for route, name in routes:
            if name not in environments:
                yield service.file.at(
                    route,
                    f"{name} is no environment of the project",
                    "unknown-environment",
                    did_you_mean(name, environments),
                    key=True,
                )
        own = service.spec
        for name in own.only_in or environments:
            if own.external and name not in own.external and not (own.build or own.image.reference):
                message = f"external not in {name}, and no image to run there"
                hint = "add it, or `image.reference`"
                yield service.file.at(("external",), message, "no-image", hint, key=True)
    yield from _secrets(spec, file, services)
    yield from _places(spec, file)


def _places(spec: ProjectSpec, file: SpecFile) -> Iterator[Diagnostic]:
    """Environments that would overwrite one another, or take each other's names."""
    first: dict[tuple[str, str], str] = {}
    for name, environment in spec.environments.items():
        if environment.preview:
            continue
        if environment.approval and f"{name}-approval" in spec.environments:
            yield file.at(
                ("environments", f"{name}-approval"),
                f"{name}-approval is the environment whose reviewers approve {name}",
                "twice",
                "choose another name",
                key=True,
            )
        if environment.cluster.type == "kubeconfig":
            continue  # a secret says which cluster it is
        namespace = environment.namespace or spec.project
        other = first.setdefault((environment.cluster.model_dump_json(), namespace), name)
        if other != name:
            message = f"{other} and {name} release to namespace {namespace} of one cluster"
            hint = "give one of them another `namespace`"
            yield file.at(("environments", name, "namespace"), message, "twice", hint)


def _check_build(root: Path, service: Service) -> Iterator[Diagnostic]:
    build = service.spec.build
    if build is None:
        return
    if not (root / build.context).is_dir():
        message, hint = f"no folder {build.context}", "paths begin at the repository's root"
        yield service.file.at(("build", "context"), message, "build-context", hint)
        return
    dockerfile = build.dockerfile or (Path(build.context) / "Dockerfile").as_posix()
    if not (root / dockerfile).is_file():
        hint = "name it in `build.dockerfile`, from the repository's root"
        yield service.file.at(("build", "dockerfile"), f"no file {dockerfile}", "dockerfile", hint)


def _twice(project: str, services: Iterable[Service]) -> Iterator[Diagnostic]:
    """What only one service can have: its name, the image that it pushes, what it deploys."""
    first: dict[str, Service] = {}
    for service in services:
        for claim, verb, route, hint in _claims(project, service.spec):
            other = first.setdefault(claim, service)
            if other is not service and not _apart(service.spec, other.spec, verb):
                message = f"{other.file.path} {verb} {claim} already"
                yield service.file.at(route, message, "twice", hint)
                break  # the rest follows from it


def _claims(project: str, spec: ServiceSpec) -> Iterator[tuple[str, str, Route, str]]:
    yield f"service {spec.name}", "has", ("name",), "choose another name"
    if spec.build is not None:
        image = spec.image.name or f"{project}-{spec.name}"
        hint = "list what runs from one image in `workloads` of one spec, or choose an `image.name`"
        yield f"image {image}", "builds", ("image", "name"), hint
    if spec.deploy:
        for index, workload in enumerate(spec.workloads):
            name = f"{workload.kind} {workload.name or spec.name}"
            claim = f"container {workload.container or spec.name} of {name}"
            hint = "several workloads of one image are one spec with `workloads`"
            yield claim, "deploys", ("workloads", index), hint


def _apart(one: ServiceSpec, other: ServiceSpec, verb: str) -> bool:
    """Whether no environment has both."""
    return verb == "deploys" and bool(
        one.only_in and other.only_in and not set(one.only_in) & set(other.only_in)
    )


def _cycle(specs: dict[str, Service]) -> Iterator[Diagnostic]:
    graph = {
        name: [other for other in service.spec.depends_on if other in specs]
        for name, service in specs.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        cycle: list[str] = error.args[1][:-1]
        start = cycle.index(min(cycle))
        # graphlib lists each node before the one that depends on it
        names = [cycle[start], *reversed(cycle[start + 1 :] + cycle[:start])]
        service = specs[names[0]]
        following = names[1] if len(names) > 1 else names[0]
        yield service.file.at(
            ("depends_on", service.spec.depends_on.index(following)),
            f"a cycle: {' -> '.join([*names, names[0]])}",
            "dependency-cycle",
            "services of a cycle have no order to be deployed in; remove one of the dependencies",
        )


def _secrets(
    project: ProjectSpec, project_file: SpecFile, services: Iterable[Service]
) -> Iterator[Diagnostic]:
    token = getattr(project.registry, "token_secret", None)
    uses: list[tuple[SpecFile, Route, str | None]] = [
        (project_file, ("registry", "token_secret"), token),
        (project_file, ("notify", "slack_secret"), project.notify.slack_secret),
        (project_file, ("notify", "pagerduty_secret"), project.notify.pagerduty_secret),
        (project_file, ("revert", "app_key_secret"), project.revert.app_key_secret),
    ]
    for service in services:
        spec, file = service.spec, service.file
        uses += [
            *((file, ("secrets", index), name) for index, name in enumerate(spec.secrets)),
            *((file, ("external", e, "secret"), own.secret) for e, own in spec.external.items()),
        ]
    declared = set(project.secrets)
    for file, route, used in uses:
        if used == "KUBECONFIG":
            message = "KUBECONFIG is the name of the secret that reaches the cluster"
            yield file.at(route, message, "reserved-secret", "choose another name")
        elif used is not None and used not in declared:
            near = did_you_mean(used, declared)
            hint = "add it to `secrets` in specs/project.yaml"
            hint = f"{near} else {hint}" if near.startswith("did") else hint
            yield file.at(
                route, f"secret {used} is used and not declared", "undeclared-secret", hint
            )


def check_requirement(root: Path, spec: ProjectSpec, file: SpecFile) -> Iterator[Diagnostic]:
    """A path that pip would not find in a checkout of the repository."""
    path = path_of(spec.requirement)
    if path is None:
        return
    message = ""
    if not (root / path).exists():
        message = f"{path} does not exist"
    elif not (root / path).resolve().is_relative_to(root.resolve()):
        message = f"{path} leads outside the repository"
    if message:
        hint = "copy wfgen to this path, or write `wfgen-cli==<version>`"
        route = ("wfgen_requirement",)
        yield file.at(route, f"wfgen_requirement: {message}", "requirement", hint)
