"""Tables for `kubectl get` without `-o json`: the server writes the columns.

https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable
from typing import Any

from tests.kube_api.resources import Object

Row = list[Any]


def table(kind: str, items: list[Object], now: float) -> Object:
    """The Table of a list of objects."""
    columns, row = _TABLES.get(kind, _TABLES[""])
    names = columns.split()
    wide = {"IP", "NODE", "SOURCE"}
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": [
            {
                "name": name.replace("_", " ").title(),
                "type": "string",
                "format": "name" if name == "NAME" else "",
                "description": name,
                "priority": 1 if name in wide else 0,
            }
            for name in names
        ],
        "rows": [
            {
                "cells": [_age(cell, now) for cell in row(obj)],
                "object": {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": obj["metadata"],
                },
            }
            for obj in items
        ],
    }


class _Since(str):
    """A timestamp, shown as an age."""


def _age(cell: Any, now: float) -> Any:
    if not isinstance(cell, _Since):
        return cell
    seconds = int(now - calendar.timegm(time.strptime(cell, "%Y-%m-%dT%H:%M:%SZ")))
    return f"{seconds}s" if seconds < 120 else f"{seconds // 60}m"


def _plain(obj: Object) -> Row:
    return [obj["metadata"]["name"], _since(obj)]


def _since(obj: Object) -> _Since:
    return _Since(obj["metadata"]["creationTimestamp"])


def _pod(pod: Object) -> Row:
    status = pod.get("status") or {}
    containers = status.get("containerStatuses") or []
    state = status.get("phase", "Unknown")
    for container in containers:
        for kind in ("waiting", "terminated"):
            state = (container["state"].get(kind) or {}).get("reason", state)
    ready = sum(container["ready"] for container in containers)
    return [
        pod["metadata"]["name"],
        f"{ready}/{len(pod['spec']['containers'])}",
        state,
        str(sum(container["restartCount"] for container in containers)),
        _since(pod),
        status.get("podIP", "<none>"),
        pod["spec"].get("nodeName", "<none>"),
    ]


def _event(event: Object) -> Row:
    about = event.get("involvedObject") or {}
    return [
        _Since(event.get("lastTimestamp") or event["metadata"]["creationTimestamp"]),
        event.get("type"),
        event.get("reason"),
        f"{about.get('kind', '').lower()}/{about.get('name')}",
        event.get("message"),
    ]


def _deployment(obj: Object) -> Row:
    status = obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{obj['spec']['replicas']}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        _since(obj),
    ]


def _stateful_set(obj: Object) -> Row:
    status = obj.get("status") or {}
    ready = f"{status.get('readyReplicas', 0)}/{obj['spec']['replicas']}"
    return [obj["metadata"]["name"], ready, _since(obj)]


def _job(obj: Object) -> Row:
    status = obj.get("status") or {}
    ended = [c["type"] for c in status.get("conditions") or []][-1:] or ["Running"]
    done = f"{status.get('succeeded', 0)}/{obj['spec']['completions']}"
    return [obj["metadata"]["name"], ended[0], done, _since(obj)]


def _namespace(obj: Object) -> Row:
    return [obj["metadata"]["name"], "Active", _since(obj)]


_TABLES: dict[str, tuple[str, Callable[[Object], Row]]] = {
    "": ("NAME AGE", _plain),
    "Pod": ("NAME READY STATUS RESTARTS AGE IP NODE", _pod),
    "Event": ("LAST_SEEN TYPE REASON OBJECT MESSAGE", _event),
    "Deployment": ("NAME READY UP-TO-DATE AVAILABLE AGE", _deployment),
    "StatefulSet": ("NAME READY AGE", _stateful_set),
    "Job": ("NAME STATUS COMPLETIONS AGE", _job),
    "Namespace": ("NAME STATUS AGE", _namespace),
}
