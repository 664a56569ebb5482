"""What the controllers share: the store, the cluster's time, and when they must look again."""

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
    """What the kubelet remembers of a pod; times are seconds since the epoch."""

    born: float
    scheduled: float | None = None
    begun: float | None = None
    """When all that its containers need was there."""
    ready_since: float | None = None
    turned: float | None = None
    """When it last became ready or ceased to be."""


@dataclass
class World:
    """A cluster from within. `time_scale` is how long a second of a manifest takes, in seconds;
    `lag` how long controllers take to see a change, in seconds.
    """

    store: Store
    behaviours: Behaviours
    time_scale: float
    lag: float
    runs: dict[str, Run] = field(default_factory=dict)
    """By the pod's uid."""
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What a controller remembers of an object, by its uid."""
    wakes: float = math.inf
    _told: set[tuple[str, str, str]] = field(default_factory=set)

    @property
    def time(self) -> float:
        """The cluster's time, in seconds since the epoch."""
        return self.store.time

    def wake(self, at: float) -> None:
        """Controllers must look again then."""
        if at > self.time:
            self.wakes = min(self.wakes, at)

    def sees(self, thing: Object) -> bool:
        """Whether the last change of an object has come to its controller."""
        due = self.store.changed.get(thing["metadata"]["uid"], 0.0) + self.lag
        if self.time < due:
            self.wake(due)
        return self.time >= due

    @staticmethod
    def key(thing: Object) -> Key:
        """Where an object is."""
        return key_of(thing)

    def note(self, thing: Object) -> dict[str, Any]:
        """What its controller remembers of an object."""
        return self.notes.setdefault(thing["metadata"]["uid"], {})

    def set_status(self, thing: Object, status: Object) -> Object:
        """Writes a status where it is another one."""
        if thing.get("status") == status:
            return thing
        changed = {**thing, "metadata": dict(thing["metadata"]), "status": status}
        return self.store.put(self.key(thing), changed)

    def set_spec(self, thing: Object, **values: Any) -> Object:
        """Writes fields of a spec where they have other values."""
        if all(thing["spec"].get(name) == value for name, value in values.items()):
            return thing
        metadata = {**thing["metadata"], "generation": thing["metadata"]["generation"] + 1}
        changed = {**thing, "metadata": metadata, "spec": {**thing["spec"], **values}}
        return self.store.put(self.key(thing), changed)

    def annotate(self, thing: Object, name: str, value: str) -> Object:
        """Writes an annotation where it has another value."""
        annotations = thing["metadata"].get("annotations") or {}
        if annotations.get(name) == value:
            return thing
        metadata = {**thing["metadata"], "annotations": {**annotations, name: value}}
        return self.store.put(self.key(thing), {**thing, "metadata": metadata})

    def make(self, kind: str, owner: Object, name: str, metadata: Object, **body: Any) -> Object:
        """A new object that another one owns."""
        resource, namespace = BY_KIND[kind], owner["metadata"]["namespace"]
        key = Key(resource.plural, namespace, name)
        thing = {
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
        defaults.fill(thing, key, "")
        return self.store.put(key, thing)

    def make_pod(self, owner: Object, name: str, template: Object, **labels: str) -> Object:
        """A pod of a template."""
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
        """Records an event, once: objects are looked at again and again."""
        metadata = about["metadata"]
        told = (metadata["uid"], reason, message)
        if told in self._told:
            return
        self._told.add(told)
        name = f"{metadata['name']}.{digest(told)}"
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
    """A short name for a value, as pods and revisions have it."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def counts(**numbers: int) -> Object:
    """Numbers of a status; the API leaves out those that are zero."""
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
