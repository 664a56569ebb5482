"""What a rollback applies and deletes to restore the last known good release."""

from __future__ import annotations

import time

from ..cluster import manifests, pods, rollout
from ..cluster.kubectl import Object, key
from ..contract import Description, Service
from ..hosting.outputs import group, log
from ..state import stored
from ..state.fence import Fence
from ..state.record_format import InFlight, Record

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


def title(record: Record) -> str:
    """The name of what a rollback restores."""
    return (
        f"release {record.release}" if record.release >= 0 else "the state before the first release"
    )


def restore_services(description: Description, fence: Fence, in_flight: InFlight) -> list[str]:
    """Restores what may be restored; returns names of services that changed and may not."""
    record = fence.record
    good = (stored.read(description, record.release) if record.release >= 0 else None) or []
    bad: dict[str, Object] = {}
    for release in (*in_flight.leftovers, in_flight.release):
        bad.update({key(m): m for m in stored.read(description, release) or []})
    applied = description.in_order(in_flight.applied)
    services = [service for service in applied if service.rollback == "auto"]
    left = _left_changed(description, in_flight, good, bad)
    added = _added(record, in_flight, good, bad)
    with group(f"restore {title(record)}"):
        for service in reversed(services):
            _restore_objects(
                fence,
                manifests.of_service(description, service, good),
                manifests.of_service(description, service, added),
            )
        shared = manifests.shared(description, good)
        _restore_objects(fence, shared, manifests.shared(description, added))
    _delete_blocking_pods(description, fence, services, good)
    rollout.wait(
        description,
        [service for service in services if manifests.workloads_of(service, good)],
        good,
        fence.renew,
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


def _restore_objects(fence: Fence, good: list[Object], added: list[Object]) -> None:
    """Applies the manifests of the good release, and deletes what only the bad one created."""
    # A Secret has a hash in its name, still exists, and its body is not stored.
    restored = [manifest for manifest in good if manifest["kind"] not in (*KEPT_KINDS, "Secret")]
    for manifest in restored:
        log(f"apply {key(manifest)}")
    manifests.keep_replicas(restored, fence)
    fence.apply(restored)
    for manifest in added:
        log(f"delete {key(manifest)}, which only the bad release had")
    fence.delete(added)


def _delete_blocking_pods(
    description: Description, fence: Fence, services: list[Service], good: list[Object]
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
        fence.delete(blocking)
