"""The ConfigMaps and Secrets that a pod needs to start."""

from __future__ import annotations

from tests.kube_api.resources import Key, Object
from tests.kube_api.store import Store

_KINDS = {"secret": ("secrets", "Secret"), "configmap": ("configmaps", "ConfigMap")}


def missing(store: Store, pod: Object) -> tuple[list[str], dict[str, str]]:
    """Which volumes cannot be mounted, and why which containers cannot be created.

    Messages are as the kubelet words them.
    """
    namespace, spec = pod["metadata"]["namespace"], pod["spec"]
    volumes = []
    for volume in spec.get("volumes") or []:
        sources = [volume, *((volume.get("projected") or {}).get("sources") or [])]
        for source in sources:
            for field, what, name in (
                ("secret", "secret", "secretName"),
                ("configMap",) * 2 + ("name",),
            ):
                given = source.get(field) or {}
                wanted = given.get(name) or given.get("name")
                why = _lacks(store, namespace, what.lower(), wanted, "", given.get("optional"))
                if why:
                    volumes.append(f'"{volume["name"]}" : {why}')
    containers = {}
    for container in spec["containers"]:
        why = _container(store, namespace, container)
        if why:
            containers[container["name"]] = why
    return volumes, containers


def _container(store: Store, namespace: str, container: Object) -> str:
    for source in container.get("envFrom") or []:
        for field, what in (("secretRef", "secret"), ("configMapRef", "configmap")):
            given = source.get(field) or {}
            why = _lacks(store, namespace, what, given.get("name"), "", given.get("optional"))
            if why:
                return why
    for variable in container.get("env") or []:
        source = variable.get("valueFrom") or {}
        for field, what in (("secretKeyRef", "secret"), ("configMapKeyRef", "configmap")):
            given = source.get(field) or {}
            key, optional = given.get("key", ""), given.get("optional")
            why = _lacks(store, namespace, what, given.get("name"), key, optional)
            if why:
                return why
    return ""


def _lacks(
    store: Store, namespace: str, what: str, name: str | None, key: str, optional: bool | None
) -> str:
    if not name or optional:
        return ""
    plural, kind = _KINDS[what]
    obj = store.objects.get(Key(plural, namespace, name))
    if obj is None:
        return f'{what} "{name}" not found'
    if key and key not in {**(obj.get("data") or {}), **(obj.get("binaryData") or {})}:
        return f"couldn't find key {key} in {kind} {namespace}/{name}"
    return ""
