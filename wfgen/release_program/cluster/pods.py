"""What the cluster shows of a rollout: the objects and their pods themselves.

https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ..contract import Description, Service
from ..hosting.outputs import log
from . import kubectl, manifests
from .kubectl import KubectlError, Object, key

BAD_REASONS = (
    "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
    "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
)  # fmt: skip
"""Why a container waits that will not start by itself."""
UNSCHEDULABLE = "Unschedulable"
COMING = ("TriggeredScaleUp", "Nominated")
"""What the Cluster Autoscaler and Karpenter say of a pod for which they bring a node."""


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
    serving: list[str] = field(default_factory=list)
    """Those of the new pods that are ready."""
    copies: dict[str, int] = field(default_factory=dict)
    """How many copies each workload is to have."""
    text: str = ""


class Cluster:
    """What the cluster has of workloads and their pods, as one look found it."""

    def __init__(self, objects: Iterable[Object], coming: Collection[str] = ()) -> None:
        self.objects = list(objects)
        self.coming = coming
        """Pods for which an autoscaler brings a node."""

    def find(self, kind: str, name: str) -> Object | None:
        """An object, or None."""
        for thing in self.of(kind):
            if thing["metadata"]["name"] == name:
                return thing
        return None

    def of(self, kind: str) -> list[Object]:
        """All objects of a kind."""
        return [thing for thing in self.objects if thing["kind"] == kind]

    def pods(self, workload: Object) -> list[Object]:
        """The pods that a workload's selector matches and that are not on their way out."""
        labels = workload["spec"]["selector"].get("matchLabels", {})
        return [
            pod
            for pod in self.of("Pod")
            if labels.items() <= pod["metadata"].get("labels", {}).items()
            and "deletionTimestamp" not in pod["metadata"]
        ]


REVISIONS = {"Deployment": "ReplicaSet", "DaemonSet": "ControllerRevision"}
"""What tells which pods are of the current revision; a StatefulSet says so itself."""


def look(description: Description, services: list[Service]) -> Cluster:
    """The workloads of services with their pods. Raises `KubectlError` where nobody answers."""
    kinds = {workload.kind for service in services for workload in service.workloads}
    kinds |= {REVISIONS[kind] for kind in kinds & REVISIONS.keys()} | {"Pod"}
    objects = kubectl.select(",".join(sorted(kinds)), description.place, attempts=1)
    pods = [thing for thing in objects if thing["kind"] == "Pod"]
    return Cluster(objects, nodes_coming(pods, description.place))


def nodes_coming(pods: Iterable[Object], namespace: str) -> set[str]:
    """Those of the pods without a node for which an autoscaler says that it brings one.

    https://kubernetes.io/docs/concepts/cluster-administration/node-autoscaling/
    """
    waiting = {pod["metadata"]["name"] for pod in pods if _unschedulable(pod) is not None}
    try:
        events = kubectl.select("events", namespace, attempts=1) if waiting else []
    except KubectlError as problem:
        log(f"whether a node is on its way is not known: {problem}")
        return set()
    names = {event["involvedObject"]["name"] for event in events if event.get("reason") in COMING}
    return names & waiting


def judge(
    service: Service, wanted: list[Object], cluster: Cluster, settled: Mapping[str, int]
) -> State:
    """How far the service's workloads are.

    `settled` is how many copies of a workload were wanted once all of them were ready: those that
    an autoscaler adds later may still be starting.
    """
    state = State()
    for workload in manifests.workloads_of(service, wanted):
        kind, name = workload["kind"], workload["metadata"]["name"]
        live = cluster.find(kind, name)
        if live is None:
            return State(ready=False, doom=f"{kind} {name} is gone")
        expected = manifests.container(service, workload)["image"]
        if (runs := manifests.container(service, live)["image"]) != expected:
            return State(ready=False, doom=f"{kind} {name} has image {runs}: somebody changed it")
        if kind != "CronJob":
            _judge_workload(service, live, expected, cluster, settled, state)
    return state


def _judge_workload(
    service: Service,
    live: Object,
    image: str,
    cluster: Cluster,
    settled: Mapping[str, int],
    state: State,
) -> None:
    kind, status, spec = live["kind"], live.get("status", {}), live["spec"]
    wanted = (
        spec.get("replicas", 1) if kind != "DaemonSet" else status.get("desiredNumberScheduled", 0)
    )
    state.copies[key(live)] = wanted
    wanted = min(wanted, settled.get(key(live), wanted))
    revision = _revision(live, cluster)
    pods = [pod for pod in cluster.pods(live) if revision and _is_of(pod, live, revision)]
    new = [pod for pod in pods if _image(pod, live, service) == image]
    ready = [pod for pod in new if _condition(pod, "Ready") == "True"]
    state.serving += [pod["metadata"]["name"] for pod in ready]
    seen = status.get("observedGeneration", 0) >= live["metadata"].get("generation", 0)
    updated = status.get("updatedReplicas", status.get("updatedNumberScheduled", 0))
    available = status.get("availableReplicas", status.get("numberAvailable", 0))
    state.ready &= seen and len(ready) >= wanted and updated >= wanted and available >= wanted
    if kind == "Deployment":  # its old pods go last, and answer until then
        state.ready &= status.get("replicas", 0) <= updated
    state.text += f"{live['metadata']['name']} {len(ready)}/{wanted} "
    if kind == "Deployment" and _reason(live, "Progressing") == "ProgressDeadlineExceeded" and seen:
        state.doom = f"{live['metadata']['name']}: no progress within its deadline"
    for pod in new:
        _judge_pod(pod, cluster.coming, state)


def _judge_pod(pod: Object, coming: Collection[str], state: State) -> None:
    name, status = pod["metadata"]["name"], pod.get("status", {})
    containers = status.get("containerStatuses", []) + status.get("initContainerStatuses", [])
    restarted = [container for container in containers if container.get("restartCount")]
    ends = [end for container in restarted if (end := _end(container))]
    codes = ", ".join(str(end["exitCode"]) for end in ends)
    made = calendar.timegm(
        time.strptime(pod["metadata"]["creationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")
    )
    state.pods[name] = (sum(c.get("restartCount", 0) for c in containers), made, codes)
    state.signs += signs(pod, coming)
    if name in coming:
        state.text += f"({name} waits for a new node) "


def _end(container: Object) -> Object | None:
    """How a container's last run ended, be it this one, before the kubelet says that it waits."""
    states = (container.get(name, {}).get("terminated") for name in ("state", "lastState"))
    return next(filter(None, states), None)


def signs(pod: Object, coming: Collection[str]) -> list[str]:
    """What is bad about a pod if it lasts, as POD: REASON: MESSAGE."""
    name, status = pod["metadata"]["name"], pod.get("status", {})
    found = []
    for container in status.get("containerStatuses", []) + status.get("initContainerStatuses", []):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in BAD_REASONS:
            found.append(f"{name}: {waiting['reason']}: {waiting.get('message', '')}")
    if (message := _unschedulable(pod)) is not None and name not in coming:
        found.append(f"{name}: {UNSCHEDULABLE}: {message}")
    return found


def _unschedulable(pod: Object) -> str | None:
    """What the scheduler says of a pod that it found no node for; None where it has one."""
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "PodScheduled" and condition.get("reason") == UNSCHEDULABLE:
            return str(condition.get("message", ""))
    return None


def stuck_pods(live: Object, cluster: Cluster) -> list[Object]:
    """Pods of a StatefulSet that are on another revision and not ready: it waits for them for ever.

    https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
    """
    revision = live.get("status", {}).get("updateRevision", "")
    return [
        pod
        for pod in cluster.pods(live)
        if revision and not _is_of(pod, live, revision) and _condition(pod, "Ready") != "True"
    ]


def _revision(live: Object, cluster: Cluster) -> str:
    """What tells pods of the current revision: the ReplicaSet's uid, or the revision's hash."""
    kind = live["kind"]
    if kind == "StatefulSet":
        return str(live.get("status", {}).get("updateRevision", ""))
    uid = live["metadata"]["uid"]
    owned = [
        thing
        for thing in cluster.of(REVISIONS[kind])
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
