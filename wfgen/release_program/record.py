"""The release record in the cluster: the truth about what runs, and who is releasing.

One ConfigMap per environment says the state, the owner and what is live; one per release keeps
its manifests, without the bodies of Secrets. Every write is a compare-and-set by
resourceVersion, so that two runs, even of two repositories, cannot both believe that they own it.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from . import kubectl
from .description import Description
from .kubectl import KubectlError, Object
from .outputs import Failure, log

KEPT = 10
"""Releases whose manifests are kept."""
CHUNK = 700_000
"""Characters of manifests in one ConfigMap; the API server takes 1 MiB an object."""

GOOD, IN_FLIGHT, ROLLING_BACK = "good", "in-flight", "rolling-back"
ROLLBACK_FAILED, HELD = "rollback-failed", "held"


def lease_seconds() -> float:
    """How long an owner may be silent (WFGEN_LEASE_SECONDS, 1800)."""
    return float(os.environ.get("WFGEN_LEASE_SECONDS", "1800"))


def this_run() -> str:
    """The run that this job belongs to: repository/run."""
    repository = os.environ.get("GITHUB_REPOSITORY", "by-hand")
    return f"{repository}/{os.environ.get('GITHUB_RUN_ID', '0')}"


@dataclass
class InFlight:
    """A release that is neither good nor undone yet."""

    release: int
    sha: str
    services: list[str]
    images: dict[str, str]
    started: float = field(default_factory=time.time)
    """When, in seconds since the epoch."""
    applied: list[str] = field(default_factory=list)
    """Services whose objects were applied, or are about to be."""
    created: list[str] = field(default_factory=list)
    """Objects, as kind/name, that were not there before."""
    contracted: bool = False
    """A migration took something away that the release before needs."""
    cause: str = ""
    """What the monitor blames: app or infra."""
    go_back: int = 0
    """The recorded release that this one goes back to."""


@dataclass
class Record:
    """What the ConfigMap says. `release` is the last known good one; -1 where there is none."""

    state: str = GOOD
    release: int = -1
    last: int = 0
    owner: str = ""
    lease: float = 0.0
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Per service: the commit and the image that are live, and the release that brought them."""
    in_flight: InFlight | None = None
    failed: list[dict[str, Any]] = field(default_factory=list)
    """Commits that were rolled back, and when."""
    releases: list[dict[str, Any]] = field(default_factory=list)
    """The last releases: number, commit, time, services."""
    version: str = ""
    """resourceVersion as it was read; '' for a record that is not there yet."""

    @property
    def mine(self) -> bool:
        """Whether this run owns the release in flight."""
        return self.in_flight is not None and self.owner == this_run()

    @property
    def expired(self) -> bool:
        """Whether the owner was silent for too long."""
        return time.time() > self.lease

    @property
    def flying(self) -> InFlight:
        """The release in flight. Raises `Failure` where this run has none."""
        if self.in_flight is None or not self.mine:
            raise Failure(
                f"the record says {self.state}, and no release of this run is in flight: it was "
                "undone, or another run took over. Re-run all jobs, not the failed ones alone"
            )
        return self.in_flight

    def commit_of(self, service: str) -> str:
        """The commit that a service is live with; '' where it is not known."""
        return str(self.services.get(service, {}).get("sha", ""))

    def known(self, release: int) -> dict[str, Any] | None:
        """What is recorded of a release."""
        return next((each for each in self.releases if each["release"] == release), None)


def name_of(description: Description) -> str:
    """The ConfigMap's name."""
    return f"wfgen-release-{description.environment}"


def read(description: Description) -> Record | None:
    """The record, or None where nothing was ever released here."""
    found = kubectl.get("configmap", name_of(description), description.place)
    if found is None:
        return None
    values = json.loads(found["data"]["record.json"])
    flying = values.pop("in_flight", None)
    version = found["metadata"]["resourceVersion"]
    return Record(**values, version=version, in_flight=InFlight(**flying) if flying else None)


def write(description: Description, record: Record) -> None:
    """Writes the record only if nobody wrote it since it was read. Raises `Failure` otherwise."""
    record.lease = time.time() + lease_seconds()
    values = asdict(record)
    version = values.pop("version")
    thing = _config_map(
        description, name_of(description), {"record.json": json.dumps(values, indent=1)}
    )
    try:
        if version:
            thing["metadata"]["resourceVersion"] = version
            kubectl.replace(thing)
        else:
            kubectl.create(thing)
    except KubectlError as error:
        if error.conflict:
            raise Failure(
                "another run wrote the release record meanwhile; nothing was done"
            ) from error
        if not error.inconclusive:
            raise
        # The answer was lost: whether the write was not is to be read.
        log(f"writing the record: {error}; reading it back")
    written = read(description)
    if written is None or written.owner != record.owner or written.state != record.state:
        raise Failure("the release record could not be written; nothing was done")
    record.version = written.version


def update(description: Description, change: Callable[[Record], None]) -> Record:
    """Reads, changes and writes the record of this run's release."""
    record = read(description) or Record()
    record.flying  # noqa: B018 - raises where the release is not ours any more
    change(record)
    write(description, record)
    return record


def blame(description: Description, cause: str) -> None:
    """Notes what failed, app or infra, for the rollback."""
    update(description, lambda found: setattr(found.flying, "cause", cause))


def renew(description: Description) -> None:
    """Says that the owner is alive."""
    update(description, lambda _: None)


def store(description: Description, release: int, objects: list[Object]) -> None:
    """Keeps the manifests of a release, without the bodies of Secrets."""
    packed = base64.b64encode(
        gzip.compress(json.dumps([_bodiless(thing) for thing in objects]).encode(), mtime=0)
    ).decode()
    chunks = [packed[i : i + CHUNK] for i in range(0, len(packed), CHUNK)]
    things = [
        _config_map(
            description,
            _part(description, release, index),
            {"of": str(len(chunks)), "manifests": chunk},
        )
        for index, chunk in enumerate(chunks)
    ]
    kubectl.apply(things)


def stored(description: Description, release: int) -> list[Object] | None:
    """The manifests of a release, or None where they are not kept."""
    first = kubectl.get("configmap", _part(description, release, 0), description.place)
    if first is None:
        return None
    packed = first["data"]["manifests"]
    for index in range(1, int(first["data"]["of"])):
        part = kubectl.get("configmap", _part(description, release, index), description.place)
        if part is None:
            raise Failure(f"the manifests of release {release} are not whole")
        packed += part["data"]["manifests"]
    objects: list[Object] = json.loads(gzip.decompress(base64.b64decode(packed)))
    return objects


def parts(description: Description) -> dict[int, list[Object]]:
    """The ConfigMaps with manifests, by release."""
    found: dict[int, list[Object]] = {}
    prefix = f"{name_of(description)}-"
    for thing in kubectl.select(
        "configmaps", description.place, "app.kubernetes.io/component=release"
    ):
        name = thing["metadata"]["name"]
        if name.startswith(prefix):
            found.setdefault(int(name[len(prefix) :].split(".")[0]), []).append(thing)
    return found


def _part(description: Description, release: int, index: int) -> str:
    return f"{name_of(description)}-{release}" + (f".{index}" if index else "")


def _bodiless(thing: Object) -> Object:
    return {
        k: v
        for k, v in thing.items()
        if thing["kind"] != "Secret" or k not in ("data", "stringData")
    }


def _config_map(description: Description, name: str, data: dict[str, str]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": description.place,
            "labels": {"app.kubernetes.io/component": "release"},
        },
        "data": data,
    }


def show() -> int:
    """Prints the release record.

    Reads: WFGEN_DESCRIPTION, WFGEN_NUMBER (previews). Writes nothing.
    """
    from .description import load

    record = read(load())
    log(json.dumps(asdict(record), indent=2) if record else "no release was ever made here")
    return 0


COMMANDS: dict[str, Callable[[], int]] = {"record": show}
