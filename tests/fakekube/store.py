"""The objects of the fake, and the rules of reading and writing them."""

from __future__ import annotations

import copy
import time
import uuid
from typing import Any

from tests.fakekube.apply import merge
from tests.fakekube.resources import BY_PLURAL, RESOURCES, Resource

Object = dict[str, Any]
Key = tuple[str, str, str]
"""Plural, namespace, name."""


class ApiError(Exception):
    """An answer other than success."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code, self.reason = code, reason


class Store:
    """All objects; `applied` remembers what each manager applied last."""

    def __init__(self) -> None:
        self.objects: dict[Key, Object] = {}
        self.applied: dict[tuple[Key, str], Object] = {}
        self.version = 100

    def read(self, key: Key) -> Object:
        if key not in self.objects:
            raise ApiError(404, "NotFound", f'{key[0]} "{key[2]}" not found')
        return self.objects[key]

    def select(
        self, plural: str, namespace: str, labels: str = "", fields: str = ""
    ) -> list[Object]:
        found = [
            thing
            for (kind, place, _), thing in sorted(self.objects.items())
            if kind == plural and namespace in ("", place)
        ]
        for part in filter(None, labels.split(",")):
            name, _, value = part.replace("==", "=").partition("=")
            found = [t for t in found if t["metadata"].get("labels", {}).get(name) == value]
        for part in filter(None, fields.split(",")):
            route, _, value = part.partition("=")
            found = [t for t in found if _at(t, route) == value]
        return found

    def create(self, key: Key, thing: Object, dry_run: bool = False) -> Object:
        if key in self.objects:
            raise ApiError(409, "AlreadyExists", f'{key[0]} "{key[2]}" already exists')
        self._check(thing)
        if key[1] and key[0] != "namespaces" and not dry_run and key[1] != "default":
            self.read(("namespaces", "", key[1]))
        return self._put(key, thing, None, dry_run)

    def replace(self, key: Key, thing: Object) -> Object:
        live = self.read(key)
        wanted = thing["metadata"].get("resourceVersion")
        if wanted and wanted != live["metadata"]["resourceVersion"]:
            raise ApiError(
                409, "Conflict", f'Operation cannot be fulfilled on {key[0]} "{key[2]}": the object '
                "has been modified; please apply your changes to the latest version and try again",
            )  # fmt: skip
        return self._put(key, thing, live, dry_run=False)

    def apply(self, key: Key, wanted: Object, manager: str, dry_run: bool) -> Object:
        live = self.objects.get(key)
        if live is None:
            made = self.create(key, wanted, dry_run)
        else:
            body = {k: v for k, v in live.items() if k != "status"}
            merged = merge(body, self.applied.get((key, manager)), wanted)
            self._check(merged)
            made = self._put(key, {**merged, "status": live.get("status", {})}, live, dry_run)
        if not dry_run:
            self.applied[key, manager] = copy.deepcopy(wanted)
        return made

    def delete(self, key: Key) -> Object:
        thing = self.read(key)
        del self.objects[key]
        self.applied = {k: v for k, v in self.applied.items() if k[0] != key}
        uid = thing["metadata"]["uid"]
        for other in [
            other
            for other, each in self.objects.items()
            if (key[0] == "namespaces" and other[1] == key[2])
            or any(o["uid"] == uid for o in each["metadata"].get("ownerReferences", []))
        ]:
            if other in self.objects:
                self.delete(other)
        return thing

    def _put(self, key: Key, thing: Object, live: Object | None, dry_run: bool) -> Object:
        resource = BY_PLURAL[key[0]]
        made = copy.deepcopy(thing)
        made.setdefault("apiVersion", resource.api_version)
        made.setdefault("kind", resource.kind)
        metadata = made.setdefault("metadata", {})
        old = live["metadata"] if live else {}
        metadata.update(name=key[2], uid=old.get("uid") or str(uuid.uuid4()))
        if resource.namespaced:
            metadata["namespace"] = key[1]
        metadata["creationTimestamp"] = old.get("creationTimestamp") or now()
        same = live is not None and {
            k: v for k, v in live.items() if k not in ("metadata", "status")
        } == {k: v for k, v in made.items() if k not in ("metadata", "status")}
        metadata["generation"] = old.get("generation", 0) + (0 if same else 1)
        if not dry_run:
            self.version += 1
            self.objects[key] = made
        metadata["resourceVersion"] = str(self.version)
        return made

    @staticmethod
    def _check(thing: Object) -> None:
        """422 for what a test wants to be refused, and for a workload without a selector."""
        reason = thing["metadata"].get("annotations", {}).get("test/reject")
        if thing.get("kind") in ("Deployment", "StatefulSet") and not thing["spec"].get("selector"):
            reason = "spec.selector: Required value"
        if reason:
            name = thing["metadata"]["name"]
            raise ApiError(422, "Invalid", f'{thing["kind"]} "{name}" is invalid: {reason}')


def resource_of(thing: Object) -> Resource:
    """The resource of an object, by its kind."""
    return next(r for r in RESOURCES if r.kind == thing["kind"])


def now(at: float | None = None) -> str:
    """A time as the API writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def _at(thing: Any, route: str) -> Any:
    for part in route.split("."):
        thing = thing.get(part, {}) if isinstance(thing, dict) else {}
    return thing
