"""What the API server fills in on a write, as far as tests and controllers look at it."""

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


def fill(thing: Object, key: Key, uid: str) -> None:
    """Fills in the defaults of an object, in place."""
    spec = thing.get("spec")
    if thing["kind"] in _SPECS:
        spec = thing.setdefault("spec", {})
        _merge(spec, _SPECS[thing["kind"]])
        kind = (spec.get("strategy") or spec.get("updateStrategy") or {}).get("type")
        if kind in ("Recreate", "OnDelete"):
            (spec.get("strategy") or spec["updateStrategy"]).pop("rollingUpdate", None)
    special = _SPECIAL.get(thing["kind"])
    if special:
        special(thing, key, uid)
    template = pod_template(thing)
    if isinstance(template, dict) and isinstance(template.get("spec"), dict):
        _pod(template["spec"])


def pod_template(thing: Object) -> Any:
    """What in an object has a pod's `metadata` and `spec`; None where nothing does."""
    spec = thing.get("spec") or {}
    if thing["kind"] == "Pod":
        return thing
    if thing["kind"] == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    return spec.get("template") if thing["kind"] not in ("Service", "Ingress") else None


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
        return {key: _copy(each) for key, each in value.items()}
    return list(value) if isinstance(value, list) else value


def _secret(thing: Object, key: Key, uid: str) -> None:
    thing.setdefault("type", "Opaque")
    for name, text in (thing.pop("stringData", None) or {}).items():
        thing.setdefault("data", {})[name] = base64.b64encode(text.encode()).decode()


def _namespace(thing: Object, key: Key, uid: str) -> None:
    labels = thing["metadata"].setdefault("labels", {})
    labels["kubernetes.io/metadata.name"] = key.name
    thing["status"] = {"phase": "Active"}


def _service(thing: Object, key: Key, uid: str) -> None:
    spec = thing["spec"]
    if spec["type"] == "ExternalName":
        return
    number = zlib.crc32(uid.encode())
    spec.setdefault("clusterIP", f"10.96.{number % 250}.{number // 250 % 250 + 2}")
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    for port in spec.get("ports") or []:
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))


def _job(thing: Object, key: Key, uid: str) -> None:
    if thing["spec"].get("manualSelector"):
        return
    thing["spec"].setdefault(
        "selector", {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    )
    template = thing["spec"].get("template")
    if isinstance(template, dict):
        labels = template.setdefault("metadata", {}).setdefault("labels", {})
        for prefix in ("", "batch.kubernetes.io/"):
            labels[f"{prefix}controller-uid"] = uid
            labels[f"{prefix}job-name"] = key.name


def _claim(thing: Object, key: Key, uid: str) -> None:
    thing["spec"].setdefault("storageClassName", "standard")
    thing["spec"].setdefault("volumeName", f"pvc-{uid}")
    capacity = (thing["spec"].get("resources") or {}).get("requests") or {}
    thing["status"] = {"phase": "Bound", "capacity": dict(capacity)}


_SPECIAL = {
    "Secret": _secret,
    "Namespace": _namespace,
    "Service": _service,
    "Job": _job,
    "PersistentVolumeClaim": _claim,
}
