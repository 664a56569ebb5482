"""Server-side apply, simplified: a field that a manager applied and leaves out now is removed.

https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

import copy
from typing import Any

LIST_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "imagePullSecrets": "name",
}


def merge(live: Any, before: Any, wanted: Any, field: str = "") -> Any:
    """`live` with `wanted` applied over it, without what only `before` had."""
    if isinstance(live, dict) and isinstance(wanted, dict):
        before = before if isinstance(before, dict) else {}
        result = {k: v for k, v in live.items() if k in wanted or k not in before}
        for key, value in wanted.items():
            result[key] = merge(live.get(key), before.get(key), value, key)
        return result
    key = LIST_KEYS.get(field, "")
    if (
        key
        and isinstance(live, list)
        and isinstance(wanted, list)
        and all(isinstance(each, dict) and key in each for each in (*live, *wanted))
    ):
        old = {each[key]: each for each in before or [] if key in each}
        there = {each[key]: each for each in live}
        names = [each[key] for each in wanted]
        kept = [each for name, each in there.items() if name not in names and name not in old]
        return [
            *(merge(there.get(each[key], {}), old.get(each[key]), each) for each in wanted),
            *kept,
        ]
    return copy.deepcopy(wanted)


def merge_patch(live: Any, patch: Any) -> Any:
    """https://www.rfc-editor.org/rfc/rfc7386"""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(live) if isinstance(live, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result
