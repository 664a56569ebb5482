"""What controllers and kubelets would do by now: run at each request, from the clock alone."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

from tests.fakekube.store import Object, Store, now

READY_AFTER = 0.2
"""Seconds until a container is ready, unless its image behaves otherwise."""

Behaviour = dict[str, dict[str, Any]]
"""Part of an image's reference, and what becomes of its containers: pull_error, never_ready,
crash_loop, crash_after (seconds), unschedulable, job_fails, http (path to status)."""


class Controller:
    """Brings pods about and writes statuses."""

    def __init__(self, store: Store, behaviour: Behaviour) -> None:
        self.store = store
        self.behaviour = behaviour
        self.born: dict[str, float] = {}

    def tick(self) -> None:
        """All that happened since the last request."""
        for (plural, _, _), thing in list(self.store.objects.items()):
            if plural == "deployments":
                self._deployment(thing)
            elif plural == "statefulsets":
                self._stateful_set(thing)
            elif plural == "daemonsets":
                self._daemon_set(thing)
            elif plural == "jobs":
                self._job(thing)
        for (plural, _, _), thing in list(self.store.objects.items()):
            if plural == "pods":
                self._pod(thing)

    def behaves(self, image: str) -> dict[str, Any]:
        """What becomes of an image."""
        return next((how for part, how in self.behaviour.items() if part in image), {})

    def _deployment(self, thing: Object) -> None:
        place, name = thing["metadata"]["namespace"], thing["metadata"]["name"]
        template = thing["spec"]["template"]
        own = f"{name}-{_hash(template)}"
        sets = [s for s in self.store.select("replicasets", place) if _owned(s, thing)]
        latest = max((int(s["metadata"]["annotations"][REVISION]) for s in sets), default=0)
        current = next((s for s in sets if s["metadata"]["name"] == own), None)
        if current is None:
            labels = {**template["metadata"]["labels"], "pod-template-hash": _hash(template)}
            current = self._make("replicasets", place, own, thing, labels, spec=thing["spec"])
            current["metadata"]["annotations"] = {REVISION: str(latest + 1)}
        elif int(current["metadata"]["annotations"][REVISION]) < latest:
            current["metadata"]["annotations"][REVISION] = str(latest + 1)
        revision = current["metadata"]["annotations"][REVISION]
        thing["metadata"].setdefault("annotations", {})[REVISION] = revision
        wanted = thing["spec"].get("replicas", 1)
        mine = self._pods(place, current)
        for index in range(len(mine), wanted):
            labels = current["metadata"]["labels"]
            self._make_pod(
                place, f"{own}-{_hash([index, time.time()])[:5]}", current, labels, template
            )
        mine = self._pods(place, current)
        for pod in mine[wanted:]:
            self._remove(pod)
        ready = sum(_is_ready(pod) for pod in mine[:wanted])
        if ready >= wanted:
            for other in sets:
                if other is not current:
                    for pod in self._pods(place, other):
                        self._remove(pod)
        old = sum(len(self._pods(place, s)) for s in sets if s is not current)
        age = time.time() - min(
            (self.born[p["metadata"]["uid"]] for p in mine), default=time.time()
        )
        late = ready < wanted and age > thing["spec"].get("progressDeadlineSeconds", 600)
        thing["status"] = {
            "observedGeneration": thing["metadata"]["generation"],
            "replicas": len(mine) + old,
            "updatedReplicas": len(mine),
            "readyReplicas": ready + old,
            "availableReplicas": ready + old,
            "conditions": [
                _condition("Available", ready + old >= wanted, "MinimumReplicasAvailable"),
                _condition(
                    "Progressing",
                    not late,
                    "ProgressDeadlineExceeded" if late else "NewReplicaSetAvailable",
                ),
            ],
        }

    def _stateful_set(self, thing: Object) -> None:
        place, name = thing["metadata"]["namespace"], thing["metadata"]["name"]
        template = thing["spec"]["template"]
        revision = f"{name}-{_hash(template)}"
        pods = {p["metadata"]["name"]: p for p in self._pods(place, thing)}
        wanted = thing["spec"].get("replicas", 1)
        labels = {**template["metadata"]["labels"], "controller-revision-hash": revision}
        for index in range(wanted):
            pod = pods.get(f"{name}-{index}")
            # A broken pod of another revision is waited for: that is where a rollback gets stuck.
            if (
                pod
                and pod["metadata"]["labels"]["controller-revision-hash"] != revision
                and _is_ready(pod)
            ):
                self._remove(pod)
                pod = None
            if pod is None:
                self._make_pod(place, f"{name}-{index}", thing, labels, template)
        pods = {p["metadata"]["name"]: p for p in self._pods(place, thing)}
        new = [
            p
            for p in pods.values()
            if p["metadata"]["labels"]["controller-revision-hash"] == revision
        ]
        ready = sum(_is_ready(pod) for pod in pods.values())
        thing["status"] = {
            "observedGeneration": thing["metadata"]["generation"],
            "replicas": len(pods),
            "updatedReplicas": len(new),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "updateRevision": revision,
        }

    def _daemon_set(self, thing: Object) -> None:
        place, name = thing["metadata"]["namespace"], thing["metadata"]["name"]
        template = thing["spec"]["template"]
        revision = _hash(template)
        labels = {**template["metadata"]["labels"], "controller-revision-hash": revision}
        known = [c for c in self.store.select("controllerrevisions", place) if _owned(c, thing)]
        newest = max((c["revision"] for c in known), default=0)
        if not any(c["metadata"]["name"] == f"{name}-{revision}" for c in known):
            made = self._make("controllerrevisions", place, f"{name}-{revision}", thing, labels)
            made["revision"] = newest + 1
        pods = self._pods(place, thing)
        for pod in pods:
            if pod["metadata"]["labels"]["controller-revision-hash"] != revision:
                self._remove(pod)
        if not self._pods(place, thing):
            self._make_pod(place, f"{name}-{revision[:5]}", thing, labels, template)
        ready = sum(_is_ready(pod) for pod in self._pods(place, thing))
        thing["status"] = {
            "observedGeneration": thing["metadata"]["generation"],
            "desiredNumberScheduled": 1,
            "updatedNumberScheduled": 1,
            "numberAvailable": ready,
            "numberReady": ready,
        }

    def _job(self, thing: Object) -> None:
        place, name = thing["metadata"]["namespace"], thing["metadata"]["name"]
        template = thing["spec"]["template"]
        if not self._pods(place, thing):
            labels = {**template["metadata"].get("labels", {}), "job-name": name}
            self._make_pod(place, f"{name}-{_hash(template)[:5]}", thing, labels, template)
        fails = self.behaves(template["spec"]["containers"][0]["image"]).get("job_fails")
        thing["status"] = {
            "conditions": [_condition("Failed" if fails else "Complete", True, "Done")]
        }

    def _pod(self, pod: Object) -> None:
        age = time.time() - self.born[pod["metadata"]["uid"]]
        hows = [self.behaves(c["image"]) for c in pod["spec"]["containers"]]
        statuses = [
            _container(c, how, age) for c, how in zip(pod["spec"]["containers"], hows, strict=True)
        ]
        unschedulable = any(how.get("unschedulable") for how in hows)
        ready = all(s["ready"] for s in statuses) and not unschedulable
        pod["status"] = {
            "phase": "Pending" if unschedulable else "Running",
            "podIP": "10.0.0.1",
            "containerStatuses": [] if unschedulable else statuses,
            "conditions": [
                _condition(
                    "PodScheduled", not unschedulable, "Unschedulable" if unschedulable else ""
                ),
                _condition("Ready", ready, ""),
            ],
        }

    def _pods(self, place: str, owner: Object) -> list[Object]:
        return [pod for pod in self.store.select("pods", place) if _owned(pod, owner)]

    def _make(
        self, plural: str, place: str, name: str, owner: Object, labels: dict[str, str], **more: Any
    ) -> Object:
        reference = {
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
        }
        metadata = {"name": name, "labels": labels, "ownerReferences": [reference]}
        self.store.create((plural, place, name), {"metadata": metadata, **more})
        return self.store.objects[plural, place, name]

    def _make_pod(
        self, place: str, name: str, owner: Object, labels: dict[str, str], template: Object
    ) -> None:
        pod = self._make("pods", place, name, owner, labels, spec=template["spec"])
        self.born[pod["metadata"]["uid"]] = time.time()
        self._pod(pod)

    def _remove(self, pod: Object) -> None:
        self.store.delete(("pods", pod["metadata"]["namespace"], pod["metadata"]["name"]))


REVISION = "deployment.kubernetes.io/revision"


def _container(container: Object, how: dict[str, Any], age: float) -> Object:
    """The status of a container whose pod is `age` seconds old."""
    state: Object = {"running": {"startedAt": now()}}
    restarts, last = 0, {}
    if how.get("pull_error"):
        reason = "ErrImagePull" if age < 1 else "ImagePullBackOff"
        state = {"waiting": {"reason": reason, "message": "not found"}}
    elif how.get("crash_loop") or age > how.get("crash_after", float("inf")):
        crashing = age - how.get("crash_after", 0)
        restarts = 1 + int(crashing / 0.5)
        state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
        last = {"terminated": {"exitCode": 1, "reason": "Error"}}
    ready = "running" in state and age >= READY_AFTER and not how.get("never_ready")
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": f"fake://{container['image']}",
        "ready": ready,
        "restartCount": restarts,
        "state": state,
        "lastState": last,
    }


def _condition(kind: str, true: bool, reason: str) -> Object:
    return {"type": kind, "status": "True" if true else "False", "reason": reason}


def _is_ready(pod: Object) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"]["conditions"])


def _owned(thing: Object, owner: Object) -> bool:
    uid = owner["metadata"]["uid"]
    return any(o["uid"] == uid for o in thing["metadata"].get("ownerReferences", []))


def _hash(template: Any) -> str:
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]
