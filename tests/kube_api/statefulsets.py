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
    found = next((each for each in known if each["metadata"]["name"] == name), None)
    highest = max((each["revision"] for each in known if each is not found), default=0)
    if found is None:
        labels = {**(owner["spec"]["template"]["metadata"].get("labels") or {}), HASH: own}
        data = {"spec": {"template": copy.deepcopy(owner["spec"]["template"])}}
        found = world.make(
            "ControllerRevision", owner, name, {"labels": labels}, data=data, revision=highest + 1
        )
    elif found["revision"] <= highest:
        metadata = dict(found["metadata"])
        revised = {**found, "metadata": metadata, "revision": highest + 1}
        found = world.store.put(world.key(found), revised)
    return found


def sync(world: World, thing: Object) -> None:
    """One step of a StatefulSet's controller."""
    if not world.sees(thing):
        return
    update = revise(world, thing)["metadata"]["name"]
    status = thing.get("status") or {}
    current = status.get("currentRevision") or update
    if not _step(world, thing, current, update):
        # Nothing to make: pods of other revisions may go, one at a time, the last one first.
        _roll(world, thing, update)
    _write_status(world, thing, current, update)


def _pods(world: World, thing: Object) -> dict[int, Object]:
    prefix = f"{thing['metadata']['name']}-"
    pods = world.store.owned("pods", thing)
    return {int(pod["metadata"]["name"].removeprefix(prefix)): pod for pod in pods}


def _step(world: World, thing: Object, current: str, update: str) -> bool:
    """Makes and removes pods for the number of replicas; whether that is still under way."""
    spec, pods = thing["spec"], _pods(world, thing)
    ordered = spec["podManagementPolicy"] == "OrderedReady"
    for index in range(spec["replicas"]):
        pod = pods.get(index)
        if pod is not None and pod["status"].get("phase") in ("Failed", "Succeeded"):
            world.delete_pod(thing, pod)
            pod = None
        if pod is None:
            _make(world, thing, index, current if index < _partition(spec) else update)
            if ordered:
                return True
        elif ordered and not world.is_available(pod, thing):
            # A broken pod is waited for, of whatever revision it is: there a rollback gets stuck.
            # https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
            return True
    for index in sorted(pods, reverse=True):
        if index >= spec["replicas"]:
            world.delete_pod(thing, pods[index])
            return True
    return False


def _partition(spec: Object) -> int:
    rolling = spec["updateStrategy"].get("rollingUpdate") or {}
    return int(rolling.get("partition") or 0)


def _roll(world: World, thing: Object, update: str) -> None:
    spec = thing["spec"]
    if spec["updateStrategy"]["type"] != "RollingUpdate":
        return
    for index, pod in sorted(_pods(world, thing).items(), reverse=True):
        if index < _partition(spec):
            return
        if pod["metadata"]["labels"][HASH] != update:
            world.delete_pod(thing, pod)
            return
        if not world.is_available(pod, thing):
            return


def _make(world: World, thing: Object, index: int, revision: str) -> None:
    namespace, name = thing["metadata"]["namespace"], f"{thing['metadata']['name']}-{index}"
    key = Key("controllerrevisions", namespace, revision)
    template = copy.deepcopy(world.store.read(key)["data"]["spec"]["template"])
    for claim in thing["spec"].get("volumeClaimTemplates") or []:
        _claim(world, thing, claim, name)
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
    world.make_pod(thing, name, template, **labels)


def _claim(world: World, thing: Object, claim: Object, pod: str) -> None:
    """The claim of a pod, which stays when the pod and its StatefulSet go."""
    name = f"{claim['metadata']['name']}-{pod}"
    if Key("persistentvolumeclaims", thing["metadata"]["namespace"], name) in world.store.objects:
        return
    labels = dict(claim["metadata"].get("labels") or {})
    metadata = {"labels": labels, "ownerReferences": []}
    spec = copy.deepcopy(claim["spec"])
    world.make("PersistentVolumeClaim", thing, name, metadata, spec=spec)


def _write_status(world: World, thing: Object, current: str, update: str) -> None:
    pods, wanted = list(_pods(world, thing).values()), thing["spec"]["replicas"]
    revisions = [pod["metadata"]["labels"][HASH] for pod in pods]
    ready = sum(world.is_ready(pod) for pod in pods)
    available = sum(world.is_available(pod, thing) for pod in pods)
    if revisions.count(update) == len(pods) == ready == wanted:
        current = update
    status = {
        "observedGeneration": thing["metadata"]["generation"],
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
    world.set_status(thing, status)
