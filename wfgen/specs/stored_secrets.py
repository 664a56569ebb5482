"""Whether each secret that specs name is declared, and shared only by an explicit `from`.

The values are secrets of the GitHub environment, so a name belongs to all services of an
environment: two specs that both say `PASSWORD` would get the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wfgen.findings import Diagnostic, nearest
from wfgen.release_program.names import Variable
from wfgen.specs.kinds import ProjectSpec
from wfgen.specs.kinds.secrets import EXISTING
from wfgen.specs.references import Service, SpecFile
from wfgen.text.positions import Route


@dataclass(frozen=True)
class _Named:
    """A place in a spec that names a GitHub secret."""

    file: SpecFile
    route: Route
    stored: str
    environment: str
    """The environment whose secret it is; "" where the project's spec names it, for any."""
    is_explicit: bool


def check_secrets(
    project: ProjectSpec, file: SpecFile, services: Iterable[Service]
) -> Iterator[Diagnostic]:
    """Secrets that are undeclared, reserved, or shared by accident."""
    services = tuple(services)
    named = [*_of_project(project, file)]
    for service in services:
        named += _of_service(project, service)
    yield from _check_declared(project, named)
    yield from _check_shared(named)
    yield from _check_objects(project, services)


def _of_project(project: ProjectSpec, file: SpecFile) -> Iterator[_Named]:
    places: list[tuple[Route, str | None]] = [
        (("registry", "token_secret"), getattr(project.registry, "token_secret", None)),
        (("notify", "slack_secret"), project.notify.slack_secret),
        (("notify", "pagerduty_secret"), project.notify.pagerduty_secret),
        (("revert", "app_key_secret"), project.revert.app_key_secret),
    ]
    for route, stored in places:
        if stored is not None:
            yield _Named(file, route, stored, "", True)


def _of_service(project: ProjectSpec, service: Service) -> Iterator[_Named]:
    for environment in _environments(project, service):
        for use in service.spec.secrets_in(environment):
            yield _Named(service.file, use.route, use.stored, environment, use.is_explicit)


def _environments(project: ProjectSpec, service: Service) -> list[str]:
    """The environments that have a service."""
    only = service.spec.only_in
    return [name for name in project.environments if not only or name in only]


def _check_declared(project: ProjectSpec, named: Iterable[_Named]) -> Iterator[Diagnostic]:
    declared = set(project.secrets)
    for file, route, stored in dict.fromkeys((n.file, n.route, n.stored) for n in named):
        if stored == Variable.KUBECONFIG:
            message = f"`{stored}` is reserved for the secret with the cluster's kubeconfig"
            yield file.at(route, message, "reserved-secret", "choose another name")
        elif stored not in declared:
            hint = "add it to `secrets` in `specs/project.yaml`"
            if near := nearest(stored, declared):
                hint = f"did you mean `{near}`? If not, {hint}"
            yield file.at(route, f"undeclared secret `{stored}`", "undeclared-secret", hint)


def _check_shared(named: list[_Named]) -> Iterator[Diagnostic]:
    """Names that two specs have, where one of them does not say that it means the other's."""
    by_name: dict[str, list[_Named]] = {}
    for place in named:
        by_name.setdefault(place.stored, []).append(place)
    reported = set()
    for one in named:
        if one.is_explicit or (one.file, one.route) in reported:
            continue
        for other in by_name[one.stored]:
            if other.environment in ("", one.environment) and other.file != one.file:
                reported.add((one.file, one.route))
                yield _shared(one, other)
                break


def _shared(one: _Named, other: _Named) -> Diagnostic:
    message = (
        f"secret `{one.stored}` of environment `{one.environment}` is also that of "
        f"`{other.file.path}`"
    )
    source = f"from: {one.stored}"
    if one.route[0] == "secrets":
        source = f"secrets: {{{one.stored}: {{{source}}}}}"
    hint = f"to share it, write `{source}` in each service; else name another secret with `from`"
    return one.file.at(one.route, message, "shared-secret", hint)


def _check_objects(project: ProjectSpec, services: Iterable[Service]) -> Iterator[Diagnostic]:
    """Two services of an environment whose releases would make one Kubernetes Secret."""
    first: dict[tuple[str, str], Service] = {}
    reported = set()
    for service in services:
        spec = service.spec
        for environment in _environments(project, service):
            if spec.secrets != EXISTING and not spec.secrets_in(environment):
                continue
            other = first.setdefault((environment, spec.kubernetes_secret), service)
            exist = spec.secrets == other.spec.secrets == EXISTING
            if other is not service and not exist and spec.name not in reported:
                reported.add(spec.name)
                message = f"Secret `{spec.kubernetes_secret}` is already that of "
                hint = "set another `secret_name`"
                yield service.file.at(
                    ("secret_name",), f"{message}`{other.file.path}`", "twice", hint
                )
