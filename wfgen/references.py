"""A repository's specs as a whole, and whether what they name exists."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wfgen.diagnostics import Diagnostic, did_you_mean
from wfgen.kinds import ProjectSpec, ServiceSpec
from wfgen.source import diagnose, locate

Route = tuple[str | int, ...]


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


def cross_check(project: Project, unread: set[str]) -> Iterator[Diagnostic]:
    """What the specs get wrong about one another. `unread` are services whose spec has errors."""
    specs = {service.spec.name: service for service in project.services}
    known = set(specs) | unread
    environments = project.spec.environments
    first: dict[str, Service] = {}
    pushed: dict[str, Service] = {}
    for service in project.services:
        spec, file = service.spec, service.file
        if (other := first.setdefault(spec.name, service)) is not service:
            yield file.at(
                ("name",),
                f"a second service {spec.name}; the first is {other.file.path}",
                "duplicate-service",
                "choose another name",
            )
        for index, name in enumerate(spec.depends_on):
            if name not in known:
                yield file.at(
                    ("depends_on", index), f"depends on {name}, which is no service",
                    "unknown-service", did_you_mean(name, known - {spec.name}),
                )  # fmt: skip
        for index, name in enumerate(spec.only_in):
            if name not in environments:
                yield _no_environment(file, ("only_in", index), name, environments)
        for name in spec.external:
            if name not in environments:
                yield _no_environment(file, ("external", name), name, environments)
        if spec.build is not None:
            image = spec.image.name or f"{project.spec.project}-{spec.name}"
            if (other := pushed.setdefault(image, service)) is not service:
                yield file.at(
                    ("image", "name"),
                    f"image {image} is also built by {other.file.path}",
                    "duplicate-image",
                    "give one of them another `image.name`",
                )
            context = project.root / spec.build.context
            if not context.is_dir():
                yield file.at(
                    ("build", "context"), f"no folder {spec.build.context}", "build-context"
                )
            else:
                dockerfile = spec.build.dockerfile or f"{spec.build.context}/Dockerfile"
                if not (project.root / dockerfile).is_file():
                    yield file.at(("build", "dockerfile"), f"no file {dockerfile}", "dockerfile")
    yield from _cycle(project, specs)
    yield from _secrets(project)


def _no_environment(
    file: SpecFile, route: Route, name: str, environments: Iterable[str]
) -> Diagnostic:
    return file.at(
        route, f"{name} is no environment of the project", "unknown-environment",
        did_you_mean(name, environments), key=True,
    )  # fmt: skip


def _cycle(project: Project, specs: dict[str, Service]) -> Iterator[Diagnostic]:
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


def _secrets(project: Project) -> Iterator[Diagnostic]:
    declared = set(project.spec.secrets)
    uses: list[tuple[SpecFile, Route, str | None]] = [
        (
            project.file,
            ("registry", "token_secret"),
            getattr(project.spec.registry, "token_secret", None),
        ),
        (project.file, ("notify", "slack_secret"), project.spec.notify.slack_secret),
        (project.file, ("notify", "pagerduty_secret"), project.spec.notify.pagerduty_secret),
        (project.file, ("revert", "app_key_secret"), project.spec.revert.app_key_secret),
    ]
    for service in project.services:
        uses += [
            (service.file, ("secrets", index), name)
            for index, name in enumerate(service.spec.secrets)
        ]
        uses += [
            (service.file, ("external", environment, "secret"), external.secret)
            for environment, external in service.spec.external.items()
        ]
    for file, route, name in uses:
        if name is not None and name not in declared:
            hint = did_you_mean(name, declared) if declared else ""
            yield file.at(
                route,
                f"secret {name} is used and not declared",
                "undeclared-secret",
                f"add it to `secrets` in specs/project.yaml{'; ' + hint if hint.startswith('did') else ''}",
            )
