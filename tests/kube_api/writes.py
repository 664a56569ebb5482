"""Creating, replacing, applying, patching and deleting, by the rules of the API server."""

from __future__ import annotations

import copy
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from tests.kube_api import defaults, managers, patches, validate
from tests.kube_api.errors import already_exists, bad_request, conflict, not_found
from tests.kube_api.managers import Manager
from tests.kube_api.resources import BY_PLURAL, Key, Object, Resource
from tests.kube_api.store import Store, stamp


@dataclass(frozen=True)
class Options:
    """Options of a write. `subresource` is "" or `status`."""

    manager: str = "unknown"
    dry_run: bool = False
    force: bool = False
    subresource: str = ""


def create(store: Store, key: Key, obj: Object, options: Options) -> Object:
    """Creates an object. Raises 409 if it exists, 404 if its namespace does not."""
    obj = _body(key, obj)
    metadata = obj["metadata"]
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"] + secrets.token_hex(3)[:5]
    key = Key(key.plural, key.namespace, metadata.get("name", ""))
    if key in store.objects:
        raise already_exists(BY_PLURAL[key.plural], key.name)
    if metadata.get("resourceVersion"):
        raise bad_request("resourceVersion should not be set on objects to be created")
    who = Manager(options.manager, "Update", set(), stamp(store.time))
    return _finish(store, key, obj, None, options, who)


def replace(store: Store, key: Key, obj: Object, options: Options) -> Object:
    """Replaces an object. Raises 409 if it is not the version that was read."""
    live = store.read(key)
    obj = _body(key, obj)
    resource, metadata = BY_PLURAL[key.plural], obj["metadata"]
    _is_current(resource, live, metadata)
    if options.subresource == "status":
        return _status(store, key, live, obj.get("status") or {}, options)
    who = Manager(options.manager, "Update", set(), stamp(store.time))
    return _finish(store, key, obj, live, options, who)


def patch(store: Store, key: Key, kind: str, body: Any, options: Options) -> Object:
    """Patches an object."""
    live = store.read(key)
    patched = patches.patch(kind, live, body)
    patched["metadata"].setdefault("name", key.name)
    return replace(store, key, patched, options)


def apply(store: Store, key: Key, wanted: Object, options: Options) -> Object:
    """Server-side apply. Raises 409 if others own changed fields, unless `options.force`."""
    if not options.manager:
        raise bad_request("PatchOptions.meta.k8s.io is invalid: fieldManager: Required value")
    wanted = _body(key, wanted)
    if wanted["metadata"].get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    resource, live = BY_PLURAL[key.plural], store.objects.get(key)
    who = Manager(options.manager, "Apply", set(), stamp(store.time))
    if live is None:
        if wanted["metadata"].get("resourceVersion"):
            raise not_found(resource, key.name)
        _, entries = managers.apply(resource, {"metadata": {}}, wanted, who, options.force)
        return _finish(store, key, wanted, None, options, entries)
    _is_current(resource, live, wanted["metadata"])
    base = {name: value for name, value in live.items() if name != "status"}
    merged, entries = managers.apply(resource, base, _normal(wanted), who, options.force)
    return _finish(store, key, copy.deepcopy(merged), live, options, entries)


def delete(store: Store, key: Key, options: Options, body: Any) -> Object:
    """Deletes an object at once: there are no finalizers or grace periods."""
    live, resource = store.read(key), BY_PLURAL[key.plural]
    asked = body if isinstance(body, dict) else {}
    for name, value in (asked.get("preconditions") or {}).items():
        if live["metadata"].get(name) != value:
            raise conflict(resource, key.name, f"Precondition failed: {name}")
    if not options.dry_run:
        store.remove(key, orphan=asked.get("propagationPolicy") == "Orphan")
    details = {"name": key.name, "kind": key.plural, "uid": live["metadata"]["uid"]}
    if resource.group:
        details["group"] = resource.group
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return {**status, "details": details}


def _body(key: Key, obj: Any) -> Object:
    resource = BY_PLURAL[key.plural]
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
        raise bad_request("the body is not a Kubernetes object")
    obj = copy.deepcopy(obj)
    if obj.get("kind", resource.kind) != resource.kind:
        raise bad_request(f"{obj['kind']} is not a {resource.kind}")
    name, namespace = obj["metadata"].get("name"), obj["metadata"].get("namespace")
    if key.name and name != key.name:
        raise bad_request(f"the name of the object ({name}) is not the one in the URL ({key.name})")
    if resource.namespaced and namespace not in (None, "", key.namespace):
        raise bad_request("the namespace of the object does not match the one in the URL")
    return {"kind": resource.kind, "apiVersion": resource.api_version, **obj}


def _is_current(resource: Resource, live: Object, metadata: Object) -> None:
    for name in ("resourceVersion", "uid"):
        if metadata.get(name) and metadata[name] != live["metadata"][name]:
            raise conflict(resource, metadata["name"])


def _normal(wanted: Object) -> Object:
    """An applied object in its stored form: a Secret's `stringData` becomes `data`."""
    if wanted["kind"] == "Secret" and wanted.get("stringData"):
        wanted = copy.deepcopy(wanted)
        defaults.fill(wanted, Key("", "", ""), "")
    return wanted


def _finish(
    store: Store,
    key: Key,
    obj: Object,
    live: Object | None,
    options: Options,
    who: Manager | list[Manager],
) -> Object:
    resource, metadata = BY_PLURAL[key.plural], obj["metadata"]
    if key.namespace and Key("namespaces", "", key.namespace) not in store.objects:
        raise not_found(BY_PLURAL["namespaces"], key.namespace)
    old = live["metadata"] if live else {}
    uid = old.get("uid") or str(uuid.uuid4())
    obj.pop("status", None)
    if live and "status" in live:
        obj["status"] = live["status"]
    defaults.fill(obj, key, uid)
    metadata.update(
        name=key.name, uid=uid, creationTimestamp=old.get("creationTimestamp") or stamp(store.time)
    )
    if resource.namespaced:
        metadata["namespace"] = key.namespace
    validate.check(resource, obj, live)
    validate.admit(obj, options.dry_run)
    entries = who if isinstance(who, list) else managers.update(live, obj, who)
    metadata["managedFields"] = managers.write(resource, entries)
    if resource.counts:
        same = live is not None and live.get("spec") == obj.get("spec")
        metadata["generation"] = old.get("generation", 0) + (0 if same else 1)
    metadata.pop("resourceVersion", None)
    if live:
        metadata["resourceVersion"] = old["resourceVersion"]
    if options.dry_run or obj == live:
        return obj
    return store.put(key, obj)


def _status(store: Store, key: Key, live: Object, status: Object, options: Options) -> Object:
    obj = {**live, "metadata": dict(live["metadata"]), "status": status}
    return obj if options.dry_run or obj == live else store.put(key, obj)
