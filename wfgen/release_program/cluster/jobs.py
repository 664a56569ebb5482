"""Jobs: migrations, pulls of an image, and checks of external services.

Each bears the release that started it as labels, and so do its pods: a rollback stops them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from ..contract import Description, Service
from ..failure import Failure
from ..hosting.outputs import group, log
from . import kubectl, manifests
from .kubectl import Object, key
from .pods import nodes_coming, signs
from .rollout import Doubt, poll_seconds
from .writer import Writer

ENVIRONMENT, RELEASE = "wfgen/environment", "wfgen/release"
"""Labels of Jobs and their pods: the environment and the number of the release."""

_RESOURCES = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"cpu": "500m", "memory": "256Mi"},
}
STOP_SECONDS = 90.0
"""How long a pod may take to stop, beyond its grace period."""
_OF_A_SERVICE = ("livenessProbe", "readinessProbe", "startupProbe", "ports", "lifecycle")


class Failed(Failure):
    """A Job that ran and failed."""


class CannotStart(Failure):
    """A Job whose pod cannot start."""


def migration(
    description: Description, service: Service, release: int, objects: list[Object]
) -> Object:
    """The Job of a service's migration."""
    assert service.migrate is not None
    spec = _pod_of(service, objects, service.migrate.command)
    seconds = service.migrate.timeout_seconds
    return _job(description, f"{service.name}-migrate", release, spec, seconds)


def pull(description: Description, service: Service, release: int, objects: list[Object]) -> Object:
    """The Job that runs `true` in the image that a service has in these manifests."""
    spec = _pod_of(service, objects, ("true",))
    return _job(description, f"{service.name}-pull", release, spec, 300)


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


def question(description: Description, service: Service, release: int, secret: str) -> Object:
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
    return _job(description, f"{service.name}-check", release, spec, 120)


class RunningJob:
    """A Job that was started, until it ends."""

    def __init__(self, job: Object, writer: Writer) -> None:
        """Starts the Job. Raises `Failure` where one of the same name does not go away."""
        self.job = job
        self.name: str = job["metadata"]["name"]
        self.namespace: str = job["metadata"]["namespace"]
        if kubectl.get("job", self.name, self.namespace):  # of an earlier attempt
            writer.delete([job])
            _wait_until_gone(self.name, self.namespace)
        writer.apply([job])
        self._limit = job["spec"]["activeDeadlineSeconds"] + 60
        self._deadline = time.time() + self._limit
        self._doubt = Doubt()

    def look(self, objects: Iterable[Object]) -> bool:
        """Whether the Job succeeded, by the Jobs and pods that `list_of` found; logs its output.

        Raises `Failed`, `CannotStart`, and `Failure` where it does not end in time.
        """
        listed = list(objects)
        live = next((found for found in listed if key(found) == key(self.job)), {})
        conditions = live.get("status", {}).get("conditions", [])
        ended = {c["type"]: c.get("message", "") for c in conditions if c["status"] == "True"}
        if "Complete" in ended:
            _show(self.name, self.namespace)
            return True
        if "Failed" in ended:
            _show(self.name, self.namespace)
            raise Failed(f"Job {self.name} failed: {ended['Failed'] or 'see the log above'}")
        pods = [pod for pod in listed if _job_of(pod) == self.name]
        coming = nodes_coming(pods, self.namespace)
        if failure := self._doubt.lasting([sign for pod in pods for sign in signs(pod, coming)]):
            raise CannotStart(f"Job {self.name} cannot start: {failure}")
        if time.time() > self._deadline:
            raise Failure(f"Job {self.name} did not end within {self._limit} s")
        return False


def list_of(running: Sequence[RunningJob]) -> list[Object]:
    """Jobs of one namespace and their pods, by one request."""
    if not running:
        return []
    labels = ",".join(sorted({job.job["metadata"]["labels"][manifests.NAME] for job in running}))
    return kubectl.select("jobs,pods", running[0].namespace, f"{manifests.NAME} in ({labels})")


def run(job: Object, writer: Writer) -> None:
    """Runs a Job to its end, and logs the end of its output.

    Raises `Failed`, `CannotStart`, and `Failure` where it does not end in time.
    """
    running = RunningJob(job, writer)
    while not running.look(list_of([running])):
        writer.renew()
        time.sleep(poll_seconds())


def unfinished(description: Description, releases: Iterable[int] = ()) -> list[Object]:
    """Jobs of releases of this environment that have not ended, and pods that still run or stop.

    Of all releases where none is named.
    """
    selector = f"{ENVIRONMENT}={description.environment}"
    if numbers := ",".join(map(str, releases)):
        selector += f",{RELEASE} in ({numbers})"
    listed = kubectl.select("jobs,pods", description.place, selector)
    ended = {live["metadata"]["name"] for live in listed if live["kind"] == "Job" and _ended(live)}
    return [
        live
        for live in listed
        if not _ended(live)
        and (_job_of(live) not in ended or "deletionTimestamp" in live["metadata"])
    ]


def stop(description: Description, releases: Sequence[int], writer: Writer) -> None:
    """Deletes the unfinished Jobs of releases; `wait_until_stopped` waits for their pods."""
    running = [live for live in unfinished(description, releases) if live["kind"] == "Job"]
    for job in running:
        log(f"stop {key(job)}")
    writer.delete(running)


def wait_until_stopped(description: Description, releases: Sequence[int], writer: Writer) -> None:
    """Waits until no Job of these releases and none of their pods runs. Raises `Failure`."""
    started = time.time()
    while left := unfinished(description, releases):
        grace = max(live["spec"].get("terminationGracePeriodSeconds", 30) for live in left)
        if time.time() - started > grace + STOP_SECONDS:
            raise Failure(f"{', '.join(sorted(map(key, left)))} did not stop")
        writer.renew()
        time.sleep(poll_seconds())


def _ended(live: Object) -> bool:
    status = live.get("status", {})
    if live["kind"] == "Pod":
        return status.get("phase") in ("Succeeded", "Failed")
    conditions = status.get("conditions", [])
    return any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in conditions)


def _job_of(pod: Object) -> str:
    """The name of the Job that a pod belongs to; '' for anything else."""
    return str(pod["metadata"].get("labels", {}).get("job-name", ""))


def _wait_until_gone(name: str, namespace: str) -> None:
    for _ in range(30):
        if kubectl.get("job", name, namespace) is None:
            return
        time.sleep(poll_seconds())
    raise Failure(f"Job {name} of an earlier attempt is still being deleted; re-run all jobs")


def _show(name: str, namespace: str) -> None:
    with group(f"log of Job {name}"):
        try:
            log(kubectl.run("logs", f"job/{name}", "-n", namespace, "--tail=100", attempts=1))
        except kubectl.KubectlError as error:
            log(f"cannot read the log: {error}")


def _job(description: Description, label: str, release: int, spec: Object, seconds: int) -> Object:
    labels = {
        manifests.NAME: label,
        ENVIRONMENT: description.environment,
        RELEASE: str(release),
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{label}-{release}",
            "namespace": description.place,
            "labels": {**labels, **manifests.OWNED},
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": seconds,
            "ttlSecondsAfterFinished": 86_400,
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
