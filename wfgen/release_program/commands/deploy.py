"""Migrations, then the manifests: a service after what it depends on."""

from __future__ import annotations

import time

from ..cluster import diagnostics, jobs, kubectl, manifests, rollout
from ..cluster.kubectl import KubectlError, Object, key
from ..contract import Description, Service, load
from ..failure import Failure
from ..hosting.outputs import group, log
from ..state import stored
from ..state.record import continue_release, renew_lease, write_cause, write_record
from ..state.record_format import InFlight, Record


def migrate() -> int:
    """Runs the migrations of this release's services, as Jobs in their new images.

    A dependency that is not live yet (a new database) is deployed first. A migration is never
    reversed; one that is `contracting` switches automatic rollback off.
    """
    description = load()
    record = continue_release(description)
    in_flight = record.demand_own()
    services = description.in_order(in_flight.services)
    if in_flight.go_back or not any(s.migrate for s in services):
        log("nothing to migrate")
        return 0
    objects = manifests.render(description, services, in_flight.images)
    services, objects = _leave_databases(description, record, services, objects)
    for service in (s for s in services if s.migrate):
        _deploy_missing(description, record, service, services, objects)
        _apply_config(description, service, objects)
        assert service.migrate is not None
        if service.migrate.contracting:
            in_flight.contracted = True
            write_record(description, record)
        log(f"migrating {service.name}")
        jobs.run(
            jobs.migration(service, in_flight.release, objects, description.place),
            lambda: renew_lease(description, record),
        )
    return 0


def deploy() -> int:
    """Applies the manifests of this release's services, after a dry run of all of them.

    Server-side, by one field manager; a service after what it depends on is ready. Stops at the
    first failure.
    """
    description = load()
    record = continue_release(description)
    in_flight = record.demand_own()
    services = description.in_order(in_flight.services)
    objects = _objects(description, in_flight, services)
    services, objects = _leave_databases(description, record, services, objects)
    _prepare(description, record, objects)
    with group("objects of no service"):
        _apply(manifests.shared(description, objects))
    for service in services:
        _apply_service(description, record, service, objects)
    return 0


def _objects(
    description: Description, in_flight: InFlight, services: list[Service]
) -> list[Object]:
    if not in_flight.go_back:
        return manifests.render(description, services, in_flight.images)
    owners = {*(service.name for service in services), None}
    objects = stored.demand(description, in_flight.go_back)
    return [manifest for manifest in objects if manifests.owner(description, manifest) in owners]


def _leave_databases(
    description: Description, record: Record, services: list[Service], objects: list[Object]
) -> tuple[list[Service], list[Object]]:
    """The services and objects without services that are never rolled back and did not change.

    They take no part in the release: what somebody changed about them by hand is kept too.
    """
    in_flight = record.demand_own()
    never = [s for s in services if s.rollback == "never" and s.workloads]
    never = [s for s in never if s.name not in in_flight.applied]
    if not never or record.release < 0:
        return services, objects
    good = stored.read(description, record.release) or []
    present = kubectl.live(w for s in never for w in manifests.workloads_of(s, good))
    live = {key(workload) for workload in present}
    for service in never:
        new = manifests.of_service(description, service, objects)
        unchanged = stored.same(manifests.of_service(description, service, good), new)
        if unchanged and {key(w) for w in manifests.workloads_of(service, new)} <= live:
            log(f"{service.name}: unchanged since release {record.release}, skipped")
            services = [other for other in services if other != service]
            objects = [manifest for manifest in objects if manifest not in new]
    in_flight.services = [service.name for service in services]
    return services, objects


def _deploy_missing(
    description: Description,
    record: Record,
    service: Service,
    services: list[Service],
    objects: list[Object],
) -> None:
    """Deploys those of the release's services that a service depends on and that are not live."""
    needed = description.needed_by([service.name])
    workloads = {s.name: manifests.workloads_of(s, objects) for s in services if s.name in needed}
    live = {key(w) for w in kubectl.live(w for own in workloads.values() for w in own)}
    missing = [
        dependency
        for dependency in services
        if dependency.name in workloads and not live & {key(w) for w in workloads[dependency.name]}
    ]
    if missing:
        _prepare(description, record, objects)
    for dependency in missing:
        _apply_service(description, record, dependency, objects)


def _prepare(description: Description, record: Record, objects: list[Object]) -> None:
    """Dry run of the manifests; records what would change, and stores the manifests.

    A rollback deletes only what the release created, and restores only what it changed. Raises
    `Failure` where the API server refuses the manifests.
    """
    in_flight = record.demand_own()
    before = {key(live): live for live in kubectl.live(objects)}
    try:
        after = kubectl.apply(objects, dry_run=True)
    except KubectlError as error:
        raise Failure(
            f"the API server refuses the manifests; nothing was applied: {error}"
        ) from error
    stored.write(description, in_flight.release, objects)
    created = [key(manifest) for manifest in objects if key(manifest) not in before]
    changed = [key(new) for new in after if _body(new) != _body(before.get(key(new), {}))]
    in_flight.touching = True
    in_flight.created = sorted({*in_flight.created, *created})
    in_flight.changed = sorted({*in_flight.changed, *changed})
    write_record(description, record)


def _body(live: Object) -> Object:
    """An object without what the API server and controllers write, and without wfgen's label."""
    labels = live.get("metadata", {}).get("labels") or {}
    labels = {name: value for name, value in labels.items() if name not in manifests.OWNED}
    return {**{k: v for k, v in live.items() if k not in ("metadata", "status")}, "labels": labels}


def _apply_service(
    description: Description, record: Record, service: Service, objects: list[Object]
) -> None:
    """Applies a service; waits until it is ready if other services depend on it."""
    in_flight = record.demand_own()
    own = manifests.of_service(description, service, objects)
    # Recorded before the apply: how far an interrupted apply got is not known.
    in_flight.applied[service.name] = time.time()
    write_record(description, record)
    with group(f"apply {service.name}"):
        manifests.keep_replicas(own)
        _apply(own)
    if service.external:
        secret = next(m["metadata"]["name"] for m in own if m["kind"] == "Secret")
        log(f"checking {service.name}, outside the cluster")
        jobs.run(
            jobs.question(service, in_flight.release, secret, description.place),
            lambda: renew_lease(description, record),
        )
    elif any(service.name in other.depends_on for other in description.services.values()):
        try:
            rollout.wait(description, [service], objects, lambda: renew_lease(description, record))
        except rollout.NotReady:
            write_cause(description, record, "app")
            diagnostics.show(description, service, objects)
            raise


def _apply_config(description: Description, service: Service, objects: list[Object]) -> None:
    """Applies what a migration's pod needs of its service; each has a hash in its name."""
    own = manifests.of_service(description, service, objects)
    _apply([manifest for manifest in own if manifest["kind"] in ("ConfigMap", "Secret")])


def _apply(objects: list[Object]) -> None:
    for manifest in objects:
        log(key(manifest))
    kubectl.apply(objects)
