"""The contract between the generator and the release program: the description of an environment.

The generator builds a `Description` and writes it as JSON, which the program reads. Unknown members
are ignored, so that an older program reads what a newer generator writes. A member that may be
missing has a default, and is not written where it has that value.
"""

import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from typing import Any, Optional, TypeVar, Union, get_args, get_origin, get_type_hints

from .failure import Failure
from .names import Variable

# No `from __future__ import annotations`: Python 3.9 cannot evaluate `str | None`.

T = TypeVar("T")

_KEY = {"json": "key"}
"""A field that JSON has as the key of the object."""
_ABSENT = {"json": "absent"}
"""A field that JSON does not have."""


@dataclass(frozen=True)
class Workload:
    """A Kubernetes object that runs a service's image in one of its containers."""

    kind: str
    name: str
    container: str


@dataclass(frozen=True)
class Health:
    """How a pod's health is checked."""

    type: str
    """http, tcp, exec, or grpc: that one by the readiness probe."""
    path: str = ""
    port: int = 0
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Migrate:
    """A command that runs in the new image before the deploy."""

    command: tuple[str, ...]
    timeout_seconds: int
    contracting: bool
    """Whether the release before cannot run after it."""


@dataclass(frozen=True)
class External:
    """A service outside the cluster."""

    secret: str
    """The key of the secret that has its address."""
    image: str
    command: tuple[str, ...]
    """Runs in the image; succeeds where the service answers."""


@dataclass(frozen=True)
class Revert:
    """How a failed release is reverted in the default branch."""

    auto_merge: bool


@dataclass(frozen=True)
class Service:
    """A service in an environment."""

    name: str = field(metadata=_KEY)
    image: str
    """The image in the manifests, which the release replaces."""
    repository: Optional[str]
    """Where its image is pushed; None for an image that is built elsewhere."""
    built: bool
    deploy: bool
    watch: tuple[str, ...]
    """Paths whose changes need a new image."""
    manifests: tuple[str, ...]
    """Paths whose changes need a deploy only."""
    depends_on: tuple[str, ...]
    workloads: tuple[Workload, ...]
    health: Optional[Health]
    secrets: Mapping[str, str]
    """The GitHub secret with the value of each key of its Secret; none where the release does not
    make that Secret."""
    replicas: Optional[int]
    autoscaled: bool
    migrate: Optional[Migrate]
    external: Optional[External]
    rollback: str
    """auto or never."""
    timeout_seconds: float
    bake_seconds: float
    allow_major: Optional[int] = None
    """The major version that a database may be upgraded to, 0 for none; None for no database."""
    secret_name: str = ""
    """The name of its Secret in the manifests; '' for `<service>-secrets`."""

    @property
    def secret(self) -> str:
        """The name of its Secret in the manifests."""
        return self.secret_name or f"{self.name}-secrets"


@dataclass(frozen=True)
class Description:
    """An environment. The namespace and URL of a preview contain `{number}`, its pull request."""

    project: str
    environment: str
    preview: bool
    namespace: str
    overlay: str
    watch: tuple[str, ...]
    """Paths whose changes need a deploy of every service."""
    url: Optional[str]
    default_branch: str
    label: Optional[str]
    """The label that a pull request needs to get a preview; None where each gets one."""
    time_to_live_hours: int
    revert: Revert
    notify: tuple[str, ...]
    """slack, pagerduty."""
    services: Mapping[str, Service]
    """By name, each after the services that it depends on."""
    approval: str = ""
    """demand: a release that nobody was asked to approve fails; report: it is reported; '' where
    no approval is needed."""
    platform: str = "github.com"
    """github.com, or ghes: a GitHub Enterprise Server, on which one run waits for a lock, and a
    newer one takes its place."""
    number: str = field(default="", metadata=_ABSENT)
    """The pull request of this job's preview; '' where there is none."""

    @property
    def place(self) -> str:
        """The namespace of this job. Raises `Failure` for a preview without a number."""
        if self.preview and not self.number:
            raise Failure(f"{Variable.NUMBER} is missing: the pull request of the preview")
        return self.namespace.replace("{number}", self.number)

    @property
    def address(self) -> str:
        """The URL of this environment or preview; '' where its spec has none."""
        return (self.url or "").replace("{number}", self.number)

    def needed_by(self, services: Iterable[str]) -> set[str]:
        """What services depend on, directly or not."""
        needed: set[str] = set()
        todo = list(services)
        while todo:
            new = set(self.services[todo.pop()].depends_on) - needed
            needed |= new
            todo += new
        return needed

    def in_order(self, services: Collection[str]) -> list[Service]:
        """These services, each after the services that it depends on."""
        return [service for name, service in self.services.items() if name in services]


def load() -> Description:
    """The description that WFGEN_DESCRIPTION names, for WFGEN_NUMBER. Raises `Failure`."""
    path = os.environ.get(Variable.DESCRIPTION, "")
    if not path:
        raise Failure(f"{Variable.DESCRIPTION} is missing: the path of a description")
    try:
        with open(path, encoding="utf-8") as file:
            description = from_json(Description, json.load(file))
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise Failure(f"{path}: invalid JSON: {error}") from error
    except Failure as failure:
        raise Failure(f"{path}: {failure}. To fix, run `wfgen render`") from failure
    number = os.environ.get(Variable.NUMBER, "").strip() if description.preview else ""
    if number and not number.isdigit():
        raise Failure(f"invalid {Variable.NUMBER} {number!r}: use the number of a pull request")
    return replace(description, number=number)


def to_json(value: Any) -> Any:
    """A value of this module as dicts, lists and scalars."""
    if is_dataclass(value):
        return {
            member.name: to_json(getattr(value, member.name))
            for member in fields(value)
            if not member.metadata and getattr(value, member.name) != member.default
        }
    if isinstance(value, Mapping):
        return {key: to_json(member) for key, member in value.items()}
    return [to_json(member) for member in value] if isinstance(value, tuple) else value


def from_json(kind: type[T], value: Any) -> T:
    """The inverse of `to_json`. Raises `Failure` that names the member and what is expected."""
    made: T = _read(kind, value, ())
    return made


def _read(kind: Any, value: Any, route: tuple[str, ...]) -> Any:
    """A value of this type; `route` are the members that lead to it."""
    container, arguments = get_origin(kind), get_args(kind)
    if container is Union:  # Optional
        return None if value is None else _read(arguments[0], value, route)
    if container is tuple and isinstance(value, list):
        return tuple(_read(arguments[0], item, (*route, str(i))) for i, item in enumerate(value))
    if container is Mapping and isinstance(value, dict):
        return {key: _read(arguments[1], item, (*route, key)) for key, item in value.items()}
    if is_dataclass(kind) and isinstance(value, dict):
        return _read_fields(kind, value, route)
    if type(value) is not kind and not (kind is float and type(value) is int):
        expected = "a list" if container is tuple else _WORDS.get(kind, "an object")
        raise Failure(f"{'.'.join(route) or 'description'}: {value!r} is not {expected}")
    return value


_WORDS = {str: "a string", bool: "true or false", int: "an integer", float: "a number"}


def _read_fields(kind: Any, value: Mapping[str, Any], route: tuple[str, ...]) -> Any:
    types, arguments = get_type_hints(kind), {}
    for member in fields(kind):
        name = member.name
        if member.metadata == _KEY:
            arguments[name] = route[-1]
        elif name in value and not member.metadata:
            arguments[name] = _read(types[name], value[name], (*route, name))
        elif member.default is MISSING:
            raise Failure(f"missing {'.'.join((*route, name))}")
    return kind(**arguments)
