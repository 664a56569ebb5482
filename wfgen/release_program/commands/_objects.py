"""The objects that a release applies, and what applying them would change."""

from __future__ import annotations

from dataclasses import dataclass

from ..cluster import kubectl, manifests
from ..cluster.kubectl import KubectlError, Object, key
from ..contract import Description
from ..failure import Failure
from ..hosting.outputs import log, notice
from ..state import stored
from ..state.record_format import InFlight, Record


def of_release(description: Description, in_flight: InFlight) -> list[Object]:
    """The objects of a release's services and those of no service, with the bodies of Secrets.

    Raises `Failure` where a secret or a stored object is missing.
    """
    services = description.in_order(in_flight.services)
    if not in_flight.go_back:
        return manifests.render(description, services, in_flight.images)
    owners = {*(service.name for service in services), None}
    objects = stored.demand(description, in_flight.go_back)
    return [manifest for manifest in objects if manifests.owner(description, manifest) in owners]


def unchanged_databases(
    description: Description, record: Record, in_flight: InFlight, objects: list[Object]
) -> list[str]:
    """Names of the services that are never rolled back and that the release would not change.

    They take no part in it: what somebody changed about them by hand is kept too.
    """
    services = description.in_order(in_flight.services)
    never = [s for s in services if s.rollback == "never" and s.workloads]
    never = [s for s in never if s.name not in in_flight.applied]
    if not never or record.release < 0:
        return []
    good = stored.read(description, record.release) or []
    present = kubectl.live(w for s in never for w in manifests.workloads_of(s, good))
    live = {key(workload) for workload in present}
    left = []
    for service in never:
        new = manifests.of_service(description, service, objects)
        unchanged = stored.same(manifests.of_service(description, service, good), new)
        if unchanged and {key(w) for w in manifests.workloads_of(service, new)} <= live:
            log(f"{service.name}: unchanged since release {record.release}, skipped")
            left.append(service.name)
    return left


@dataclass(frozen=True)
class Effect:
    """What applying objects would do, as kind/name."""

    created: list[str]
    changed: list[str]
    """Also what is created."""


def try_out(objects: list[Object]) -> Effect:
    """A dry run of everything that a release applies. Raises `Failure` where it is refused.

    An object counts as changed where a webhook cannot say what it would do.
    """
    before = {key(live): live for live in kubectl.live(objects)}
    after = _dry_run(objects)
    created = [key(manifest) for manifest in objects if key(manifest) not in before]
    changed = [
        name
        for name in map(key, objects)
        if name not in after or _body(after[name]) != _body(before.get(name, {}))
    ]
    return Effect(sorted(created), sorted(changed))


def _dry_run(objects: list[Object]) -> dict[str, Object]:
    """The objects as they would be, by kind/name, without those that have no dry run."""
    try:
        return {key(new): new for new in kubectl.apply(objects, dry_run=True)}
    except KubectlError as problem:
        if not problem.no_dry_run:
            raise _refusal(problem) from problem
    after = {}
    for manifest in objects:  # one by one, to learn which
        try:
            after.update({key(new): new for new in kubectl.apply([manifest], dry_run=True)})
        except KubectlError as problem:
            if not problem.no_dry_run:
                raise _refusal(problem) from problem
            notice(f"{key(manifest)} counts as changed: {problem}")
    return after


def _refusal(problem: KubectlError) -> Failure:
    return Failure(f"the API server refuses the manifests; nothing was applied: {problem}")


def _body(live: Object) -> Object:
    """An object without what the API server and controllers write, and without wfgen's label."""
    labels = live.get("metadata", {}).get("labels") or {}
    labels = {name: value for name, value in labels.items() if name not in manifests.OWNED}
    return {**{k: v for k, v in live.items() if k not in ("metadata", "status")}, "labels": labels}
