"""State that controllers share: the store, the cluster's time, and when they must run next."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import Any

from tests.kube_api import defaults
from tests.kube_api.behaviour import Behaviours
from tests.kube_api.resources import BY_KIND, Key, Object, key_of
from tests.kube_api.store import Store, stamp


@dataclass
class Run:
    """State of the kubelet per pod; times are in seconds since the epoch."""

    born: float
    scheduled: float | None = None
    begun: float | None = None
    """When everything that its containers need existed."""
    ready_since: float | None = None
    turned: float | None = None
    """When it last became ready or stopped being ready."""


@dataclass
class World:
    """The state of a cluster. `time_scale` is the real seconds per second of a manifest, `lag` the
    seconds until controllers see a change.
    """

    store: Store
    behaviours: Behaviours
    time_scale: float
    lag: float
    runs: dict[str, Run] = field(default_factory=dict)
    """By the pod's uid."""
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """State of controllers per object, by its uid."""
    wakes: float = math.inf
    _recorded: set[tuple[str, str, str]] = field(default_factory=set)

    @property
    def time(self) -> float:
        """The cluster's time, in seconds since the epoch."""
        return self.store.time

    def wake(self, at: float) -> None:
        """Makes the controllers run at a time."""
        if at > self.time:
            self.wakes = min(self.wakes, at)

    def sees(self, obj: Object) -> bool:
        """Whether its controller sees the last change of an object."""
        due = self.store.changed.get(obj["metadata"]["uid"], 0.0) + self.lag
        if self.time < due:
            self.wake(due)
        return self.time >= due

    @staticmethod
    def key(obj: Object) -> Key:
        """The key of an object."""
        return key_of(obj)

    def note(self, obj: Object) -> dict[str, Any]:
        """State of the controller of an object."""
        return self.notes.setdefault(obj["metadata"]["uid"], {})

    def set_status(self, obj: Object, status: Object) -> Object:
        """Writes a status if it differs."""
        if obj.get("status") == status:
            return obj
        changed = {**obj, "metadata": dict(obj["metadata"]), "status": status}
        return self.store.put(self.key(obj), changed)

    def set_spec(self, obj: Object, **values: Any) -> Object:
        """Writes fields of a spec if they differ."""
        if all(obj["spec"].get(name) == value for name, value in values.items()):
            return obj
        metadata = {**obj["metadata"], "generation": obj["metadata"]["generation"] + 1}
        changed = {**obj, "metadata": metadata, "spec": {**obj["spec"], **values}}
        return self.store.put(self.key(obj), changed)

    def annotate(self, obj: Object, name: str, value: str) -> Object:
        """Writes an annotation if it differs."""
        annotations = obj["metadata"].get("annotations") or {}
        if annotations.get(name) == value:
            return obj
        metadata = {**obj["metadata"], "annotations": {**annotations, name: value}}
        return self.store.put(self.key(obj), {**obj, "metadata": metadata})

    def make(self, kind: str, owner: Object, name: str, metadata: Object, **body: Any) -> Object:
        """Creates an object that another one owns."""
        resource, namespace = BY_KIND[kind], owner["metadata"]["namespace"]
        key = Key(resource.plural, namespace, name)
        obj = {
            "apiVersion": resource.api_version,
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": namespace,
                "creationTimestamp": stamp(self.time),
                "ownerReferences": [
                    {
                        "apiVersion": owner["apiVersion"],
                        "kind": owner["kind"],
                        "name": owner["metadata"]["name"],
                        "uid": owner["metadata"]["uid"],
                        "controller": True,
                        "blockOwnerDeletion": True,
                    }
                ],
                **metadata,
                **({"generation": 1} if resource.counts else {}),
            },
            **body,
        }
        defaults.fill(obj, key, "")
        return self.store.put(key, obj)

    def make_pod(self, owner: Object, name: str, template: Object, **labels: str) -> Object:
        """Creates a pod from a template."""
        given = template.get("metadata") or {}
        metadata: Object = {"labels": {**(given.get("labels") or {}), **labels}}
        if given.get("annotations"):
            metadata["annotations"] = dict(given["annotations"])
        spec = json.loads(json.dumps(template["spec"]))
        pod = self.make("Pod", owner, name, metadata, spec=spec, status={"phase": "Pending"})
        self.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {name}")
        return pod

    def delete_pod(self, owner: Object, pod: Object) -> None:
        """Deletes a pod."""
        self.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
        self.store.remove(self.key(pod))

    def event(self, about: Object, kind: str, reason: str, message: str) -> None:
        """Records an event once: controllers run repeatedly."""
        metadata = about["metadata"]
        identity = (metadata["uid"], reason, message)
        if identity in self._recorded:
            return
        self._recorded.add(identity)
        name = f"{metadata['name']}.{digest(identity)}"
        key = Key("events", metadata["namespace"], name)
        self.store.put(
            key,
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {
                    "name": name,
                    "namespace": metadata["namespace"],
                    "creationTimestamp": stamp(self.time),
                },
                "involvedObject": {
                    "apiVersion": about["apiVersion"],
                    "kind": about["kind"],
                    "name": metadata["name"],
                    "namespace": metadata["namespace"],
                    "uid": metadata["uid"],
                },
                "type": kind,
                "reason": reason,
                "message": message,
                "count": 1,
                "firstTimestamp": stamp(self.time),
                "lastTimestamp": stamp(self.time),
                "source": {"component": "fake"},
            },
        )

    def is_ready(self, pod: Object) -> bool:
        """Whether a pod is ready."""
        run = self.runs.get(pod["metadata"]["uid"])
        return run is not None and run.ready_since is not None

    def is_available(self, pod: Object, workload: Object) -> bool:
        """Whether a pod has been ready for the workload's `minReadySeconds`."""
        run = self.runs.get(pod["metadata"]["uid"])
        if run is None or run.ready_since is None:
            return False
        due = run.ready_since + workload["spec"].get("minReadySeconds", 0) * self.time_scale
        self.wake(due)
        return bool(self.time >= due)


def digest(value: Any) -> str:
    """A short hash of a value, for names of pods and revisions."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def counts(**numbers: int) -> Object:
    """Numbers of a status; the API omits zeros."""
    return {name: number for name, number in numbers.items() if number}


def condition(kind: str, true: bool, reason: str, message: str, at: float) -> Object:
    """A condition of a status."""
    return {
        "type": kind,
        "status": "True" if true else "False",
        "reason": reason,
        "message": message,
        "lastUpdateTime": stamp(at),
        "lastTransitionTime": stamp(at),
    }
