"""Defaults that the API server sets on a write, as far as tests and controllers read them."""

from __future__ import annotations

import base64
import zlib
from typing import Any

from tests.kube_api.resources import Key, Object

_POD: Object = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "securityContext": {},
}
_CONTAINER: Object = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_ROLLING = {"type": "RollingUpdate"}
_SPECS: dict[str, Object] = {
    "Deployment": {
        "replicas": 1,
        "strategy": {**_ROLLING, "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
    },
    "ReplicaSet": {"replicas": 1},
    "StatefulSet": {
        "replicas": 1,
        "podManagementPolicy": "OrderedReady",
        "revisionHistoryLimit": 10,
        "updateStrategy": {**_ROLLING, "rollingUpdate": {"partition": 0}},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    },
    "DaemonSet": {
        "revisionHistoryLimit": 10,
        "updateStrategy": {**_ROLLING, "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
    },
    "Job": {
        "parallelism": 1,
        "completions": 1,
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "suspend": False,
    },
    "CronJob": {
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    },
    "Service": {
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
    },
    "PersistentVolumeClaim": {"volumeMode": "Filesystem"},
    "HorizontalPodAutoscaler": {"minReplicas": 1},
    "Namespace": {"finalizers": ["kubernetes"]},
}


def fill(obj: Object, key: Key, uid: str) -> None:
    """Sets the defaults of an object in place."""
    spec = obj.get("spec")
    if obj["kind"] in _SPECS:
        spec = obj.setdefault("spec", {})
        _merge(spec, _SPECS[obj["kind"]])
        kind = (spec.get("strategy") or spec.get("updateStrategy") or {}).get("type")
        if kind in ("Recreate", "OnDelete"):
            (spec.get("strategy") or spec["updateStrategy"]).pop("rollingUpdate", None)
    special = _SPECIAL.get(obj["kind"])
    if special:
        special(obj, key, uid)
    template = pod_template(obj)
    if isinstance(template, dict) and isinstance(template.get("spec"), dict):
        _pod(template["spec"])


def pod_template(obj: Object) -> Any:
    """The part of an object with a pod's `metadata` and `spec`; None if it has none."""
    spec = obj.get("spec") or {}
    if obj["kind"] == "Pod":
        return obj
    if obj["kind"] == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    return spec.get("template") if obj["kind"] not in ("Service", "Ingress") else None


def _pod(spec: Object) -> None:
    _merge(spec, _POD)
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        if isinstance(container, dict) and container.get("image"):
            _merge(container, _CONTAINER)
            image = container["image"]
            latest = "@" not in image and (":" not in image.rsplit("/")[-1] or ":latest" in image)
            container.setdefault("imagePullPolicy", "Always" if latest else "IfNotPresent")
            for port in container.get("ports") or []:
                port.setdefault("protocol", "TCP")


def _merge(target: Object, defaults: Object) -> None:
    for name, value in defaults.items():
        if isinstance(value, dict) and isinstance(target.get(name), dict):
            if name in ("strategy", "updateStrategy", "rollingUpdate"):
                _merge(target[name], value)
        elif target.get(name) is None:
            target[name] = _copy(value)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return list(value) if isinstance(value, list) else value


def _secret(obj: Object, key: Key, uid: str) -> None:
    obj.setdefault("type", "Opaque")
    for name, text in (obj.pop("stringData", None) or {}).items():
        obj.setdefault("data", {})[name] = base64.b64encode(text.encode()).decode()


def _namespace(obj: Object, key: Key, uid: str) -> None:
    labels = obj["metadata"].setdefault("labels", {})
    labels["kubernetes.io/metadata.name"] = key.name
    obj["status"] = {"phase": "Active"}


def _service(obj: Object, key: Key, uid: str) -> None:
    spec = obj["spec"]
    if spec["type"] == "ExternalName":
        return
    number = zlib.crc32(uid.encode())
    spec.setdefault("clusterIP", f"10.96.{number % 250}.{number // 250 % 250 + 2}")
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    for port in spec.get("ports") or []:
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))


def _job(obj: Object, key: Key, uid: str) -> None:
    if obj["spec"].get("manualSelector"):
        return
    obj["spec"].setdefault("selector", {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}})
    template = obj["spec"].get("template")
    if isinstance(template, dict):
        labels = template.setdefault("metadata", {}).setdefault("labels", {})
        for prefix in ("", "batch.kubernetes.io/"):
            labels[f"{prefix}controller-uid"] = uid
            labels[f"{prefix}job-name"] = key.name


def _claim(obj: Object, key: Key, uid: str) -> None:
    obj["spec"].setdefault("storageClassName", "standard")
    obj["spec"].setdefault("volumeName", f"pvc-{uid}")
    capacity = (obj["spec"].get("resources") or {}).get("requests") or {}
    obj["status"] = {"phase": "Bound", "capacity": dict(capacity)}


_SPECIAL = {
    "Secret": _secret,
    "Namespace": _namespace,
    "Service": _service,
    "Job": _job,
    "PersistentVolumeClaim": _claim,
}
