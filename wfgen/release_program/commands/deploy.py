"""Migrations, then the manifests: a service after what it depends on."""

from __future__ import annotations

import time

from ..cluster import diagnostics, jobs, kubectl, manifests, rollout
from ..cluster.kubectl import KubectlError, Object, key
from ..contract import Description, Service, load
from ..failure import Failure
from ..hosting.outputs import group, log
from ..state import record, stored
from ..state.record import InFlight, Record


def migrate() -> int:
    """Runs the migrations of this release's services, as Jobs in their new images.

    A dependency that is not there at all yet (a new database) is deployed first. A migration is
    never reversed; one that is `contracting` switches automatic rollback off.
    """
    description = load()
    found = record.begin(description)
    flying = found.flying
    services = description.in_order(flying.services)
    if flying.go_back or not any(s.migrate for s in services):
        log("nothing to migrate")
        return 0
    objects = manifests.render(description, services, flying.images)
    services, objects = _leave_databases(description, found, services, objects)
    for service in (s for s in services if s.migrate):
        needed = description.needed_by([service.name])
        wanted = [each for each in services if each.name in needed]
        present = kubectl.live(t for s in wanted for t in manifests.workloads_of(s, objects))
        names = {key(thing) for thing in present}
        missing = [
            each
            for each in wanted
            if not names & {key(thing) for thing in manifests.workloads_of(each, objects)}
        ]
        if missing:
            _prepare(description, found, objects)
        for dependency in missing:
            _apply_service(description, found, dependency, objects)
        _apply_config(description, service, objects)
        assert service.migrate is not None
        if service.migrate.contracting:
            flying.contracted = True
            record.write(description, found)
        log(f"migrating {service.name}")
        jobs.run(
            jobs.migration(service, flying.release, objects, description.place),
            lambda: record.renew(description, found),
        )
    return 0


def deploy() -> int:
    """Applies the manifests of this release's services, after a dry run of all of them.

    Server-side, by one field manager; a service after what it depends on is ready. Stops at the
    first failure.
    """
    description = load()
    found = record.begin(description)
    flying = found.flying
    services = description.in_order(flying.services)
    objects = _objects(description, flying, services)
    services, objects = _leave_databases(description, found, services, objects)
    _prepare(description, found, objects)
    with group("objects of no service"):
        _apply(manifests.shared(description, objects))
    for service in services:
        _apply_service(description, found, service, objects)
    return 0


def _objects(description: Description, flying: InFlight, services: list[Service]) -> list[Object]:
    if not flying.go_back:
        return manifests.render(description, services, flying.images)
    mine = {*(service.name for service in services), None}
    objects = stored.demand(description, flying.go_back)
    return [thing for thing in objects if manifests.owner(description, thing) in mine]


def _leave_databases(
    description: Description, found: Record, services: list[Service], objects: list[Object]
) -> tuple[list[Service], list[Object]]:
    """Without the services that are never rolled back and are live as the last release has them.

    They take no part: not even what somebody changed about them by hand is changed back.
    """
    kept = [s for s in services if s.rollback == "never" and s.workloads]
    kept = [s for s in kept if s.name not in found.flying.applied]
    if not kept or found.release < 0:
        return services, objects
    good = stored.read(description, found.release) or []
    there = {key(t) for t in kubectl.live(t for s in kept for t in manifests.workloads_of(s, good))}
    for service in kept:
        old, new = (manifests.of_service(description, service, each) for each in (good, objects))
        if (
            stored.same(old, new)
            and {key(t) for t in manifests.workloads_of(service, new)} <= there
        ):
            log(f"{service.name}: as in release {found.release}, left alone")
            services = [each for each in services if each != service]
            objects = [thing for thing in objects if thing not in new]
    found.flying.services = [service.name for service in services]
    return services, objects


def _prepare(description: Description, found: Record, objects: list[Object]) -> None:
    """Asks the API server what would change, and records that with the manifests.

    Only what a release made may be deleted when it is undone, and what it did not change is not to
    be restored. Raises `Failure` where the API server refuses the manifests.
    """
    mine = found.flying
    before = {key(thing): thing for thing in kubectl.live(objects)}
    try:
        after = kubectl.apply(objects, dry_run=True)
    except KubectlError as error:
        raise Failure(
            f"the API server refuses the manifests; nothing was applied: {error}"
        ) from error
    stored.write(description, mine.release, objects)
    created = [key(thing) for thing in objects if key(thing) not in before]
    changed = [key(thing) for thing in after if _body(thing) != _body(before.get(key(thing), {}))]
    mine.touching = True
    mine.created = sorted({*mine.created, *created})
    mine.changed = sorted({*mine.changed, *changed})
    record.write(description, found)


def _body(thing: Object) -> Object:
    """An object without what the API server and controllers write, and without our own label."""
    labels = thing.get("metadata", {}).get("labels") or {}
    theirs = {name: value for name, value in labels.items() if name not in manifests.OWNED}
    return {**{k: v for k, v in thing.items() if k not in ("metadata", "status")}, "labels": theirs}


def _apply_service(
    description: Description, found: Record, service: Service, objects: list[Object]
) -> None:
    """Applies a service and waits for it where others of the release depend on it."""
    own = manifests.of_service(description, service, objects)
    # Before the apply, as nobody knows how far one gets that is cut off.
    found.flying.applied[service.name] = time.time()
    record.write(description, found)
    with group(f"apply {service.name}"):
        manifests.keep_replicas(own)
        _apply(own)
    if service.external:
        secret = next(t["metadata"]["name"] for t in own if t["kind"] == "Secret")
        log(f"asking {service.name}, outside the cluster")
        jobs.run(
            jobs.question(service, found.flying.release, secret, description.place),
            lambda: record.renew(description, found),
        )
    elif any(service.name in other.depends_on for other in description.services.values()):
        try:
            rollout.wait(description, found, [service], objects)
        except rollout.NotReady:
            record.blame(description, found, "app")
            diagnostics.show(description, service, objects)
            raise


def _apply_config(description: Description, service: Service, objects: list[Object]) -> None:
    """What a migration's pod needs of the service: all of it has a hash in its name."""
    own = manifests.of_service(description, service, objects)
    _apply([thing for thing in own if thing["kind"] in ("ConfigMap", "Secret")])


def _apply(objects: list[Object]) -> None:
    for thing in objects:
        log(key(thing))
    kubectl.apply(objects)
