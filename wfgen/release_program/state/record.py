"""The release record: what is live in an environment, and which run is releasing to it.

One ConfigMap per environment. Every write is a compare-and-set by resourceVersion, so two runs,
even of two repositories, cannot both own a release.

The format only grows, so that going back to an older version of wfgen does not lock an environment:
fields that this version does not know are ignored and written back unchanged. What this version
adds, such as the entry of a service that it released, has no such fields. A new field therefore:

- has a default, which means "not known": entries of older versions lack it;
- names the release, run or image that it holds for, since an older version changes the fields
  beside it and keeps this one.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

from ..cluster import kubectl
from ..cluster.kubectl import KubectlError, Object
from ..contract import Description
from ..failure import Failure
from ..hosting.outputs import log

KEPT_RELEASES = 10
"""Number of releases whose entry and manifests are kept."""
KEPT_FAILURES = 20
"""Number of failed commits that are kept."""

FORMAT = 1
"""Highest `format` that this version reads. A new field does not raise it: raise it only where an
older version would do harm, since that version then refuses to release and to roll back."""

RENEW_SECONDS = 60.0
"""Age at which a lease is renewed; a third of the lease where that is shorter."""

GOOD, IN_FLIGHT, ROLLING_BACK = "good", "in-flight", "rolling-back"
ROLLBACK_FAILED, HELD = "rollback-failed", "held"

_KEY = "record.json"
_NOT_STORED = ("unknown", "config_map")


def lease_seconds() -> float:
    """How long an owner may be silent (WFGEN_LEASE_SECONDS, 1800)."""
    return float(os.environ.get("WFGEN_LEASE_SECONDS", "1800"))


def repository() -> str:
    """The repository that this run belongs to: owner/name."""
    return os.environ.get("GITHUB_REPOSITORY", "by-hand")


def this_run() -> str:
    """The run that this job belongs to: owner/name/run id."""
    return f"{repository()}/{os.environ.get('GITHUB_RUN_ID', '0')}"


@dataclass(frozen=True)
class LiveService:
    """What is live of one service, as the last release of that service left it."""

    sha: str
    """Commit that was released: 40 hexadecimal digits."""
    image: str
    """Image by digest; '' where the release set none."""
    release: int
    """Number of the release."""
    repository: str
    """Repository that released it: owner/name."""
    unknown: Mapping[str, Any] = field(default_factory=dict)
    """Fields of newer versions, as stored. The same in all classes below."""


@dataclass(frozen=True)
class PastRelease:
    """A release that was verified."""

    release: int
    """Its number, from 1."""
    sha: str
    """Its commit: 40 hexadecimal digits."""
    at: float
    """When it was verified, in seconds since the epoch."""
    run: str
    """Run that verified it: owner/name/run id."""
    services: Mapping[str, LiveService]
    """Every service that was live then, also those that it did not release."""
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FailedCommit:
    """A commit that was rolled back because the application failed."""

    sha: str
    """40 hexadecimal digits."""
    at: float
    """When it was rolled back, in seconds since the epoch."""
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class InFlight:
    """A release that is neither verified nor rolled back yet."""

    release: int
    """Its number, from 1."""
    sha: str
    """Its commit: 40 hexadecimal digits."""
    services: list[str]
    """Names of the services that it releases."""
    images: dict[str, str]
    """Image by digest, per service whose image it sets."""
    started: float = field(default_factory=time.time)
    """When preflight opened it, in seconds since the epoch."""
    before: str = GOOD
    """State to return to after a rollback: good or held."""
    touching: bool = False
    """Whether objects were applied, or are about to be."""
    applied: dict[str, float] = field(default_factory=dict)
    """Services whose objects were applied, or are about to be; when, in seconds since the epoch."""
    created: list[str] = field(default_factory=list)
    """Objects, as kind/name, that did not exist before."""
    changed: list[str] = field(default_factory=list)
    """Objects, as kind/name, that it creates or changes."""
    leftovers: list[int] = field(default_factory=list)
    """Earlier releases whose rollback failed; a rollback of this one undoes them too."""
    contracted: bool = False
    """Whether a migration removed something that the last known good release needs."""
    cause: str = ""
    """What failed, as the monitor found: app, infra, or '' before that."""
    go_back: int = 0
    """Number of the recorded release that this one restores; 0 for a release of a commit."""
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Record:
    """What the ConfigMap holds."""

    format: int = FORMAT
    """See `FORMAT`."""
    state: str = GOOD
    """good, in-flight, rolling-back, rollback-failed or held."""
    release: int = -1
    """Number of the last known good release: 0 for what was live before the first release, -1 where
    nothing was."""
    last: int = 0
    """Highest release number that was given out."""
    owner: str = ""
    """Run that wrote the record last: owner/name/run id."""
    lease: float = 0.0
    """Until when the owner may be silent, in seconds since the epoch."""
    services: dict[str, LiveService] = field(default_factory=dict)
    """What is live, per service."""
    in_flight: InFlight | None = None
    """The release that the owner is making or undoing."""
    failed: list[FailedCommit] = field(default_factory=list)
    """The last commits that were rolled back, oldest first."""
    releases: list[PastRelease] = field(default_factory=list)
    """The last verified releases, oldest first."""
    unknown: Mapping[str, Any] = field(default_factory=dict)
    config_map: Object = field(default_factory=dict)
    """The ConfigMap as read or last written; {} where it does not exist yet."""

    @property
    def version(self) -> str:
        """resourceVersion of the ConfigMap; '' where it does not exist yet."""
        return str(self.config_map["metadata"]["resourceVersion"]) if self.config_map else ""

    @property
    def mine(self) -> bool:
        """Whether this run owns the release in flight."""
        return self.in_flight is not None and self.owner == this_run()

    @property
    def expired(self) -> bool:
        """Whether the owner has been silent for too long."""
        return time.time() > self.lease

    def demand_own(self) -> InFlight:
        """The release in flight. Raises `Failure` unless this run owns it."""
        if self.in_flight is None or not self.mine:
            raise Failure(
                f"the release record is `{self.state}`, and this run has no release in flight: it "
                "was rolled back, or another run took over. Re-run all jobs, not only failed jobs"
            )
        return self.in_flight

    def demand_advancing(self) -> InFlight:
        """The release in flight. Raises `Failure` also where it is being rolled back."""
        if self.mine and self.state != IN_FLIGHT:
            raise Failure(
                f"the release record is `{self.state}`: this run's release is being rolled back. "
                "Re-run all jobs, not only failed jobs"
            )
        return self.demand_own()

    def commit_of(self, service: str) -> str:
        """The commit that is live of a service; '' where it is not known."""
        return self.services[service].sha if service in self.services else ""

    def find_release(self, number: int) -> PastRelease | None:
        """The entry of a verified release; None where it is not kept."""
        return next((past for past in self.releases if past.release == number), None)


def record_name(description: Description) -> str:
    """Name of the ConfigMap."""
    return f"wfgen-release-{description.environment}"


def read_record(description: Description) -> Record | None:
    """The record; None where nothing was ever released. Raises `Failure` if it is unreadable."""
    name = record_name(description)
    config_map = kubectl.get("configmap", name, description.place)
    if config_map is None:
        return None
    try:
        record = parse_record(config_map["data"][_KEY])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Failure(
            f"cannot read the release record, ConfigMap {name}: {error}. Nothing was changed. "
            f"Repair {_KEY} in it: kubectl edit configmap {name} -n {description.place}"
        ) from error
    if record.format > FORMAT:
        raise Failure(
            f"the release record, ConfigMap {name}, has format {record.format}; this version of "
            f"wfgen reads format {FORMAT}. Nothing was changed. Release a commit that was rendered "
            "by the version of wfgen that wrote the record, or a newer one"
        )
    record.config_map = config_map
    return record


_T = TypeVar("_T", Record, InFlight, PastRelease, FailedCommit, LiveService)


def parse_record(text: str) -> Record:
    """A record from its JSON. Raises `ValueError`, `TypeError` and `AttributeError`."""
    record = _parse(Record, json.loads(text), "")
    record.services = _parse_services(record.services, "services")
    if record.in_flight is not None:
        record.in_flight = _parse(InFlight, record.in_flight, "in_flight")
    record.failed = [_parse(FailedCommit, entry, "failed") for entry in record.failed]
    record.releases = [_parse_release(entry) for entry in record.releases]
    return record


def _parse_release(entry: Any) -> PastRelease:
    past = _parse(PastRelease, entry, "releases")
    return replace(past, services=_parse_services(past.services, "releases.services"))


def _parse_services(values: Any, path: str) -> dict[str, LiveService]:
    return {name: _parse(LiveService, entry, f"{path}.{name}") for name, entry in values.items()}


def _parse(kind: type[_T], values: Any, path: str) -> _T:
    """An instance from its JSON, whose place in the record is `path`."""
    if not isinstance(values, dict):
        raise ValueError(f"`{path}` must be an object")
    known = {f.name: f for f in fields(kind) if f.name not in _NOT_STORED}
    for name, declared in known.items():
        required = declared.default is MISSING and declared.default_factory is MISSING
        if required and name not in values:
            raise ValueError(f"missing field `{name}` in `{path}`")
    unknown = {name: value for name, value in values.items() if name not in known}
    return kind(**{n: v for n, v in values.items() if n in known}, unknown=unknown)


def dump_record(record: Record) -> str:
    """A record's JSON, with the fields that this version does not know."""
    return json.dumps(asdict(record, dict_factory=_dump), indent=1)


def _dump(values: list[tuple[str, Any]]) -> dict[str, Any]:
    known = {name: value for name, value in values if name not in _NOT_STORED}
    return {**known, **dict(values)["unknown"]}


def write_record(description: Description, record: Record) -> None:
    """Writes the record if nobody wrote it since it was read.

    Raises `Failure` where somebody did, `KubectlError` where the API server does not answer.
    """
    record.lease = time.time() + lease_seconds()
    version = record.version
    manifest = record.config_map or config_map(description, record_name(description), {})
    manifest = {**manifest, "data": {**manifest["data"], _KEY: dump_record(record)}}
    pause = kubectl.pause_seconds()
    for attempt in range(1, kubectl.ATTEMPTS + 1):
        try:
            record.config_map = kubectl.write(manifest)
            return
        except KubectlError as error:
            if not (error.conflict or error.inconclusive):
                raise
            lost = error
        # Perhaps only the answer was lost. Owner and lease show whether the write was ours.
        written = read_record(description)
        if written is not None and (written.owner, written.lease) == (record.owner, record.lease):
            record.config_map = written.config_map
            return
        if lost.conflict or (written.version if written else "") != version:
            raise Failure("another run wrote the release record meanwhile; nothing was done")
        if attempt == kubectl.ATTEMPTS:
            raise lost
        log(f"writing the release record: {lost}; retrying in {pause:.0f} s")
        time.sleep(pause)
        pause *= 2


def continue_release(description: Description) -> Record:
    """The record, its lease renewed. Raises `Failure` unless this run's release is advancing."""
    record = read_record(description) or Record()
    record.demand_advancing()
    write_record(description, record)
    return record


def write_cause(description: Description, record: Record, cause: str) -> None:
    """Records what failed, app or infra, for the rollback."""
    record.demand_own().cause = cause
    write_record(description, record)


def renew_lease(description: Description, record: Record) -> None:
    """Renews the owner's lease where that is due.

    Raises `Failure` where this run no longer owns the release, or another job took it over.
    """
    remaining = lease_seconds() - min(RENEW_SECONDS, lease_seconds() / 3)
    if record.lease - time.time() > remaining:
        return
    try:
        stored = read_record(description) or Record()
        release = stored.demand_own().release
        if (release, stored.state) != (record.demand_own().release, record.state):
            raise Failure(f"another job took over: release {release} is `{stored.state}`")
        record.config_map = stored.config_map
        write_record(description, record)
    except KubectlError as error:  # there is time for it until the lease runs out
        log(f"cannot renew the lease: {error}; retrying")


def config_map(description: Description, name: str, data: dict[str, str]) -> Object:
    """A ConfigMap of the release record or of stored manifests."""
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
