"""Patches other than server-side apply.

https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
"""

from __future__ import annotations

import copy
from typing import Any

from tests.kube_api.errors import ApiError, bad_request
from tests.kube_api.fields import item_key, list_keys
from tests.kube_api.resources import Object

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


def patch(kind: str, live: Object, body: Any) -> Object:
    """The patched object. Raises 400, 415 or 422 for an invalid patch."""
    if kind == JSON:
        return _json(copy.deepcopy(live), body)
    if kind == MERGE and isinstance(body, dict):
        return dict(_merge(live, body))
    if kind == STRATEGIC and isinstance(body, dict):
        return dict(_strategic(live, body, ""))
    if kind in (MERGE, STRATEGIC):
        raise bad_request("the patch is not an object")
    raise ApiError(415, "UnsupportedMediaType", f"no patch of the type {kind!r} is known")


def _merge(live: Any, body: Any) -> Any:
    """https://www.rfc-editor.org/rfc/rfc7386"""
    if not isinstance(body, dict):
        return body
    merged = dict(live) if isinstance(live, dict) else {}
    for key, value in body.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged


def _strategic(live: Any, body: Any, field: str) -> Any:
    if isinstance(body, dict):
        if body.get("$patch") == "replace":
            return {key: value for key, value in body.items() if key != "$patch"}
        merged = dict(live) if isinstance(live, dict) else {}
        for key, value in body.items():
            if key.startswith("$"):
                continue
            if value is None:
                merged.pop(key, None)
            else:
                merged[key] = _strategic(merged.get(key), value, key)
        return merged
    if keys := list_keys(field, body):
        items = {item_key(keys, item): item for item in live or []}
        for item in body:
            name = item_key(keys, item)
            if item.get("$patch") == "delete":
                items.pop(name, None)
            else:
                items[name] = _strategic(items.get(name), item, "")
        return list(items.values())
    return body


def _json(document: Any, operations: Any) -> Object:
    """https://www.rfc-editor.org/rfc/rfc6902, without move and copy."""
    for operation in operations:
        steps = [s.replace("~1", "/").replace("~0", "~") for s in operation["path"].split("/")[1:]]
        try:
            target = document
            for step in steps[:-1]:
                target = target[int(step) if isinstance(target, list) else step]
            _operate(target, steps[-1], operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise ApiError(
                422, "Invalid", f"the server rejected our request: {operation['path']}: {error!r}"
            ) from error
    return dict(document)


def _operate(target: Any, last: str, operation: dict[str, Any]) -> None:
    what = operation["op"]
    place: Any = last
    if isinstance(target, list):
        place = len(target) if last == "-" else int(last)
    if what == "test":
        if target[place] != operation["value"]:
            raise ValueError("the test failed")
    elif what == "remove":
        del target[place]
    elif what == "add" and isinstance(target, list):
        target.insert(place, operation["value"])
    elif what == "add":
        target[place] = operation["value"]
    elif what == "replace":
        _ = target[place]  # it must exist
        target[place] = operation["value"]
    else:
        raise ValueError(f"no operation {what}")
