"""Applies services side by side: each as soon as everything that it depends on is ready."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from graphlib import TopologicalSorter

from ..cluster import diagnostics, jobs, manifests, rollout
from ..cluster.kubectl import Object
from ..contract import Description, Service
from ..hosting.outputs import group, log
from ..state.fence import Fence
from ..state.record import write_cause


class Deployment:
    """The services of a release while they are applied."""

    def __init__(self, description: Description, fence: Fence, objects: list[Object]) -> None:
        self._description, self._fence, self._objects = description, fence, objects
        self._watches: dict[str, rollout.Watch] = {}
        """Services that were applied and that others wait for."""
        self._checks: dict[str, jobs.RunningJob] = {}
        """Checks of external services."""

    def apply(self, services: Sequence[Service], awaited: Collection[str]) -> None:
        """Applies services, each after those of them that it depends on are ready.

        Also waits for the ones named in `awaited`, and for checks of external services. Stops at
        the first failure: raises what ended it.
        """
        names = [service.name for service in services]
        needs = {n: self._description.needed_by([n]).intersection(names) for n in names}
        waited = set(awaited).union(*needs.values()) if needs else set(awaited)
        order = TopologicalSorter(needs)
        order.prepare()
        while order.is_active():
            ready = set(order.get_ready())
            for service in self._description.in_order(ready):
                self._start(service, wait=service.name in waited)
            began = {*self._watches, *self._checks}
            ended = (ready - began) | self._look()
            order.done(*ended)
            if order.is_active() and not ended:
                self._fence.renew()
                time.sleep(rollout.poll_seconds())

    def _start(self, service: Service, *, wait: bool) -> None:
        in_flight = self._fence.record.demand_own()
        own = manifests.of_service(self._description, service, self._objects)
        # Recorded before the apply: how far an interrupted apply got is not known.
        started = in_flight.applied[service.name] = time.time()
        in_flight.touching = True
        with group(f"apply {service.name}"):
            manifests.keep_replicas(own, self._fence)
            for manifest in own:
                log(f"{manifest['kind']}/{manifest['metadata']['name']}")
            self._fence.apply(own)
        if service.external:
            secret = manifests.secret_of(service, own)
            log(f"checking {service.name}, outside the cluster")
            job = jobs.question(self._description, service, in_flight.release, secret)
            self._checks[service.name] = jobs.RunningJob(job, self._fence)
        elif wait:
            self._watches[service.name] = rollout.Watch(service, started)

    def _look(self) -> set[str]:
        """The services that are ready now. Raises what a service failed with."""
        ended = set()
        listed = jobs.list_of(list(self._checks.values()))
        for name, check in self._checks.items():
            if check.look(listed):
                ended.add(name)
        if self._watches:
            rollout.look_at(self._description, list(self._watches.values()), self._objects)
        for name, watch in self._watches.items():
            self._demand_progress(watch)
            if watch.ready:
                ended.add(name)
        for name in ended:
            self._checks.pop(name, None)
            self._watches.pop(name, None)
        return ended

    def _demand_progress(self, watch: rollout.Watch) -> None:
        try:
            rollout.demand_progress(watch, watch.since)
        except rollout.NotReady:
            name = watch.service.name
            write_cause(self._description, self._fence.record, "app", name)
            diagnostics.show(self._description, watch.service, self._objects)
            raise
