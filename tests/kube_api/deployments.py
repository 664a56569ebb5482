"""Deployments and ReplicaSets.

https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
"""

from __future__ import annotations

import copy
import math
from typing import Any

from tests.kube_api.resources import Object
from tests.kube_api.world import World, condition, counts, digest

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"


def sync(world: World, deployment: Object) -> None:
    """One step of a Deployment's controller."""
    if not world.sees(deployment):
        return
    new = _new_set(world, deployment)
    _scale(world, deployment, new)
    sets = world.store.owned("replicasets", deployment)
    new = next(
        replica_set
        for replica_set in sets
        if replica_set["metadata"]["uid"] == new["metadata"]["uid"]
    )
    _write_status(
        world, deployment, new, [replica_set for replica_set in sets if replica_set is not new]
    )


def _new_set(world: World, deployment: Object) -> Object:
    """The ReplicaSet of the current template; it has the highest revision."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    own = digest(spec["template"])
    sets = world.store.owned("replicasets", deployment)
    newest = next((s for s in sets if s["metadata"]["labels"][HASH] == own), None)
    highest = max(
        (_revision(replica_set) for replica_set in sets if replica_set is not newest), default=0
    )
    if newest is None:
        template = copy.deepcopy(spec["template"])
        labels = template.setdefault("metadata", {}).setdefault("labels", {})
        labels[HASH] = own
        selector = copy.deepcopy(spec["selector"])
        selector.setdefault("matchLabels", {})[HASH] = own
        newest = world.make(
            "ReplicaSet",
            deployment,
            f"{metadata['name']}-{own}",
            {"labels": dict(labels), "annotations": {REVISION: str(highest + 1)}},
            spec={"replicas": 0, "selector": selector, "template": template},
        )
    elif _revision(newest) <= highest:
        newest = world.annotate(newest, REVISION, str(highest + 1))
    world.annotate(deployment, REVISION, str(_revision(newest)))
    return world.set_spec(newest, minReadySeconds=spec.get("minReadySeconds", 0))


def _scale(world: World, deployment: Object, new: Object) -> None:
    """Scales the ReplicaSets by the strategy's limits."""
    spec = deployment["spec"]
    wanted = spec["replicas"]
    others = [
        replica_set
        for replica_set in world.store.owned("replicasets", deployment)
        if replica_set["metadata"]["uid"] != new["metadata"]["uid"]
    ]
    old = [replica_set for replica_set in others if replica_set["spec"]["replicas"]]
    if spec.get("paused"):
        return
    if spec["strategy"]["type"] == "Recreate":
        for replica_set in old:
            world.set_spec(replica_set, replicas=0)
        if not any(world.store.owned("pods", replica_set) for replica_set in others):
            _to(world, deployment, new, wanted)
        return
    _roll(world, deployment, new, old)
    _forget(
        world,
        deployment,
        [replica_set for replica_set in others if not replica_set["spec"]["replicas"]],
    )


def _roll(world: World, deployment: Object, new: Object, old: list[Object]) -> None:
    """One step from the old ReplicaSets to the new one."""
    spec = deployment["spec"]
    wanted = spec["replicas"]
    total = sum(replica_set["spec"]["replicas"] for replica_set in (*old, new))
    surge, unavailable = _limits(spec)
    if new["spec"]["replicas"] > wanted:
        _to(world, deployment, new, wanted)
    elif new["spec"]["replicas"] < wanted and total < wanted + surge:
        more = min(wanted - new["spec"]["replicas"], wanted + surge - total)
        _to(world, deployment, new, new["spec"]["replicas"] + more)
        return  # the old ones follow when the new pods exist
    available = {
        replica_set["metadata"]["uid"]: _available(world, replica_set)
        for replica_set in (*old, new)
    }
    least = wanted - unavailable
    spare = total - least - (new["spec"]["replicas"] - available[new["metadata"]["uid"]])
    for replica_set in old:  # broken pods first
        broken = min(
            replica_set["spec"]["replicas"] - available[replica_set["metadata"]["uid"]], spare
        )
        if broken > 0:
            spare -= broken
            _to(world, deployment, replica_set, replica_set["spec"]["replicas"] - broken)
            return
    spare = min(spare, sum(available.values()) - least)
    for replica_set in old:
        fewer = min(replica_set["spec"]["replicas"], spare)
        if fewer > 0:
            spare -= fewer
            _to(world, deployment, replica_set, replica_set["spec"]["replicas"] - fewer)


def _forget(world: World, deployment: Object, idle: list[Object]) -> None:
    """Removes the oldest ReplicaSets beyond the limit of the history."""
    limit = deployment["spec"]["revisionHistoryLimit"]
    for replica_set in sorted(idle, key=_revision)[: max(0, len(idle) - limit)]:
        if not world.store.owned("pods", replica_set):
            world.store.remove(world.key(replica_set))


def _to(world: World, deployment: Object, replica_set: Object, replicas: int) -> None:
    before, name = replica_set["spec"]["replicas"], replica_set["metadata"]["name"]
    if before != replicas:
        text = f"Scaled {'up' if replicas > before else 'down'} replica set {name}"
        world.event(
            deployment, "Normal", "ScalingReplicaSet", f"{text} from {before} to {replicas}"
        )
        world.set_spec(replica_set, replicas=replicas)


def _limits(spec: Object) -> tuple[int, int]:
    rolling, wanted = spec["strategy"].get("rollingUpdate") or {}, spec["replicas"]
    surge = _share(rolling.get("maxSurge", "25%"), wanted, up=True)
    unavailable = _share(rolling.get("maxUnavailable", "25%"), wanted, up=False)
    return surge, unavailable if surge or unavailable else 1


def _share(value: Any, of: int, *, up: bool) -> int:
    if isinstance(value, str):
        share = of * int(value.rstrip("%")) / 100
        return math.ceil(share) if up else math.floor(share)
    return int(value)


def sync_set(world: World, replica_set: Object) -> None:
    """One step of a ReplicaSet's controller."""
    wanted = replica_set["spec"]["replicas"]
    pods = world.store.owned("pods", replica_set)
    template = replica_set["spec"]["template"]
    for _ in range(wanted - len(pods)):
        number = world.note(replica_set)["made"] = world.note(replica_set).get("made", 0) + 1
        own = digest([replica_set["metadata"]["uid"], number])[:5]
        name = f"{replica_set['metadata']['name']}-{own}"
        pods.append(world.make_pod(replica_set, name, template))
    # Pods that are not ready are deleted first, and of them the youngest.
    pods.sort(key=world.is_ready, reverse=True)
    for pod in pods[wanted:]:
        world.delete_pod(replica_set, pod)
    pods = pods[:wanted]
    numbers = counts(
        fullyLabeledReplicas=len(pods),
        readyReplicas=sum(world.is_ready(pod) for pod in pods),
        availableReplicas=sum(world.is_available(pod, replica_set) for pod in pods),
    )
    generation = replica_set["metadata"]["generation"]
    status = {"replicas": len(pods), "observedGeneration": generation, **numbers}
    world.set_status(replica_set, status)


def _write_status(world: World, deployment: Object, new: Object, old: list[Object]) -> None:
    wanted, generation = deployment["spec"]["replicas"], deployment["metadata"]["generation"]
    every = [replica_set.get("status") or {} for replica_set in (new, *old)]
    updated = every[0].get("replicas", 0)
    total, ready, available = (
        sum(replica_set.get(name, 0) for replica_set in every)
        for name in ("replicas", "readyReplicas", "availableReplicas")
    )
    numbers = counts(
        replicas=total,
        updatedReplicas=updated,
        readyReplicas=ready,
        availableReplicas=available,
        unavailableReplicas=max(0, max(total, wanted) - available),
    )
    done = updated == total == available == wanted
    note = world.note(deployment)
    progress = _progress(world, deployment, new, (updated, updated - total, ready, available), done)
    enough = available >= wanted - _limits(deployment["spec"])[1]
    if note.get("enough") is not enough:
        note.update(enough=enough, turned=world.time)
    kind, text = ("Minimum", "has") if enough else ("Minimum", "does not have")
    conditions = [
        condition(
            "Available",
            enough,
            f"{kind}Replicas{'Available' if enough else 'Unavailable'}",
            f"Deployment {text} minimum availability.",
            note["turned"],
        ),
        progress,
    ]
    status = {"observedGeneration": generation, **numbers, "conditions": conditions}
    world.set_status(deployment, status)


def _progress(
    world: World, deployment: Object, new: Object, now: tuple[int, ...], done: bool
) -> Object:
    """The condition Progressing: how long there has been no progress."""
    note, name = world.note(deployment), new["metadata"]["name"]
    if note.get("set") != name:
        note.update(set=name, best=now, moved=world.time, done=False)
    if any(a > b for a, b in zip(now, note["best"], strict=True)):
        note["moved"] = world.time
    note["best"] = now
    if done and not note["done"]:
        note.update(done=True, moved=world.time)
    if note["done"]:
        text = f'ReplicaSet "{name}" has successfully progressed.'
        return condition("Progressing", True, "NewReplicaSetAvailable", text, note["moved"])
    due = note["moved"] + deployment["spec"]["progressDeadlineSeconds"] * world.time_scale
    if world.time >= due:
        text = f'ReplicaSet "{name}" has timed out progressing.'
        return condition("Progressing", False, "ProgressDeadlineExceeded", text, due)
    world.wake(due)
    text = f'ReplicaSet "{name}" is progressing.'
    return condition("Progressing", True, "ReplicaSetUpdated", text, note["moved"])


def _revision(replica_set: Object) -> int:
    return int(replica_set["metadata"]["annotations"][REVISION])


def _available(world: World, replica_set: Object) -> int:
    pods = world.store.owned("pods", replica_set)
    return sum(world.is_available(pod, replica_set) for pod in pods)
