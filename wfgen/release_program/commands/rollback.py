"""Restores the last known good release from its stored manifests, never "one revision back"."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ..cluster import kubectl, manifests, pods, rollout
from ..cluster.kubectl import KubectlError, Object, key
from ..contract import Description, Service, load
from ..failure import Failure
from ..hosting.outputs import add_summary, error, group, log, notice, write_output
from ..names import Output
from ..state import stored
from ..state.record import read_record, renew_lease, write_record
from ..state.record_format import (
    KEPT_FAILURES,
    ROLLBACK_FAILED,
    ROLLING_BACK,
    FailedCommit,
    InFlight,
    Record,
    this_run,
)

ATTEMPTS = 3
KEPT_KINDS = (
    "PersistentVolumeClaim",
    "PersistentVolume",
    "CustomResourceDefinition",
    "Namespace",
    "Job",
)
"""Neither applied nor deleted: they hold what cannot be recreated, or what already happened."""
STATELESS_KINDS = (
    "Deployment", "DaemonSet", "CronJob", "Service", "Ingress", "ConfigMap", "Secret",
    "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy",
)  # fmt: skip
"""What the rollback of a first release may delete."""


@dataclass(frozen=True)
class RollbackResult:
    """How a rollback ended."""

    restored: str
    """Services that were restored: all, `except: a, b`, nothing, or failed."""
    cause: str = ""
    """What failed before: app or infra."""


def rollback() -> int:
    """Restores the last known good release of what this run's release applied.

    Acts only where this run has a release in flight; running it twice is the same as once. Services
    with `rollback: never` are left unchanged. A preview stays up, for debugging. Exits 1 where the
    rollback failed, or where another run owns the release in flight.
    """
    description = load()
    write_output(Output.RESTORED, "failed")  # holds if this job ends early: the last value counts
    record = read_record(description) or Record()
    if not record.mine:
        write_output(Output.RESTORED, _nothing(record))
        return 1 if record.in_flight else 0
    result = restore(description, record)
    write_output(Output.RESTORED, result.restored)
    write_output(Output.CAUSE, result.cause)
    return 1 if result.restored == "failed" else 0


def _nothing(record: Record) -> str:
    """Why this run has nothing to roll back, as value of `restored`; reports it too."""
    if record.in_flight:
        error(
            f"nothing was done: release {record.in_flight.release} is `{record.state}`, owned by "
            f"{record.owner}. Two runs, or two repositories, release to this environment"
        )
        return "taken over"
    newest = record.releases[-1] if record.releases else None
    if newest is not None and newest.run == this_run():
        notice(f"release {newest.release} of this run was verified and is live")
        return "verified"
    log("no release of this run is in flight: nothing to roll back")
    return "nothing"


def restore(description: Description, record: Record) -> RollbackResult:
    """Rolls back the release in flight, which this run must own by the record just read.

    Raises `KubectlError` or `Unanswered` where the API server does not answer: the watchdog
    continues later.
    """
    started = time.time()
    in_flight = record.demand_own()
    cause = in_flight.cause or "infra"
    if in_flight.contracted and not description.preview:
        reason = "after the contracting migration of this release the one before it cannot run"
        _give_up(description, record, reason)
        return RollbackResult("failed", cause)
    if not in_flight.touching or description.preview:
        log("the preview stays up, for debugging" if in_flight.touching else "nothing was applied")
        _finish(description, record, cause if in_flight.touching else "")
        return RollbackResult("nothing", cause)
    record.state = ROLLING_BACK
    write_record(description, record)
    try:
        left = _try(description, record, in_flight)
    except (Failure, KubectlError) as problem:
        if rollout.is_unanswered(problem):
            raise
        _give_up(description, record, str(problem))
        return RollbackResult("failed", cause)
    _finish(description, record, cause)
    names = ", ".join(left)
    text = f"Release {in_flight.release} was rolled back to {_title(record)}"
    more = f", except {names} (`rollback: never`, or no manifests recorded)" if left else ""
    add_summary(f"**{text}**{more}, in {time.time() - started:.0f} s.")
    notice(text + more)
    return RollbackResult(f"except: {names}" if left else "all", cause)


def _try(description: Description, record: Record, in_flight: InFlight) -> list[str]:
    """Restores the services, in at most `ATTEMPTS` attempts; raises what ended the last one."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _restore_services(description, record, in_flight)
        except (Failure, KubectlError) as problem:
            error(f"rollback, attempt {attempt} of {ATTEMPTS}: {problem}")
            if attempt == ATTEMPTS:
                raise
        time.sleep(rollout.poll_seconds())
        renew_lease(description, record)
    raise AssertionError("unreachable")


def _restore_services(description: Description, record: Record, in_flight: InFlight) -> list[str]:
    """Restores what may be restored; returns names of services that changed and may not."""
    good = (stored.read(description, record.release) if record.release >= 0 else None) or []
    bad: dict[str, Object] = {}
    for release in (*in_flight.leftovers, in_flight.release):
        bad.update({key(m): m for m in stored.read(description, release) or []})
    applied = description.in_order(in_flight.applied)
    services = [service for service in applied if service.rollback == "auto"]
    left = _left_changed(description, in_flight, good, bad)
    added = _added(record, in_flight, good, bad)
    with group(f"restore {_title(record)}"):
        for service in reversed(services):
            _restore_objects(
                manifests.of_service(description, service, good),
                manifests.of_service(description, service, added),
            )
        _restore_objects(manifests.shared(description, good), manifests.shared(description, added))
    _delete_blocking_pods(description, services, good)
    rollout.wait(
        description,
        [service for service in services if manifests.workloads_of(service, good)],
        good,
        lambda: renew_lease(description, record),
    )
    return left


def _left_changed(
    description: Description, in_flight: InFlight, good: list[Object], bad: dict[str, Object]
) -> list[str]:
    """Names of services that the release changed and that a rollback leaves that way.

    Those are services that are never rolled back, and after them services that were live before
    wfgen first released them: no manifests of theirs are recorded.
    """
    never, unrecorded = [], []
    changed = [manifest for name, manifest in bad.items() if name in in_flight.changed]
    for service in description.in_order(in_flight.applied):
        own = manifests.of_service(description, service, changed)
        recorded = manifests.of_service(description, service, good)
        if service.rollback != "auto":
            if own:
                never.append(service.name)
        elif not recorded and any(key(manifest) not in in_flight.created for manifest in own):
            unrecorded.append(service.name)
    return never + unrecorded


def _added(
    record: Record, in_flight: InFlight, good: list[Object], bad: dict[str, Object]
) -> list[Object]:
    """What the release created and a rollback deletes."""
    kept = {key(manifest) for manifest in good}
    return [
        manifest
        for name, manifest in bad.items()
        if name in in_flight.created
        and name not in kept
        and manifest["kind"] not in KEPT_KINDS
        and (record.release >= 0 or manifest["kind"] in STATELESS_KINDS)
    ]


def _restore_objects(good: list[Object], added: list[Object]) -> None:
    """Applies the manifests of the good release, and deletes what only the bad one created."""
    # A Secret has a hash in its name, still exists, and its body is not stored.
    restored = [manifest for manifest in good if manifest["kind"] not in (*KEPT_KINDS, "Secret")]
    for manifest in restored:
        log(f"apply {key(manifest)}")
    manifests.keep_replicas(restored)
    kubectl.apply(restored)
    for manifest in added:
        log(f"delete {key(manifest)}, which only the bad release had")
    kubectl.delete(added)


def _delete_blocking_pods(
    description: Description, services: list[Service], good: list[Object]
) -> None:
    """A StatefulSet waits for a broken pod for ever, even when it is to replace that pod.

    https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
    """
    stateful_sets = [
        workload
        for service in services
        for workload in manifests.workloads_of(service, good)
        if workload["kind"] == "StatefulSet"
    ]
    if not stateful_sets:
        return
    time.sleep(rollout.poll_seconds())  # until the controller has seen the apply
    cluster = pods.look(description, services)
    for workload in stateful_sets:
        live = cluster.find("StatefulSet", workload["metadata"]["name"])
        blocking = pods.blocking_pods(live, cluster) if live else []
        for pod in blocking:
            log(f"delete {key(pod)}, of the bad revision, which blocks the rollback")
        kubectl.delete(blocking)


def _finish(description: Description, record: Record, cause: str) -> None:
    """Closes the release in flight; its commit counts as failed where the application failed."""
    in_flight = record.demand_own()
    if cause == "app":
        failed = FailedCommit(in_flight.sha, time.time())
        record.failed = [*record.failed, failed][-KEPT_FAILURES:]
    record.state, record.in_flight = in_flight.before, None
    write_record(description, record)


def _give_up(description: Description, record: Record, reason: str) -> None:
    """Keeps the release in flight: when dispatched, the watchdog tries again."""
    error(f"the rollback failed, and further releases are refused: {reason}")
    add_summary(
        f"**The rollback failed**: {reason}. What to do: see docs/delivery-setup.md, "
        "When a rollback failed."
    )
    record.state = ROLLBACK_FAILED
    write_record(description, record)


def _title(record: Record) -> str:
    return (
        f"release {record.release}" if record.release >= 0 else "the state before the first release"
    )
