"""What must hold before a release begins; nothing was applied until then."""

from __future__ import annotations

import re

from ..cluster import jobs, kubectl, manifests
from ..cluster.kubectl import Object, key
from ..cluster.writer import Writer
from ..contract import Description, Service, Workload
from ..failure import Failure
from ..hosting.outputs import group, log
from ..state.record_format import InFlight

_MAJOR = re.compile(r":v?(\d+)[^:/@]*(?:@.*)?$")


def demand_no_jobs(description: Description) -> None:
    """Raises `Failure` while a Job of any release of this environment runs.

    A migration that outlived its run would meet the next one.
    """
    running = jobs.unfinished(description)
    if running:
        raise Failure(
            f"{', '.join(sorted(map(key, running)))} of an earlier release still runs. Wait "
            f"for its end, or run `kubectl delete job -n {description.place} <name>`, then re-run "
            "all jobs"
        )


def demand_manifests(
    description: Description, services: list[Service], objects: list[Object]
) -> None:
    """Raises `Failure` where objects cannot be released.

    That is: something that a service depends on is neither live nor part of the release, or the
    major version of a database would change.
    """
    names = [service.name for service in services]
    needed = description.in_order(description.needed_by(names) - set(names))
    databases = [s for s in services if s.allow_major is not None and not description.preview]
    stubs = [_stub(description, w) for s in [*needed, *databases] for w in s.workloads]
    live = {key(workload): workload for workload in kubectl.live(stubs)}
    for service in needed:
        for workload in service.workloads:
            if f"{workload.kind}/{workload.name}" not in live:
                raise Failure(
                    f"{workload.kind} {workload.name}, which this release depends on, is neither "
                    "live nor part of it: dispatch a release with `force`, which has all services"
                )
    for service in databases:
        for manifest in manifests.workloads_of(service, objects):
            if key(manifest) in live:
                _demand_major(service, live[key(manifest)], manifest)


def _stub(description: Description, workload: Workload) -> Object:
    """The part of a manifest that kubectl needs to look a workload up."""
    version = "batch/v1" if workload.kind == "CronJob" else "apps/v1"
    metadata = {"name": workload.name, "namespace": description.place}
    return {"apiVersion": version, "kind": workload.kind, "metadata": metadata}


def _demand_major(service: Service, live: Object, new: Object) -> None:
    """A newer major version of a database often cannot read older files; an older one never can."""
    image_before, image = (
        str(manifests.container(service, workload)["image"]) for workload in (live, new)
    )
    before, major = _major(image_before), _major(image)
    if None in (before, major) or before == major:
        return
    if service.allow_major == major and service.migrate:
        return
    raise Failure(
        f"{service.name} would go from {image_before} to {image}, another major version. To allow "
        f"it, set `allow_major: {major}` and a `migrate` command in its spec; the command makes a "
        "backup, and fails where the backup cannot be read"
    )


def _major(image: str) -> int | None:
    """The major version in an image's tag; None where it has none."""
    match = _MAJOR.search(image)
    return int(match[1]) if match else None


def demand_images(
    description: Description, in_flight: InFlight, objects: list[Object], writer: Writer
) -> None:
    """Raises `Failure` where the cluster cannot pull an image of a release to go back to.

    A Job with the service's pod tries each image that is not live.
    """
    for service in description.in_order(in_flight.services):
        for manifest in manifests.workloads_of(service, objects)[:1]:
            image = manifests.container(service, manifest)["image"]
            live = kubectl.live([manifest])
            if live and manifests.container(service, live[0])["image"] == image:
                continue
            try:
                with group(f"pull {image}"):
                    jobs.run(jobs.pull(description, service, in_flight.release, objects), writer)
            except jobs.CannotStart as problem:
                release = in_flight.go_back
                raise Failure(f"cannot go back to release {release}: {problem}") from problem
            except jobs.Failed as problem:
                log(f"pulled {image}; it has no program `true`: {problem}")
