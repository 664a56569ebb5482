"""The release record in the cluster: the truth about what runs, and who is releasing.

One ConfigMap per environment says the state, the owner and what is live. Every write is a
compare-and-set by resourceVersion, so that two runs, even of two repositories, cannot both believe
that they own it.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from ..cluster import kubectl
from ..cluster.kubectl import KubectlError, Object
from ..contract import Description
from ..failure import Failure
from ..hosting.outputs import log

KEPT = 10
"""Releases whose manifests are kept."""

FORMAT = 1
"""The form of the record; a newer version of wfgen that changes it counts up."""

RENEW_SECONDS = 60.0

GOOD, IN_FLIGHT, ROLLING_BACK = "good", "in-flight", "rolling-back"
ROLLBACK_FAILED, HELD = "rollback-failed", "held"


def lease_seconds() -> float:
    """How long an owner may be silent (WFGEN_LEASE_SECONDS, 1800)."""
    return float(os.environ.get("WFGEN_LEASE_SECONDS", "1800"))


def repository() -> str:
    """The repository that releases."""
    return os.environ.get("GITHUB_REPOSITORY", "by-hand")


def this_run() -> str:
    """The run that this job belongs to: repository/run."""
    return f"{repository()}/{os.environ.get('GITHUB_RUN_ID', '0')}"


@dataclass
class InFlight:
    """A release that is neither good nor undone yet."""

    release: int
    sha: str
    services: list[str]
    images: dict[str, str]
    started: float = field(default_factory=time.time)
    """When, in seconds since the epoch."""
    before: str = GOOD
    """The state to return to when it is undone: good or held."""
    touching: bool = False
    """Something was applied, or is about to be."""
    applied: dict[str, float] = field(default_factory=dict)
    """Services whose objects were applied, or are about to be; when, in seconds since the epoch."""
    created: list[str] = field(default_factory=list)
    """Objects, as kind/name, that were not there before."""
    changed: list[str] = field(default_factory=list)
    """Objects, as kind/name, that it makes or makes other than they were."""
    leftovers: list[int] = field(default_factory=list)
    """Releases before it that could not be undone: whoever undoes this one undoes them too."""
    contracted: bool = False
    """A migration took something away that the release before needs."""
    cause: str = ""
    """What the monitor blames: app or infra."""
    go_back: int = 0
    """The recorded release that this one goes back to."""


@dataclass
class Record:
    """What the ConfigMap says. `release` is the last known good one; -1 where there is none."""

    format: int = FORMAT
    state: str = GOOD
    release: int = -1
    last: int = 0
    owner: str = ""
    lease: float = 0.0
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Per service: the commit and image that are live, the release and repository they came by."""
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

    @property
    def advancing(self) -> InFlight:
        """The release of this run that goes on. Raises `Failure` also for one that is undone."""
        if self.mine and self.state != IN_FLIGHT:
            raise Failure(
                f"the record says {self.state}: the release of this run is being undone. Re-run "
                "all jobs, not the failed ones alone"
            )
        return self.flying

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
    """The record, or None where nothing was ever released here.

    Raises `Failure` for one that another version of wfgen wrote.
    """
    found = kubectl.get("configmap", name_of(description), description.place)
    if found is None:
        return None
    version = found["metadata"]["resourceVersion"]
    try:
        values = json.loads(found["data"]["record.json"])
        flying = values.pop("in_flight", None)
        record = Record(**values, version=version, in_flight=InFlight(**flying) if flying else None)
        if record.format == FORMAT:
            return record
        problem = f"its format is {record.format}, and not {FORMAT}"
    except (KeyError, TypeError, ValueError) as error:
        problem = str(error)
    raise Failure(
        f"another version of wfgen wrote the release record, ConfigMap {name_of(description)}: "
        f"{problem}. Nothing was done; release a commit that was rendered by that version"
    )


def write(description: Description, record: Record) -> None:
    """Writes the record only if nobody wrote it since it was read.

    Raises `Failure` where somebody did, `KubectlError` where the API server does not answer.
    """
    record.lease = time.time() + lease_seconds()
    values = asdict(record)
    version = values.pop("version")
    text = json.dumps(values, indent=1)
    thing = config_map(description, name_of(description), {"record.json": text})
    if version:
        thing["metadata"]["resourceVersion"] = version
    pause = kubectl.pause_seconds()
    for attempt in range(1, kubectl.ATTEMPTS + 1):
        try:
            record.version = kubectl.write(thing)["metadata"]["resourceVersion"]
            return
        except KubectlError as error:
            if not (error.conflict or error.inconclusive):
                raise
            lost = error
        # The answer may have been lost and not the write. The lease tells ours from others'.
        written = read(description)
        if written is not None and (written.owner, written.lease) == (record.owner, record.lease):
            record.version = written.version
            return
        if lost.conflict or (written.version if written else "") != version:
            raise Failure("another run wrote the release record meanwhile; nothing was done")
        if attempt == kubectl.ATTEMPTS:
            raise lost
        log(f"writing the record: {lost}; again in {pause:.0f} s")
        time.sleep(pause)
        pause *= 2


def begin(description: Description) -> Record:
    """The record, where it says that the release of this run goes on; renews its lease."""
    record = read(description) or Record()
    record.advancing  # noqa: B018 - raises where the release is not ours, or is undone
    write(description, record)
    return record


def blame(description: Description, record: Record, cause: str) -> None:
    """Notes what failed, app or infra, for the rollback."""
    record.flying.cause = cause
    write(description, record)


def renew(description: Description, record: Record) -> None:
    """Says that the owner is alive, where that is due.

    Raises `Failure` where the release is not ours any more, or another job goes on with it.
    """
    patience = lease_seconds() - min(RENEW_SECONDS, lease_seconds() / 3)
    if record.lease - time.time() > patience:
        return
    try:
        found = read(description) or Record()
        if (found.flying.release, found.state) != (record.flying.release, record.state):
            raise Failure(f"another job goes on with release {found.flying.release}: {found.state}")
        record.version = found.version
        write(description, record)
    except KubectlError as error:  # there is time for it until the lease runs out
        log(f"the lease could not be renewed: {error}")


def config_map(description: Description, name: str, data: dict[str, str]) -> Object:
    """One of the ConfigMaps that say what was released."""
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
