"""The fields of an object as sets of paths in the notation of `managedFields`.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

Path = tuple[str, ...]
Tree = dict[str, Any]
"""fieldsV1: `f:name` is a field, `k:{...}` an item of a list by its keys, `.` the item itself."""

LIST_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "conditions": ("type",),
    "ownerReferences": ("uid",),
}
"""Lists whose items are merged; every other list is one value."""

ATOMIC = frozenset(
    [
        "selector",
        "podSelector",
        "namespaceSelector",
        "labelSelector",
        "nodeSelector",
        "secretKeyRef",
        "configMapKeyRef",
        "fieldRef",
        "resourceFieldRef",
        "scaleTargetRef",
    ]
)
"""Maps that are one value."""

_UNMANAGED = (
    ("f:apiVersion",),
    ("f:kind",),
    ("f:status",),
    *(
        ("f:metadata", f"f:{name}")
        for name in [
            "name",
            "namespace",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "managedFields",
            "deletionTimestamp",
            "selfLink",
        ]
    ),
)


def list_keys(field: str, value: Any) -> tuple[str, ...]:
    """The keys by which the items of a list are merged; empty if the list is one value."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return ()
    if field == "ports":
        if all("containerPort" in item for item in value):
            return ("containerPort", "protocol")
        return ("port", "protocol") if all("port" in item for item in value) else ()
    keys = LIST_KEYS.get(field, ())
    return keys if all(key in item for item in value for key in keys) else ()


def item_key(keys: Iterable[str], item: dict[str, Any]) -> str:
    """The name of an item in a field set."""
    defaults = {"protocol": "TCP"}
    named = {key: item.get(key, defaults.get(key)) for key in sorted(keys)}
    return "k:" + json.dumps(named, separators=(",", ":"))


def paths(value: Any, field: str = "", at: Path = ()) -> Iterator[Path]:
    """The paths of an object's fields, without unmanaged ones."""
    if at in _UNMANAGED:
        return
    if isinstance(value, dict) and value and field not in ATOMIC:
        for key, child in value.items():
            yield from paths(child, key, (*at, f"f:{key}"))
    elif keys := list_keys(field, value):
        for item in value:
            here = (*at, item_key(keys, item))
            yield (*here, ".")
            for key, child in item.items():
                yield from paths(child, key, (*here, f"f:{key}"))
    elif at:
        yield at


def leaves(value: Any) -> dict[Path, Any]:
    """The values of an object's fields by path; an item of a list has the value None."""
    return {path: look(value, path) for path in paths(value)}


def look(value: Any, path: Path) -> Any:
    """The value at a path, or None."""
    field = ""
    for step in path:
        if step == ".":
            return None
        if step.startswith("f:") and isinstance(value, dict):
            field = step[2:]
            value = value.get(field)
        elif isinstance(value, list):
            keys = list_keys(field, value)
            value = next((item for item in value if item_key(keys, item) == step), None)
        else:
            return None
    return value


def to_tree(owned: Iterable[Path]) -> Tree:
    """fieldsV1 of a set of paths."""
    tree: Tree = {}
    for path in sorted(owned):
        here = tree
        for step in path:
            here = here.setdefault(step, {})
    return tree


def from_tree(tree: Tree, at: Path = ()) -> Iterator[Path]:
    """The set of paths in fieldsV1."""
    for step, below in tree.items():
        here = (*at, step)
        if below:
            yield from from_tree(below, here)
        else:
            yield here


def show(path: Path) -> str:
    """A path in the notation of messages."""
    steps = []
    for step in path:
        if step.startswith("f:"):
            steps.append(f".{step[2:]}")
        elif step.startswith("k:"):
            pairs = json.loads(step[2:]).items()
            steps.append("[" + ",".join(f"{k}={json.dumps(v)}" for k, v in pairs) + "]")
    return "".join(steps)


def merge(live: Any, wanted: Any, field: str = "") -> Any:
    """`wanted` merged into `live`: maps and keyed lists are merged, other values replaced."""
    if isinstance(live, dict) and isinstance(wanted, dict) and field not in ATOMIC:
        return {**live, **{key: merge(live.get(key), v, key) for key, v in wanted.items()}}
    keys = list_keys(field, wanted)
    if keys and list_keys(field, live):
        before = {item_key(keys, item): item for item in live}
        after = {item_key(keys, item): item for item in wanted}
        return [
            *(merge(before.get(name, {}), item) for name, item in after.items()),
            *(item for name, item in before.items() if name not in after),
        ]
    return wanted


def prune(value: Any, tree: Tree, field: str = "") -> Any:
    """`value` without the fields of `tree`; None if nothing is left."""
    if isinstance(value, dict):
        kept = {}
        for key, child in value.items():
            below = tree.get(f"f:{key}")
            if below is None:
                kept[key] = child
            elif below and (rest := prune(child, below, key)) is not None:
                kept[key] = rest
        return kept or None
    if keys := list_keys(field, value):
        items = []
        for item in value:
            below = tree.get(item_key(keys, item))
            if below is None:
                items.append(item)
            elif "." not in below and (rest := prune(item, below)) is not None:
                items.append(rest)
        return items or None
    return value
