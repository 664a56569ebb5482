"""What wfgen wrote down of an environment: its services, and how each is released."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .hosting.outputs import Failure


@dataclass(frozen=True)
class Workload:
    """A Kubernetes object that runs a service's image in one of its containers."""

    kind: str
    name: str
    container: str


@dataclass(frozen=True)
class Health:
    """How a copy is asked whether it is well: http, tcp, exec, or grpc by its readiness probe."""

    type: str
    path: str = ""
    port: int = 0
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Migrate:
    """A command that runs in the new image before the deploy."""

    command: tuple[str, ...]
    timeout_seconds: int
    contracting: bool


@dataclass(frozen=True)
class External:
    """A service outside the cluster: the secret with its address, and the command that asks it."""

    secret: str
    image: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Service:
    """A service in this environment."""

    name: str
    image: str
    repository: str | None
    built: bool
    deploy: bool
    watch: tuple[str, ...]
    manifests: tuple[str, ...]
    depends_on: tuple[str, ...]
    workloads: tuple[Workload, ...]
    health: Health | None
    secrets: tuple[str, ...]
    replicas: int | None
    autoscaled: bool
    migrate: Migrate | None
    external: External | None
    allow_major: int | None
    """Of a database: the major version that it may be brought to, 0 for none. Else None."""
    rollback: str
    timeout_seconds: int
    bake_seconds: int


@dataclass(frozen=True)
class Description:
    """An environment. `namespace` and `url` of a preview hold `{number}` until it is known."""

    project: str
    environment: str
    preview: bool
    namespace: str
    overlay: str
    watch: tuple[str, ...]
    url: str | None
    default_branch: str
    label: str | None
    time_to_live_hours: int
    auto_merge: bool
    notify: tuple[str, ...]
    services: Mapping[str, Service]

    @property
    def number(self) -> str:
        """The pull request of the preview that this job is about; '' for what is no preview."""
        number = os.environ.get("WFGEN_NUMBER", "").strip() if self.preview else ""
        if number and not number.isdigit():
            raise Failure(f"WFGEN_NUMBER is {number!r}; expected the number of a pull request")
        return number

    @property
    def place(self) -> str:
        """The namespace of this job. Raises `Failure` for a preview without a number."""
        if self.preview and not self.number:
            raise Failure("WFGEN_NUMBER is missing: which pull request's preview is it?")
        return self.namespace.replace("{number}", self.number)

    @property
    def address(self) -> str:
        """Where people find it; '' where nobody said."""
        return (self.url or "").replace("{number}", self.number)

    def needed_by(self, names: Iterable[str]) -> set[str]:
        """What services depend on, directly or not."""
        found: set[str] = set()
        todo = list(names)
        while todo:
            new = set(self.services[todo.pop()].depends_on) - found
            found |= new
            todo += new
        return found

    def in_order(self, names: Collection[str]) -> list[Service]:
        """These services, each after what it depends on (the file has them in that order)."""
        return [service for name, service in self.services.items() if name in names]


def load() -> Description:
    """The description in the file that WFGEN_DESCRIPTION names. Raises `Failure`."""
    path = os.environ.get("WFGEN_DESCRIPTION", "")
    if not path:
        raise Failure("WFGEN_DESCRIPTION is missing: the file that describes the environment")
    try:
        with open(path, encoding="utf-8") as file:
            return parse(json.load(file))
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(f"{path} is not a description of wfgen: {error!r}") from error


def parse(values: Mapping[str, Any]) -> Description:
    """A description from its JSON."""
    return Description(
        project=values["project"],
        environment=values["environment"],
        preview=values["preview"],
        namespace=values["namespace"],
        overlay=values["overlay"],
        watch=tuple(values.get("watch", ())),
        url=values.get("url"),
        default_branch=values["default_branch"],
        label=values.get("label"),
        time_to_live_hours=values.get("time_to_live_hours", 72),
        auto_merge=bool((values.get("revert") or {}).get("auto_merge")),
        notify=tuple(values.get("notify", ())),
        services={name: _service(name, each) for name, each in values["services"].items()},
    )


def _service(name: str, values: Mapping[str, Any]) -> Service:
    health, migrate, external = (values.get(key) for key in ("health", "migrate", "external"))
    return Service(
        name=name,
        image=values["image"],
        repository=values.get("repository"),
        built=values["built"],
        deploy=values["deploy"],
        watch=tuple(values["watch"]),
        manifests=tuple(values.get("manifests", ())),
        depends_on=tuple(values["depends_on"]),
        workloads=tuple(Workload(**workload) for workload in values["workloads"]),
        health=health and Health(**{**health, "command": tuple(health.get("command", ()))}),
        secrets=tuple(values["secrets"]),
        replicas=values.get("replicas"),
        autoscaled=bool(values.get("autoscaled")),
        migrate=migrate and Migrate(**{**migrate, "command": tuple(migrate["command"])}),
        external=external and External(**{**external, "command": tuple(external["command"])}),
        allow_major=values.get("allow_major"),
        rollback=values["rollback"],
        timeout_seconds=values["timeout_seconds"],
        bake_seconds=values["bake_seconds"],
    )
