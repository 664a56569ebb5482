"""Migrations, then the manifests: a service after what it depends on.

Both continue the release that `preflight` of the same attempt opened, after a dry run of all of it.
"""

from __future__ import annotations

import time

from ..cluster import jobs, kubectl, manifests
from ..cluster.kubectl import Object, key
from ..contract import Description, Service, load
from ..hosting.outputs import group, log
from ..state.fence import Fence
from ..state.record import continue_release, write_record
from . import _objects
from ._side_by_side import Deployment


def migrate() -> int:
    """Runs the migrations of this release's services, as Jobs in their new images.

    A dependency that is not live yet (a new database) is deployed first. A migration is never
    reversed; one that is `contracting` switches automatic rollback off.
    """
    description = load()
    record = continue_release(description)
    in_flight = record.demand_own()
    services = description.in_order(in_flight.services)
    if in_flight.go_back or not any(service.migrate for service in services):
        log("nothing to migrate")
        return 0
    objects = _objects.of_release(description, in_flight)
    fence = Fence(description, record)
    with fence.closing():
        for service in (s for s in services if s.migrate):
            _deploy_missing(description, fence, service, services, objects)
            _apply_config(description, fence, service, objects)
            _migrate_service(description, fence, service, objects)
    return 0


def deploy() -> int:
    """Applies the manifests of this release's services: server-side, by one field manager.

    Side by side: a service as soon as those that it depends on, among what this release touches,
    are ready. Stops at the first failure.
    """
    description = load()
    record = continue_release(description)
    in_flight = record.demand_own()
    objects = _objects.of_release(description, in_flight)
    fence = Fence(description, record)
    with fence.closing():
        in_flight.touching = True
        with group("objects of no service"):
            _apply(fence, manifests.shared(description, objects))
        services = description.in_order(in_flight.services)
        Deployment(description, fence, objects).apply(services, awaited=())
        in_flight.now.deployed = True
    return 0


def _migrate_service(
    description: Description, fence: Fence, service: Service, objects: list[Object]
) -> None:
    in_flight = fence.record.demand_own()
    assert service.migrate is not None
    if service.migrate.contracting:
        in_flight.contracted = True
        write_record(description, fence.record)
    log(f"migrating {service.name}")
    jobs.run(jobs.migration(description, service, in_flight.release, objects), fence)


def _deploy_missing(
    description: Description,
    fence: Fence,
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
    names = [dependency.name for dependency in missing]
    Deployment(description, fence, objects).apply(missing, awaited=names)


def _apply_config(
    description: Description, fence: Fence, service: Service, objects: list[Object]
) -> None:
    """Applies what a migration's pod needs of its service: most of it has a hash in its name.

    Where it changes an object that is live, the rollback restores the service.
    """
    in_flight = fence.record.demand_own()
    own = manifests.of_service(description, service, objects)
    needed = [manifest for manifest in own if manifest["kind"] in ("ConfigMap", "Secret")]
    if {key(m) for m in needed} & (set(in_flight.changed) - set(in_flight.created)):
        in_flight.touching = True
        in_flight.applied[service.name] = time.time()
    _apply(fence, needed)


def _apply(fence: Fence, objects: list[Object]) -> None:
    for manifest in objects:
        log(key(manifest))
    fence.apply(objects)
