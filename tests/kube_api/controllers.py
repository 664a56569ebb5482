"""The controllers, run at each request for all that happened since the last one.

There are no threads: a request moves the cluster's time from one event to the next up to now.
"""

from __future__ import annotations

import math
import time

from tests.kube_api import deployments, kubelet, statefulsets
from tests.kube_api.jobs import sync as sync_job
from tests.kube_api.resources import Object
from tests.kube_api.statefulsets import HASH
from tests.kube_api.world import World, counts

ROUNDS = 10_000
"""So many steps at one request would be an error of the fake."""


def tick(world: World) -> None:
    """Brings the cluster to the present."""
    now = time.time()
    for _ in range(ROUNDS):
        before = world.store.version
        world.wakes = math.inf
        _sync(world)
        if world.store.version != before:
            continue
        if world.wakes > now:
            world.store.time = max(now, world.store.time)
            return
        world.store.time = world.wakes
    raise RuntimeError("the controllers of the fake cluster do not come to rest")


def _sync(world: World) -> None:
    for plural, step in _STEPS.items():
        for thing in world.store.select(plural):
            if world.key(thing) in world.store.objects:
                step(world, world.store.read(world.key(thing)))


def _daemon_set(world: World, thing: Object) -> None:
    """One pod, as there is one node; the old one goes before the new one comes."""
    if not world.sees(thing):
        return
    revision = statefulsets.revise(world, thing)
    own = revision["metadata"]["labels"][HASH]
    for pod in world.store.owned("pods", thing):
        old = pod["metadata"]["labels"][HASH] != own
        if old and thing["spec"]["updateStrategy"]["type"] == "RollingUpdate":
            world.delete_pod(thing, pod)
    if not world.store.owned("pods", thing):
        number = world.note(thing)["made"] = world.note(thing).get("made", 0) + 1
        name = f"{thing['metadata']['name']}-{own[:4]}{number}"
        world.make_pod(thing, name, thing["spec"]["template"], **{HASH: own})
    pods = world.store.owned("pods", thing)
    available = sum(world.is_available(pod, thing) for pod in pods)
    status = {
        "observedGeneration": thing["metadata"]["generation"],
        "currentNumberScheduled": 1,
        "desiredNumberScheduled": 1,
        "numberMisscheduled": 0,
        "numberReady": sum(world.is_ready(pod) for pod in pods),
        **counts(
            updatedNumberScheduled=sum(p["metadata"]["labels"][HASH] == own for p in pods),
            numberAvailable=available,
            numberUnavailable=1 - available,
        ),
    }
    world.set_status(thing, status)


def _autoscaler(world: World, thing: Object) -> None:
    """Keeps the number of replicas within its limits: there is no load."""
    target, namespace = thing["spec"]["scaleTargetRef"], thing["metadata"]["namespace"]
    plural = {"Deployment": "deployments", "StatefulSet": "statefulsets"}.get(target["kind"], "")
    for scaled in world.store.select(plural, namespace, fields=f"metadata.name={target['name']}"):
        before = scaled["spec"]["replicas"]
        least, most = thing["spec"].get("minReplicas", 1), thing["spec"]["maxReplicas"]
        wanted = min(max(before, least), most) if before else 0
        world.set_spec(scaled, replicas=wanted)
        world.set_status(thing, {"currentReplicas": before, "desiredReplicas": wanted})


_STEPS = {
    "horizontalpodautoscalers": _autoscaler,
    "deployments": deployments.sync,
    "replicasets": deployments.sync_set,
    "statefulsets": statefulsets.sync,
    "daemonsets": _daemon_set,
    "jobs": sync_job,
    "pods": kubelet.sync,
}
