"""The specs of a repository as a whole, and whether the names in them refer to something."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wfgen.findings import Diagnostic, did_you_mean
from wfgen.specs.kinds import ProjectSpec, ServiceSpec
from wfgen.specs.kinds.image import Build
from wfgen.specs.kinds.requirement import path_of
from wfgen.text.positions import Route, diagnose, locate


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
    """The spec of a service, and its file."""

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
    """Mistakes between services, and between them and the repository.

    `project` is the project's name, `unread` has the names of services whose own spec has errors.
    """
    specs = {service.spec.name: service for service in services}
    for service in services:
        yield from _check_dependencies(service, specs, unread)
        yield from _check_build(root, service)
    yield from _check_unique(project, services)
    yield from _check_cycle(specs)


def check_project(
    spec: ProjectSpec, file: SpecFile, services: Iterable[Service]
) -> Iterator[Diagnostic]:
    """Mistakes between the project's spec and its services."""
    for service in services:
        yield from _check_service_environments(service, spec.environments)
    yield from _check_environments(spec, file)


def _check_dependencies(
    service: Service, specs: dict[str, Service], unread: set[str]
) -> Iterator[Diagnostic]:
    for index, name in enumerate(service.spec.depends_on):
        if name not in specs and name not in unread:
            message = f"unknown service `{name}`"
            others = (set(specs) | unread) - {service.spec.name}
            hint = did_you_mean(name, others, f"create `specs/{name}.yaml`, or remove the name")
        elif name in specs and not specs[name].spec.deploy:
            message = f"service `{name}` is not deployed, so nothing can depend on it"
            hint = f"remove the name here, or `deploy: false` in `{specs[name].file.path}`"
        else:
            continue
        yield service.file.at(("depends_on", index), message, "unknown-service", hint)


def _check_service_environments(
    service: Service, environments: Iterable[str]
) -> Iterator[Diagnostic]:
    spec, file = service.spec, service.file
    routes: list[tuple[Route, str]] = [
        *((("only_in", index), name) for index, name in enumerate(spec.only_in)),
        *((("external", name), name) for name in spec.external),
    ]
    for route, name in routes:
        if name not in environments:
            message, hint = f"unknown environment `{name}`", did_you_mean(name, environments)
            yield file.at(route, message, "unknown-environment", hint, key=True)
    if not spec.external or spec.build or spec.image.reference:
        return
    for name in spec.only_in or environments:
        if name not in spec.external:
            message = f"no image for environment `{name}`, where the service is not external"
            hint = f"add `{name}` to `external`, or set `image.reference`"
            yield file.at(("external",), message, "no-image", hint, key=True)


def _check_environments(spec: ProjectSpec, file: SpecFile) -> Iterator[Diagnostic]:
    """Environments that would overwrite one another, or use each other's names."""
    first: dict[tuple[str, str], str] = {}
    for name, environment in spec.environments.items():
        if environment.preview:
            continue
        if environment.approval and f"{name}-approval" in spec.environments:
            reserved = f"{name}-approval"
            message = f"`{reserved}` is reserved for the required reviewers of `{name}`"
            route, hint = ("environments", reserved), "choose another name"
            yield file.at(route, message, "twice", hint, key=True)
        if environment.cluster.type == "kubeconfig":
            continue  # only the secret knows which cluster it is
        namespace = environment.namespace or spec.project
        other = first.setdefault((environment.cluster.model_dump_json(), namespace), name)
        if other != name:
            message = f"`{other}` and `{name}` share namespace `{namespace}` of the same cluster"
            hint = "set a different `namespace` for one of them"
            yield file.at(("environments", name, "namespace"), message, "twice", hint)


def _check_build(root: Path, service: Service) -> Iterator[Diagnostic]:
    build = service.spec.build
    if build is None:
        return
    if not (root / build.context).is_dir():
        message, hint = f"no folder `{build.context}` found", "use a path from the repository root"
        yield service.file.at(("build", "context"), message, "build-context", hint)
        return
    dockerfile = _dockerfile(build)
    if not (root / dockerfile).is_file():
        hint = "set `build.dockerfile` to its path from the repository root"
        message = f"no Dockerfile found at `{dockerfile}`"
        yield service.file.at(("build", "dockerfile"), message, "dockerfile", hint)


def _dockerfile(build: Build) -> str:
    return build.dockerfile or (Path(build.context) / "Dockerfile").as_posix()


def paths_of(project: Project) -> list[tuple[str, str]]:
    """The paths that valid specs refer to: `folder`, `file` or `inside` the repository, and path.

    Paths of overlays are not among them.
    """
    builds = [service.spec.build for service in project.services if service.spec.build]
    paths = {("folder", build.context) for build in builds}
    paths |= {("file", _dockerfile(build)) for build in builds}
    if requirement := path_of(project.spec.requirement):
        paths.add(("inside", requirement))
    return sorted(paths)


def _check_unique(project: str, services: Iterable[Service]) -> Iterator[Diagnostic]:
    """Names, built images and workloads that two services claim."""
    first: dict[str, Service] = {}
    for service in services:
        for claim, verb, route, hint in _claims(project, service.spec):
            other = first.setdefault(claim, service)
            if other is service or (verb == "deployed" and _apart(service.spec, other.spec)):
                continue
            message = f"{claim} is already {verb} by `{other.file.path}`"
            yield service.file.at(route, message, "twice", hint)
            break  # the other claims are mostly derived from this one


def _claims(project: str, spec: ServiceSpec) -> Iterator[tuple[str, str, Route, str]]:
    """What only one service can have: its description, a verb, its place in the spec, a hint."""
    yield f"service `{spec.name}`", "defined", ("name",), "choose another name"
    if spec.build is not None:
        image = spec.image.name or f"{project}-{spec.name}"
        hint = "use one spec with several `workloads`, or set `image.name`"
        yield f"image `{image}`", "built", ("image", "name"), hint
    if spec.deploy:
        for index, workload in enumerate(spec.workloads):
            title = f"{workload.kind} `{workload.name or spec.name}`"
            claim = f"container `{workload.container or spec.name}` of {title}"
            hint = "for several workloads of one image, use one spec with several `workloads`"
            yield claim, "deployed", ("workloads", index), hint


def _apart(one: ServiceSpec, other: ServiceSpec) -> bool:
    """Whether no environment has both services."""
    return bool(one.only_in and other.only_in and not set(one.only_in) & set(other.only_in))


def _check_cycle(specs: dict[str, Service]) -> Iterator[Diagnostic]:
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
        message = f"dependency cycle: `{' -> '.join([*names, names[0]])}`"
        hint = "remove one of these dependencies"
        if following == names[0]:
            message, hint = f"service `{following}` depends on itself", "remove the name"
        yield service.file.at(
            ("depends_on", service.spec.depends_on.index(following)),
            message,
            "dependency-cycle",
            hint,
        )


def check_requirement(root: Path, spec: ProjectSpec, file: SpecFile) -> Iterator[Diagnostic]:
    """Whether pip finds the path of `wfgen_requirement` in a checkout of the repository."""
    path = path_of(spec.requirement)
    if path is None:
        return
    message = ""
    if not (root / path).exists():
        message = f"no file or folder `{path}` found"
    elif not (root / path).resolve().is_relative_to(root.resolve()):
        message = f"`{path}` is outside the repository"
    if message:
        hint = "copy wfgen to this path, or use `wfgen-cli==<version>`"
        yield file.at(("wfgen_requirement",), message, "requirement", hint)
