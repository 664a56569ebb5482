"""What a rollout has come to: evidence from the objects and from their pods themselves.

https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
"""

from __future__ import annotations

import calendar
import os
import time
from dataclasses import dataclass, field

from . import kubectl, manifests
from .description import Description, Service
from .kubectl import KubectlError, Object
from .outputs import Failure, log

BAD_REASONS = (
    "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
    "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
)  # fmt: skip
"""Why a container waits that will not start by itself."""
RESTARTS = 2
"""So many restarts of a new pod are a crash loop: the first may be bad luck."""


def poll_seconds() -> float:
    """How often the cluster is looked at (WFGEN_POLL_SECONDS, 5)."""
    return float(os.environ.get("WFGEN_POLL_SECONDS", "5"))


def doubt_seconds() -> float:
    """How long a bad sign must last before it counts (WFGEN_DOUBT_SECONDS, 15)."""
    return float(os.environ.get("WFGEN_DOUBT_SECONDS", "15"))


@dataclass
class State:
    """A service at one moment."""

    ready: bool = True
    doom: str = ""
    """What cannot mend itself: counts at once."""
    signs: list[str] = field(default_factory=list)
    """What is bad if it lasts."""
    pods: dict[str, tuple[int, float, str]] = field(default_factory=dict)
    """The new pods: restarts, when it was made (seconds since the epoch), last exit codes."""
    text: str = ""


def look(service: Service, wanted: list[Object], namespace: str) -> State:
    """How far the service's workloads are. Raises `KubectlError` where the API does not answer."""
    state = State()
    for workload in manifests.workloads_of(service, wanted):
        kind, name = workload["kind"], workload["metadata"]["name"]
        live = kubectl.get(kind, name, namespace)
        if live is None:
            return State(ready=False, doom=f"{kind} {name} is gone")
        expected = manifests.container(service, workload)["image"]
        if (runs := manifests.container(service, live)["image"]) != expected:
            return State(ready=False, doom=f"{kind} {name} has image {runs}: somebody changed it")
        if kind == "CronJob":
            continue
        _look_at(service, live, expected, namespace, state)
    return state


def _look_at(service: Service, live: Object, image: str, namespace: str, state: State) -> None:
    kind, status, spec = live["kind"], live.get("status", {}), live["spec"]
    wanted = (
        spec.get("replicas", 1) if kind != "DaemonSet" else status.get("desiredNumberScheduled", 0)
    )
    revision = _revision(live, namespace)
    pods = [
        pod
        for pod in kubectl.select("pods", namespace, _selector(live))
        if revision and _is_of(pod, live, revision) and "deletionTimestamp" not in pod["metadata"]
    ]
    new = [pod for pod in pods if _image(pod, live, service) == image]
    ready = [pod for pod in new if _condition(pod, "Ready") == "True"]
    seen = status.get("observedGeneration", 0) >= live["metadata"].get("generation", 0)
    updated = status.get("updatedReplicas", status.get("updatedNumberScheduled", 0))
    available = status.get("availableReplicas", status.get("numberAvailable", 0))
    state.ready &= seen and len(ready) >= wanted and updated >= wanted and available >= wanted
    state.text += f"{live['metadata']['name']} {len(ready)}/{wanted} "
    if kind == "Deployment" and _reason(live, "Progressing") == "ProgressDeadlineExceeded" and seen:
        state.doom = f"{live['metadata']['name']}: no progress within its deadline"
    for pod in new:
        _look_at_pod(pod, state)


def _look_at_pod(pod: Object, state: State) -> None:
    name, status = pod["metadata"]["name"], pod.get("status", {})
    containers = status.get("containerStatuses", []) + status.get("initContainerStatuses", [])
    last = [c.get("lastState", {}).get("terminated", {}) for c in containers]
    codes = ", ".join(str(each["exitCode"]) for each in last if "exitCode" in each)
    made = calendar.timegm(
        time.strptime(pod["metadata"]["creationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")
    )
    state.pods[name] = (sum(c.get("restartCount", 0) for c in containers), made, codes)
    for container in containers:
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in BAD_REASONS:
            state.signs.append(f"{name}: {waiting['reason']}: {waiting.get('message', '')}")
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            state.signs.append(f"{name}: Unschedulable: {condition.get('message', '')}")


def stuck_pods(live: Object, namespace: str) -> list[Object]:
    """Pods of a StatefulSet that are on another revision and not ready: it waits for them for ever.

    https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
    """
    revision = live.get("status", {}).get("updateRevision", "")
    return [
        pod
        for pod in kubectl.select("pods", namespace, _selector(live))
        if revision
        and pod["metadata"].get("labels", {}).get("controller-revision-hash") != revision
        and _condition(pod, "Ready") != "True"
    ]


class NotReady(Failure):
    """A rollout that failed by what was seen of it."""

    def __init__(self, service: Service, reason: str) -> None:
        super().__init__(f"{service.name}: {reason}")
        self.service = service


def wait(description: Description, services: list[Service], objects: list[Object]) -> None:
    """Waits until services are ready. Raises `NotReady` where they will not be, or not in time."""
    started = time.time()
    watches = [Watch(service, started) for service in services]
    while True:
        for watch in watches:
            watch.look(objects, description.place)
            if watch.failure:
                raise NotReady(watch.service, watch.failure)
        waiting = [watch for watch in watches if not watch.ready]
        if not waiting:
            return
        for watch in waiting:
            if time.time() - started > watch.service.timeout_seconds:
                told = watch.last or "never ready"
                reason = f"not ready after {watch.service.timeout_seconds} s: {told}"
                if watch.answered:
                    raise NotReady(watch.service, reason)
                raise Failure(f"{watch.service.name}: the API server did not answer in time")
        time.sleep(poll_seconds())


class Watch:
    """One service under observation: bad signs count once they last.

    `since` is when the release began, in seconds since the epoch: restarts of older pods before
    the first look are not its fault.
    """

    def __init__(self, service: Service, since: float) -> None:
        self.service = service
        self.since = since
        self.restarts = 0
        self.ready = False
        self.failure = ""
        self.last = ""
        self.state: State | None = None
        self.answered = False
        self._lasts: dict[str, float] = {}
        self._before: dict[str, int] = {}

    def look(self, objects: list[Object], namespace: str) -> None:
        """Looks once; an API server that does not answer proves nothing either way."""
        try:
            state = look(self.service, objects, namespace)
        except KubectlError as error:
            self.ready, self.answered, self.state = False, False, None
            log(f"{self.service.name}: no answer: {error}")
            return
        now = time.time()
        self.answered, self.ready, self.state = True, state.ready, state
        signs = [sign.partition(": ")[2].partition(":")[0] for sign in state.signs]
        self._lasts = {sign: self._lasts.get(sign, now) for sign in signs}
        lasting = [sign for sign in signs if now - self._lasts[sign] >= doubt_seconds()]
        self.restarts = 0
        for name, (count, made, codes) in state.pods.items():
            before = self._before.setdefault(name, 0 if made >= self.since - 1 else count)
            self.restarts += count - before
            if count - before >= RESTARTS:
                state.doom = f"{name} restarted {count} times (exit code {codes or 'unknown'})"
        if state.doom:
            self.failure = state.doom
        elif lasting:
            self.failure = state.signs[signs.index(lasting[0])]
        text = state.text + "; ".join([state.doom] if state.doom else state.signs[:1])
        if text.strip() != self.last:
            self.last = text.strip()
            log(f"{self.service.name}: {self.last}{' ready' if self.ready else ''}")


def _revision(live: Object, namespace: str) -> str:
    """What tells pods of the current revision: the ReplicaSet's uid, or the revision's hash."""
    kind = live["kind"]
    if kind == "StatefulSet":
        return str(live.get("status", {}).get("updateRevision", ""))
    uid = live["metadata"]["uid"]
    sets = "replicasets" if kind == "Deployment" else "controllerrevisions"
    owned = [
        thing
        for thing in kubectl.select(sets, namespace)
        if any(o["uid"] == uid for o in thing["metadata"].get("ownerReferences", []))
    ]
    if kind == "DaemonSet":
        newest = max(owned, key=lambda thing: int(thing["revision"]), default=None)
        return newest["metadata"]["labels"]["controller-revision-hash"] if newest else ""
    number = "deployment.kubernetes.io/revision"
    current = live["metadata"].get("annotations", {}).get(number)
    for thing in owned:
        if thing["metadata"].get("annotations", {}).get(number) == current:
            return str(thing["metadata"]["uid"])
    return ""


def _is_of(pod: Object, live: Object, revision: str) -> bool:
    metadata = pod["metadata"]
    if live["kind"] == "Deployment":
        return any(owner["uid"] == revision for owner in metadata.get("ownerReferences", []))
    return bool(metadata.get("labels", {}).get("controller-revision-hash") == revision)


def _selector(live: Object) -> str:
    labels = live["spec"]["selector"].get("matchLabels", {})
    return ",".join(f"{name}={value}" for name, value in labels.items())


def _image(pod: Object, live: Object, service: Service) -> str:
    """The image in the pod's own spec."""
    as_template = {**live, "spec": {"template": {"spec": pod["spec"]}}}
    return str(manifests.container(service, as_template)["image"])


def _condition(thing: Object, kind: str) -> str:
    conditions = thing.get("status", {}).get("conditions", [])
    return str(next((c["status"] for c in conditions if c["type"] == kind), ""))


def _reason(thing: Object, kind: str) -> str:
    conditions = thing.get("status", {}).get("conditions", [])
    return str(next((c.get("reason", "") for c in conditions if c["type"] == kind), ""))
