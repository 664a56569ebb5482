"""The release record in the cluster: what is live in an environment, and which run is releasing.

One ConfigMap per environment. Every write is a compare-and-set by resourceVersion, so two runs,
even of two repositories, cannot both own a release.
"""

from __future__ import annotations

import os
import time

from ..cluster import kubectl
from ..cluster.kubectl import KubectlError, Object
from ..contract import Description
from ..failure import Failure
from ..hosting.outputs import log
from ..names import Variable
from .record_format import ROLLING_BACK, Record, dump_record, parse_record, this_attempt

RENEW_SECONDS = 60.0
"""Age at which a lease is renewed; a third of the lease where that is shorter."""

sleep = time.sleep

_KEY = "record.json"


def lease_seconds() -> float:
    """How long an owner may be silent (WFGEN_LEASE_SECONDS, 1800)."""
    return float(os.environ.get(Variable.LEASE_SECONDS, "1800"))


def request_seconds() -> float:
    """How long a call that changes the cluster may take, with the write of the record before it.

    WFGEN_REQUEST_SECONDS, 60.
    """
    return float(os.environ.get(Variable.REQUEST_SECONDS) or "60")


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
        record = parse_record(config_map.get("data", {}).get(_KEY, ""))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Failure(
            f"cannot read the release record, ConfigMap {name}: {error}. Nothing was changed. "
            f"Repair {_KEY} in it: kubectl edit configmap {name} -n {description.place}"
        ) from error
    record.config_map = config_map
    return record


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
        # Possibly only the answer was lost. Owner and lease show whether the write was ours.
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


def take_over(description: Description, record: Record) -> Record:
    """Makes this attempt the owner of the release in flight, to roll it back; the record then.

    Whether it may is the caller's decision. The former owner can begin no change to the cluster
    once the record is written, and one that it began before ends within `request_seconds()`.
    Raises `Failure` where somebody wrote the record meanwhile.
    """
    if record.in_flight is None:
        raise Failure("no release is in flight: nothing to take over")
    release, writing = record.in_flight.release, record.in_flight.now.writing
    record.owner, record.state = this_attempt(), ROLLING_BACK
    write_record(description, record)
    if writing:
        log(f"waiting {request_seconds():g} s for the end of a request that was cut off")
        sleep(request_seconds())
    taken = read_record(description) or Record()
    if taken.demand_own().release != release:
        raise Failure(f"another run took over: release {release} is no longer in flight")
    return taken


def continue_release(description: Description) -> Record:
    """The record, its lease renewed. Raises `Failure` unless this attempt is to advance it."""
    record = read_record(description) or Record()
    record.demand_advancing()
    write_record(description, record)
    return record


def write_cause(description: Description, record: Record, cause: str, *blamed: str) -> None:
    """Records what failed, app or infra, and in which services, for the rollback."""
    in_flight = record.demand_own()
    in_flight.cause, in_flight.now.blamed = cause, list(blamed)
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
