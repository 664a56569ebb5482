"""Stores the objects of the fake cluster; `writes` has the rules for writing them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

from tests.kube_api import selectors
from tests.kube_api.errors import not_found
from tests.kube_api.resources import BY_PLURAL, Key, Object


def stamp(at: float) -> str:
    """A time, in seconds since the epoch, in the format of the API."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


class Store:
    """All objects by key. Stored objects are never changed, only replaced."""

    def __init__(self) -> None:
        self.objects: dict[Key, Object] = {}
        self.version = 100
        self.time = time.time()
        """The cluster's time: that of the request, or of the controllers' steps before it."""
        self.born: dict[str, float] = {}
        """When an object was created, by its uid; unlike timestamps, with fractions of a second."""
        self.changed: dict[str, float] = {}
        """When an object's generation increased, by its uid."""

    def read(self, key: Key) -> Object:
        """An object. Raises 404."""
        if key not in self.objects:
            raise not_found(BY_PLURAL[key.plural], key.name)
        return self.objects[key]

    def select(
        self, plural: str, namespace: str = "", labels: str = "", fields: str = ""
    ) -> list[Object]:
        """Objects in a namespace ("": in all), sorted by name."""
        return [
            obj
            for key, obj in sorted(self.objects.items())
            if key.plural == plural
            and namespace in ("", key.namespace)
            and selectors.by_labels(labels, obj["metadata"].get("labels") or {})
            and selectors.by_fields(fields, obj)
        ]

    def owned(self, plural: str, owner: Object) -> list[Object]:
        """The objects that an object owns, the oldest first."""
        uid, namespace = owner["metadata"]["uid"], owner["metadata"].get("namespace", "")
        owned = [
            obj
            for key, obj in self.objects.items()
            if key.plural == plural
            and namespace in ("", key.namespace)
            and any(o["uid"] == uid for o in obj["metadata"].get("ownerReferences") or [])
        ]
        return sorted(owned, key=lambda obj: self.born[obj["metadata"]["uid"]])

    def put(self, key: Key, obj: Object) -> Object:
        """Stores an object as a new version."""
        self.version += 1
        metadata = obj["metadata"]
        uid = metadata.setdefault("uid", str(uuid.uuid4()))
        self.born.setdefault(uid, self.time)
        metadata["resourceVersion"] = str(self.version)
        live = self.objects.get(key)
        before = live["metadata"].get("generation") if live else None
        if metadata.get("generation") != before:
            self.changed[uid] = self.time
        self.objects[key] = obj
        return obj

    def remove(self, key: Key, orphan: bool = False) -> None:
        """Deletes an object at once, with the objects that it owns or, as a namespace, contains."""
        obj = self.objects.pop(key, None)
        if obj is None:
            return
        self.version += 1
        for other in list(self._below(key, obj)):
            if not orphan:
                self.remove(other)
                continue
            left = self.objects[other]
            uid = obj["metadata"]["uid"]
            owners = [o for o in left["metadata"]["ownerReferences"] if o["uid"] != uid]
            self.put(other, {**left, "metadata": {**left["metadata"], "ownerReferences": owners}})

    def _below(self, key: Key, obj: Object) -> Iterator[Key]:
        uid = obj["metadata"]["uid"]
        for other, obj in self.objects.items():
            owners = obj["metadata"].get("ownerReferences") or []
            inside = key.plural == "namespaces" and other.namespace == key.name
            if inside or any(owner["uid"] == uid for owner in owners):
                yield other
