"""Jobs: migrations, pulls of an image, and checks of external services."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ..contract import Service
from ..failure import Failure
from ..hosting.outputs import group, log
from . import kubectl, manifests
from .kubectl import Object, key
from .pods import nodes_coming, signs
from .rollout import Doubt, poll_seconds

_RESOURCES = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"cpu": "500m", "memory": "256Mi"},
}
_OF_A_SERVICE = ("livenessProbe", "readinessProbe", "startupProbe", "ports", "lifecycle")


class Failed(Failure):
    """A Job that ran and failed."""


class CannotStart(Failure):
    """A Job whose pod cannot start."""


def migration(service: Service, release: int, objects: list[Object], namespace: str) -> Object:
    """The Job of a service's migration."""
    assert service.migrate is not None
    spec = _pod_of(service, objects, service.migrate.command)
    name = f"{service.name}-migrate"
    return _job(f"{name}-{release}", name, namespace, spec, service.migrate.timeout_seconds)


def pull(service: Service, release: int, objects: list[Object], namespace: str) -> Object:
    """The Job that runs `true` in the image that a service had in an earlier release."""
    name = f"{service.name}-pull"
    spec = _pod_of(service, objects, ("true",))
    return _job(f"{name}-{release}", name, namespace, spec, 300)


def _pod_of(service: Service, objects: list[Object], command: Sequence[str]) -> Object:
    """The pod of a service's workload with another command, without probes and claims."""
    workload = manifests.workloads_of(service, objects)[0]
    spec = dict(manifests.pod_spec(workload))
    container = manifests.container(service, workload)
    for field in _OF_A_SERVICE:
        container.pop(field, None)
    volumes = [volume["name"] for volume in spec.get("volumes", [])]
    mounts = [m for m in container.get("volumeMounts", []) if m["name"] in volumes]
    container.update(command=list(command), volumeMounts=mounts)
    container.pop("args", None)
    container.setdefault("resources", _RESOURCES)
    for field in ("topologySpreadConstraints", "affinity", "initContainers"):
        spec.pop(field, None)
    spec.update(containers=[container], restartPolicy="Never")
    return spec


def question(service: Service, release: int, secret: str, namespace: str) -> Object:
    """The Job that checks an external service."""
    assert service.external is not None
    container: dict[str, Any] = {
        "name": "check",
        "image": service.external.image,
        "command": list(service.external.command),
        "envFrom": [{"secretRef": {"name": secret}}],
        "resources": _RESOURCES,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 999,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    name = f"{service.name}-check"
    return _job(f"{name}-{release}", name, namespace, spec, 120)


def run(job: Object, meanwhile: Callable[[], None]) -> None:
    """Runs a Job, calling `meanwhile` after each look, and logs the end of its output.

    Raises `Failed`, `CannotStart`, and `Failure` where it does not end in time.
    """
    name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
    limit = job["spec"]["activeDeadlineSeconds"] + 60
    if kubectl.get("job", name, namespace):  # of an earlier attempt
        kubectl.delete([job])
        _wait_until_gone(name, namespace)
    kubectl.apply([job])
    deadline, doubt = time.time() + limit, Doubt()
    while time.time() < deadline:
        objects = kubectl.select("jobs,pods", namespace, f"{manifests.NAME}={_label(job)}")
        live = next((listed for listed in objects if key(listed) == key(job)), {})
        conditions = live.get("status", {}).get("conditions", [])
        ended = {c["type"]: c.get("message", "") for c in conditions if c["status"] == "True"}
        if "Complete" in ended:
            _show(name, namespace)
            return
        if "Failed" in ended:
            _show(name, namespace)
            raise Failed(f"Job {name} failed: {ended['Failed'] or 'see the log above'}")
        pods = [pod for pod in objects if pod["metadata"]["labels"].get("job-name") == name]
        coming = nodes_coming(pods, namespace)
        if failure := doubt.lasting([sign for pod in pods for sign in signs(pod, coming)]):
            raise CannotStart(f"Job {name} cannot start: {failure}")
        meanwhile()
        time.sleep(poll_seconds())
    raise Failure(f"Job {name} did not end within {limit} s")


def _wait_until_gone(name: str, namespace: str) -> None:
    for _ in range(30):
        if kubectl.get("job", name, namespace) is None:
            return
        time.sleep(poll_seconds())
    raise Failure(f"Job {name} of an earlier attempt is still being deleted; re-run all jobs")


def _label(job: Object) -> str:
    """The value of the label that the Job and its pods have."""
    return str(job["metadata"]["labels"][manifests.NAME])


def _show(name: str, namespace: str) -> None:
    with group(f"log of Job {name}"):
        try:
            log(kubectl.run("logs", f"job/{name}", "-n", namespace, "--tail=100", attempts=1))
        except kubectl.KubectlError as error:
            log(f"cannot read the log: {error}")


def _job(name: str, label: str, namespace: str, spec: Object, seconds: int) -> Object:
    labels = {manifests.NAME: label}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace, "labels": {**labels, **manifests.OWNED}},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": seconds,
            "ttlSecondsAfterFinished": 86_400,
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
