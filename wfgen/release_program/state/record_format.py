"""The release record's fields, and its JSON.

The format only grows, so that going back to an older version of wfgen does not lock an environment:
fields that this version does not know are ignored and written back unchanged. What this version
adds, such as the entry of a service that it released, has no such fields. A new field therefore:

- has a default, which means "not known": entries of older versions lack it;
- names the release, run or image that it holds for, since an older version changes the fields
  beside it and keeps this one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

from ..cluster.kubectl import Object
from ..failure import Failure
from ..hosting.outputs import run_attempt
from ..hosting.runs import repository, split_owner, this_attempt, this_run

__all__ = ["repository", "this_attempt", "this_run"]

KEPT_RELEASES = 10
"""Number of releases whose entry and manifests are kept."""
KEPT_FAILURES = 20
"""Number of failed commits that are kept."""

FORMAT = 1
"""Highest `format` that this version reads. A new field does not raise it: raise it only where an
older version would do harm, since that version then refuses to release and to roll back."""

GOOD, IN_FLIGHT, ROLLING_BACK = "good", "in-flight", "rolling-back"
ROLLBACK_FAILED, HELD = "rollback-failed", "held"

_NOT_STORED = ("unknown", "config_map")


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
    seen: str = ""
    """The newest commit that has the same content of this service, as a run found under the lock:
    40 hexadecimal digits; '' where none did. An older commit than this one is stale."""
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
    services: list[str] = field(default_factory=list)
    """Services that are blamed; none where that is not known, and then all are."""
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Progress:
    """How far a release is, and what its end needs. Holds for one release only."""

    release: int
    """The number of that release."""
    deployed: bool = False
    """Whether `deploy` applied everything."""
    writing: bool = False
    """Whether a request that changes the cluster may be under way, or the owner was cut off in one.
    Whoever takes the release over then waits for its end."""
    blamed: list[str] = field(default_factory=list)
    """Services that failed."""
    equal: list[str] = field(default_factory=list)
    """Services that it does not release, since their content is live: once it is verified, its
    commit is their `seen`."""
    overridden: list[str] = field(default_factory=list)
    """Failed commits with the same content, which `force` released again. Once it is verified,
    they no longer count as failed."""
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
    progress: Progress | None = None
    """None in a release that an older version opened."""
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def now(self) -> Progress:
        """Its progress. Of a release that an older version opened, nothing is known: a request of
        that version may be under way.
        """
        if self.progress is None or self.progress.release != self.release:
            self.progress = Progress(self.release, writing=True)
        return self.progress


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
    """Attempt of a run that opened the last release, or took it over: owner/name/run id/attempt.
    Older versions wrote no attempt."""
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
        """Whether this attempt, or an earlier one of the same run, owns the release in flight."""
        run, attempt = split_owner(self.owner)
        return self.in_flight is not None and run == this_run() and attempt <= int(run_attempt())

    @property
    def expired(self) -> bool:
        """Whether the owner has been silent for too long."""
        return time.time() > self.lease

    def demand_own(self) -> InFlight:
        """The release in flight. Raises `Failure` unless this run owns it, by any attempt."""
        if self.in_flight is None or not self.mine:
            raise Failure(
                f"the release record is `{self.state}`, and this run has no release in flight: it "
                "was rolled back, or another run took over. Re-run all jobs, not only failed jobs"
            )
        return self.in_flight

    def demand_advancing(self) -> InFlight:
        """The release in flight. Raises `Failure` unless this very attempt advances it."""
        if self.mine and self.state != IN_FLIGHT:
            raise Failure(
                f"the release record is `{self.state}`: this run's release is being rolled back. "
                "Re-run all jobs, not only failed jobs"
            )
        in_flight = self.demand_own()
        if self.owner != this_attempt():
            raise Failure(
                f"release {in_flight.release} belongs to {self.owner}, an earlier attempt of this "
                "run: this attempt can only roll it back. Re-run all jobs, not only failed jobs"
            )
        return in_flight

    def commit_of(self, service: str) -> str:
        """The commit that is live of a service; '' where it is not known."""
        return self.services[service].sha if service in self.services else ""

    def find_release(self, number: int) -> PastRelease | None:
        """The entry of a verified release; None where it is not kept."""
        return next((past for past in self.releases if past.release == number), None)


_T = TypeVar("_T", Record, InFlight, Progress, PastRelease, FailedCommit, LiveService)


def parse_record(text: str) -> Record:
    """A record from its JSON. Raises `Failure` for a `format` that this version does not read.

    Raises `AttributeError`, `KeyError`, `TypeError` or `ValueError` for any other fault.
    """
    values = json.loads(text)
    if values.get("format", FORMAT) > FORMAT:
        raise Failure(
            f"the release record has format {values['format']}; this version of wfgen reads format "
            f"{FORMAT}. Nothing was changed. Release a commit that was rendered by the version of "
            "wfgen that wrote the record, or by a newer one"
        )
    record = _parse(Record, values, "record.json")
    record.services = _parse_services(record.services, "services")
    if record.in_flight is not None:
        record.in_flight = _parse(InFlight, record.in_flight, "in_flight")
        if record.in_flight.progress is not None:
            progress = _parse(Progress, record.in_flight.progress, "in_flight.progress")
            record.in_flight.progress = progress
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
