"""The controllers. They run at each request, for the time since the last one.

There are no threads: a request moves the cluster's time from event to event up to now.
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
"""Maximum number of steps per request; more are an error of the fake."""


def tick(world: World) -> None:
    """Moves the cluster's time up to now."""
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
    raise RuntimeError("the controllers of the fake cluster do not settle")


def _sync(world: World) -> None:
    for plural, step in _STEPS.items():
        for obj in world.store.select(plural):
            if world.key(obj) in world.store.objects:
                step(world, world.store.read(world.key(obj)))


def _daemon_set(world: World, obj: Object) -> None:
    """Keeps one pod, as there is one node; deletes the old one before it creates the new one."""
    if not world.sees(obj):
        return
    revision = statefulsets.revise(world, obj)
    own = revision["metadata"]["labels"][HASH]
    for pod in world.store.owned("pods", obj):
        old = pod["metadata"]["labels"][HASH] != own
        if old and obj["spec"]["updateStrategy"]["type"] == "RollingUpdate":
            world.delete_pod(obj, pod)
    if not world.store.owned("pods", obj):
        number = world.note(obj)["made"] = world.note(obj).get("made", 0) + 1
        name = f"{obj['metadata']['name']}-{own[:4]}{number}"
        world.make_pod(obj, name, obj["spec"]["template"], **{HASH: own})
    pods = world.store.owned("pods", obj)
    available = sum(world.is_available(pod, obj) for pod in pods)
    status = {
        "observedGeneration": obj["metadata"]["generation"],
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
    world.set_status(obj, status)


def _autoscaler(world: World, obj: Object) -> None:
    """Keeps the number of replicas within the limits; there is no load."""
    target, namespace = obj["spec"]["scaleTargetRef"], obj["metadata"]["namespace"]
    plural = {"Deployment": "deployments", "StatefulSet": "statefulsets"}.get(target["kind"], "")
    for scaled in world.store.select(plural, namespace, fields=f"metadata.name={target['name']}"):
        before = scaled["spec"]["replicas"]
        least, most = obj["spec"].get("minReplicas", 1), obj["spec"]["maxReplicas"]
        wanted = min(max(before, least), most) if before else 0
        world.set_spec(scaled, replicas=wanted)
        world.set_status(obj, {"currentReplicas": before, "desiredReplicas": wanted})


_STEPS = {
    "horizontalpodautoscalers": _autoscaler,
    "deployments": deployments.sync,
    "replicasets": deployments.sync_set,
    "statefulsets": statefulsets.sync,
    "daemonsets": _daemon_set,
    "jobs": sync_job,
    "pods": kubelet.sync,
}
