"""StatefulSets and their revisions.

https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
"""

from __future__ import annotations

import copy

from tests.kube_api.resources import Key, Object
from tests.kube_api.world import World, counts, digest

HASH = "controller-revision-hash"


def revise(world: World, owner: Object) -> Object:
    """The ControllerRevision of the current template, which has the highest number."""
    own = digest(owner["spec"]["template"])
    name = f"{owner['metadata']['name']}-{own}"
    known = world.store.owned("controllerrevisions", owner)
    newest = next((obj for obj in known if obj["metadata"]["name"] == name), None)
    highest = max((obj["revision"] for obj in known if obj is not newest), default=0)
    if newest is None:
        labels = {**(owner["spec"]["template"]["metadata"].get("labels") or {}), HASH: own}
        data = {"spec": {"template": copy.deepcopy(owner["spec"]["template"])}}
        newest = world.make(
            "ControllerRevision", owner, name, {"labels": labels}, data=data, revision=highest + 1
        )
    elif newest["revision"] <= highest:
        metadata = dict(newest["metadata"])
        revised = {**newest, "metadata": metadata, "revision": highest + 1}
        newest = world.store.put(world.key(newest), revised)
    return newest


def sync(world: World, obj: Object) -> None:
    """One step of a StatefulSet's controller."""
    if not world.sees(obj):
        return
    update = revise(world, obj)["metadata"]["name"]
    status = obj.get("status") or {}
    current = status.get("currentRevision") or update
    if not _step(world, obj, current, update):
        # All pods exist: those of other revisions are deleted one at a time, the last one first.
        _roll(world, obj, update)
    _write_status(world, obj, current, update)


def _pods(world: World, obj: Object) -> dict[int, Object]:
    prefix = f"{obj['metadata']['name']}-"
    pods = world.store.owned("pods", obj)
    return {int(pod["metadata"]["name"].removeprefix(prefix)): pod for pod in pods}


def _step(world: World, obj: Object, current: str, update: str) -> bool:
    """Creates and deletes pods for the number of replicas; whether it is not done yet."""
    spec, pods = obj["spec"], _pods(world, obj)
    ordered = spec["podManagementPolicy"] == "OrderedReady"
    for index in range(spec["replicas"]):
        pod = pods.get(index)
        if pod is not None and pod["status"].get("phase") in ("Failed", "Succeeded"):
            world.delete_pod(obj, pod)
            pod = None
        if pod is None:
            _make(world, obj, index, current if index < _partition(spec) else update)
            if ordered:
                return True
        elif ordered and not world.is_available(pod, obj):
            # The controller waits for a broken pod of any revision: a rollback is stuck there.
            # https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
            return True
    for index in sorted(pods, reverse=True):
        if index >= spec["replicas"]:
            world.delete_pod(obj, pods[index])
            return True
    return False


def _partition(spec: Object) -> int:
    rolling = spec["updateStrategy"].get("rollingUpdate") or {}
    return int(rolling.get("partition") or 0)


def _roll(world: World, obj: Object, update: str) -> None:
    spec = obj["spec"]
    if spec["updateStrategy"]["type"] != "RollingUpdate":
        return
    for index, pod in sorted(_pods(world, obj).items(), reverse=True):
        if index < _partition(spec):
            return
        if pod["metadata"]["labels"][HASH] != update:
            world.delete_pod(obj, pod)
            return
        if not world.is_available(pod, obj):
            return


def _make(world: World, obj: Object, index: int, revision: str) -> None:
    namespace, name = obj["metadata"]["namespace"], f"{obj['metadata']['name']}-{index}"
    key = Key("controllerrevisions", namespace, revision)
    template = copy.deepcopy(world.store.read(key)["data"]["spec"]["template"])
    for claim in obj["spec"].get("volumeClaimTemplates") or []:
        _claim(world, obj, claim, name)
        volume = {
            "name": claim["metadata"]["name"],
            "persistentVolumeClaim": {"claimName": f"{claim['metadata']['name']}-{name}"},
        }
        template["spec"].setdefault("volumes", []).append(volume)
    template["spec"].update(hostname=name)
    labels = {
        HASH: revision,
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": str(index),
    }
    world.make_pod(obj, name, template, **labels)


def _claim(world: World, obj: Object, claim: Object, pod: str) -> None:
    """Creates the claim of a pod; it outlives the pod and the StatefulSet."""
    name = f"{claim['metadata']['name']}-{pod}"
    if Key("persistentvolumeclaims", obj["metadata"]["namespace"], name) in world.store.objects:
        return
    labels = dict(claim["metadata"].get("labels") or {})
    metadata = {"labels": labels, "ownerReferences": []}
    spec = copy.deepcopy(claim["spec"])
    world.make("PersistentVolumeClaim", obj, name, metadata, spec=spec)


def _write_status(world: World, obj: Object, current: str, update: str) -> None:
    pods, wanted = list(_pods(world, obj).values()), obj["spec"]["replicas"]
    revisions = [pod["metadata"]["labels"][HASH] for pod in pods]
    ready = sum(world.is_ready(pod) for pod in pods)
    available = sum(world.is_available(pod, obj) for pod in pods)
    if revisions.count(update) == len(pods) == ready == wanted:
        current = update
    status = {
        "observedGeneration": obj["metadata"]["generation"],
        "replicas": len(pods),
        "availableReplicas": available,
        **counts(
            readyReplicas=ready,
            currentReplicas=revisions.count(current),
            updatedReplicas=revisions.count(update),
        ),
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": 0,
    }
    world.set_status(obj, status)
