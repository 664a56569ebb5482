"""The objects of the fake cluster, and nothing of the rules for writing them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

from tests.kube_api import selectors
from tests.kube_api.errors import not_found
from tests.kube_api.resources import BY_PLURAL, Key, Object


def stamp(at: float) -> str:
    """A time (seconds since the epoch) as the API writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


class Store:
    """All objects by key. An object in it is never changed, only replaced by another one."""

    def __init__(self) -> None:
        self.objects: dict[Key, Object] = {}
        self.version = 100
        self.time = time.time()
        """The cluster's time: that of the request, or of what controllers do since the last."""
        self.born: dict[str, float] = {}
        """When an object was made, by its uid; exact, as timestamps are not."""
        self.changed: dict[str, float] = {}
        """When an object's generation rose, by its uid."""

    def read(self, key: Key) -> Object:
        """An object. Raises 404."""
        if key not in self.objects:
            raise not_found(BY_PLURAL[key.plural], key.name)
        return self.objects[key]

    def select(
        self, plural: str, namespace: str = "", labels: str = "", fields: str = ""
    ) -> list[Object]:
        """Objects in a namespace (of all, where it is empty), by name."""
        return [
            thing
            for key, thing in sorted(self.objects.items())
            if key.plural == plural
            and namespace in ("", key.namespace)
            and selectors.by_labels(labels, thing["metadata"].get("labels") or {})
            and selectors.by_fields(fields, thing)
        ]

    def owned(self, plural: str, owner: Object) -> list[Object]:
        """Objects that an object owns, the oldest first."""
        uid, namespace = owner["metadata"]["uid"], owner["metadata"].get("namespace", "")
        found = [
            thing
            for key, thing in self.objects.items()
            if key.plural == plural
            and namespace in ("", key.namespace)
            and any(o["uid"] == uid for o in thing["metadata"].get("ownerReferences") or [])
        ]
        return sorted(found, key=lambda thing: self.born[thing["metadata"]["uid"]])

    def put(self, key: Key, thing: Object) -> Object:
        """Stores an object as a new version of what is there."""
        self.version += 1
        metadata = thing["metadata"]
        uid = metadata.setdefault("uid", str(uuid.uuid4()))
        self.born.setdefault(uid, self.time)
        metadata["resourceVersion"] = str(self.version)
        live = self.objects.get(key)
        before = live["metadata"].get("generation") if live else None
        if metadata.get("generation") != before:
            self.changed[uid] = self.time
        self.objects[key] = thing
        return thing

    def remove(self, key: Key, orphan: bool = False) -> None:
        """Removes an object at once, with what it owns, or with what is in the namespace."""
        thing = self.objects.pop(key, None)
        if thing is None:
            return
        self.version += 1
        for other in list(self._below(key, thing)):
            if not orphan:
                self.remove(other)
                continue
            left = self.objects[other]
            uid = thing["metadata"]["uid"]
            owners = [o for o in left["metadata"]["ownerReferences"] if o["uid"] != uid]
            self.put(other, {**left, "metadata": {**left["metadata"], "ownerReferences": owners}})

    def _below(self, key: Key, thing: Object) -> Iterator[Key]:
        uid = thing["metadata"]["uid"]
        for other, each in self.objects.items():
            owners = each["metadata"].get("ownerReferences") or []
            inside = key.plural == "namespaces" and other.namespace == key.name
            if inside or any(owner["uid"] == uid for owner in owners):
                yield other
