"""What must hold in the cluster before a release is begun: nothing of it is undone later."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..cluster import jobs, kubectl, manifests
from ..cluster.kubectl import Object, key
from ..contract import Description, Service, Workload
from ..failure import Failure
from ..hosting.outputs import group, log
from ..state import stored

_MAJOR = re.compile(r":v?(\d+)[^:/@]*(?:@.*)?$")


def demand_manifests(
    description: Description, services: list[Service], images: Mapping[str, str]
) -> None:
    """Raises `Failure` or `KubectlError` where the manifests cannot be released as they are.

    That is: kustomize refuses them, something that a service depends on is neither live nor part
    of the release, or a database would be brought to another major version.
    """
    objects = manifests.render(description, services, images, with_secrets=False)
    names = [service.name for service in services]
    needed = description.in_order(description.needed_by(names) - set(names))
    databases = [s for s in services if s.allow_major is not None and not description.preview]
    stubs = [_stub(description, w) for s in [*needed, *databases] for w in s.workloads]
    live = {key(thing): thing for thing in kubectl.live(stubs)}
    for service in needed:
        for workload in service.workloads:
            if f"{workload.kind}/{workload.name}" not in live:
                raise Failure(
                    f"{workload.kind} {workload.name}, which this release depends on, is neither "
                    "live nor part of it; dispatch a release with `force`, which has all services"
                )
    for service in databases:
        for thing in manifests.workloads_of(service, objects):
            if key(thing) in live:
                _demand_major(service, live[key(thing)], thing)


def _stub(description: Description, workload: Workload) -> Object:
    """What is enough to ask for a workload."""
    version = "batch/v1" if workload.kind == "CronJob" else "apps/v1"
    metadata = {"name": workload.name, "namespace": description.place}
    return {"apiVersion": version, "kind": workload.kind, "metadata": metadata}


def _demand_major(service: Service, live: Object, wanted: Object) -> None:
    """A newer database often cannot read an older one's files, and an older one never."""
    images = [str(manifests.container(service, thing)["image"]) for thing in (live, wanted)]
    old, new = (int(found[1]) if (found := _MAJOR.search(each)) else None for each in images)
    if None in (old, new) or old == new or (service.allow_major == new and service.migrate):
        return
    raise Failure(
        f"{service.name} would go from {images[0]} to {images[1]}, another major version. "
        f"Its spec allows that by `allow_major: {new}` and a `migrate` command that makes a "
        "backup and fails where it cannot be read back"
    )


def demand_release(description: Description, release: int, services: list[Service]) -> None:
    """Raises `Failure` where a recorded release cannot be gone back to.

    Its manifests and Secrets must be there, and each image that is not live must be one that the
    cluster can pull: a Job of the service's own pod tries.
    """
    objects = stored.demand(description, release)
    for service in services:
        for thing in manifests.workloads_of(service, objects)[:1]:
            image = manifests.container(service, thing)["image"]
            live = kubectl.live([thing])
            if live and manifests.container(service, live[0])["image"] == image:
                continue
            try:
                with group(f"looking for {image}"):
                    jobs.run(jobs.pull(service, release, objects, description.place), lambda: None)
            except jobs.CannotStart as problem:
                raise Failure(f"release {release} cannot be gone back to: {problem}") from problem
            except jobs.Failed as problem:
                log(f"{image} is there, and has no program `true`: {problem}")
