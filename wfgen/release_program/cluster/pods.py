"""How far a rollout is, judged by the workloads and pods in the cluster.

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
"""Reasons of waiting containers that do not start without a change."""
UNSCHEDULABLE = "Unschedulable"
COMING = ("TriggeredScaleUp", "Nominated")
"""Reasons of events by which the Cluster Autoscaler and Karpenter announce a node for a pod."""


@dataclass
class ServiceStatus:
    """A service at one moment. New pods are those of the current revision and the new image."""

    ready: bool = True
    fatal: str = ""
    """A failure that no retry can fix; '' where there is none."""
    signs: list[str] = field(default_factory=list)
    """What is a failure if it lasts, as POD: REASON: MESSAGE."""
    pods: dict[str, tuple[int, float, str]] = field(default_factory=dict)
    """New pods: restarts, creation time (seconds since the epoch), last exit codes."""
    serving: list[str] = field(default_factory=list)
    """Names of new pods that are ready."""
    copies: dict[str, int] = field(default_factory=dict)
    """Number of copies that each workload wants, by kind/name."""
    text: str = ""
    """Progress, for the log."""


class Cluster:
    """Workloads and their pods, as one request listed them."""

    def __init__(self, objects: Iterable[Object], coming: Collection[str] = ()) -> None:
        self.objects = list(objects)
        self.coming = coming
        """Names of pods for which an autoscaler adds a node."""

    def find(self, kind: str, name: str) -> Object | None:
        """An object; None where there is none."""
        return next((live for live in self.of(kind) if live["metadata"]["name"] == name), None)

    def of(self, kind: str) -> list[Object]:
        """All objects of a kind."""
        return [live for live in self.objects if live["kind"] == kind]

    def pods(self, workload: Object) -> list[Object]:
        """The pods that a workload's selector matches, without those being deleted."""
        labels = workload["spec"]["selector"].get("matchLabels", {})
        return [
            pod
            for pod in self.of("Pod")
            if labels.items() <= pod["metadata"].get("labels", {}).items()
            and "deletionTimestamp" not in pod["metadata"]
        ]


REVISIONS = {"Deployment": "ReplicaSet", "DaemonSet": "ControllerRevision"}
"""Kind of the objects that identify a workload's revisions; a StatefulSet's status names them."""


def look(description: Description, services: list[Service]) -> Cluster:
    """The workloads of services with their pods. Raises `KubectlError`."""
    kinds = {workload.kind for service in services for workload in service.workloads}
    kinds |= {REVISIONS[kind] for kind in kinds & REVISIONS.keys()} | {"Pod"}
    objects = kubectl.select(",".join(sorted(kinds)), description.place, attempts=1)
    pods = [live for live in objects if live["kind"] == "Pod"]
    return Cluster(objects, nodes_coming(pods, description.place))


def nodes_coming(pods: Iterable[Object], namespace: str) -> set[str]:
    """Names of those pods without a node for which an autoscaler adds one.

    https://kubernetes.io/docs/concepts/cluster-administration/node-autoscaling/
    """
    waiting = {pod["metadata"]["name"] for pod in pods if _unschedulable(pod) is not None}
    try:
        events = kubectl.select("events", namespace, attempts=1) if waiting else []
    except KubectlError as problem:
        log(f"cannot read events, so whether a new node is coming is unknown: {problem}")
        return set()
    names = {event["involvedObject"]["name"] for event in events if event.get("reason") in COMING}
    return names & waiting


def judge(
    service: Service, wanted: list[Object], cluster: Cluster, settled: Mapping[str, int]
) -> ServiceStatus:
    """How far the service's workloads are; `wanted` are the manifests that were applied.

    `settled` is the number of copies that each workload wanted when all of them were first ready:
    copies that an autoscaler adds later may still be starting.
    """
    result = ServiceStatus()
    for workload in manifests.workloads_of(service, wanted):
        kind, name = workload["kind"], workload["metadata"]["name"]
        live = cluster.find(kind, name)
        if live is None:
            return ServiceStatus(ready=False, fatal=f"{kind} {name} is gone")
        expected = manifests.container(service, workload)["image"]
        if (image := manifests.container(service, live)["image"]) != expected:
            fatal = f"{kind} {name} has image {image}: somebody changed it"
            return ServiceStatus(ready=False, fatal=fatal)
        if kind != "CronJob":
            _judge_workload(service, live, expected, cluster, settled, result)
    return result


def _judge_workload(
    service: Service,
    live: Object,
    image: str,
    cluster: Cluster,
    settled: Mapping[str, int],
    result: ServiceStatus,
) -> None:
    kind, status, spec = live["kind"], live.get("status", {}), live["spec"]
    wanted = (
        spec.get("replicas", 1) if kind != "DaemonSet" else status.get("desiredNumberScheduled", 0)
    )
    result.copies[key(live)] = wanted
    wanted = min(wanted, settled.get(key(live), wanted))
    revision = _revision(live, cluster)
    pods = [pod for pod in cluster.pods(live) if revision and _is_of(pod, live, revision)]
    new = [pod for pod in pods if _image(pod, live, service) == image]
    ready = [pod for pod in new if _condition(pod, "Ready") == "True"]
    result.serving += [pod["metadata"]["name"] for pod in ready]
    observed = status.get("observedGeneration", 0) >= live["metadata"].get("generation", 0)
    updated = status.get("updatedReplicas", status.get("updatedNumberScheduled", 0))
    available = status.get("availableReplicas", status.get("numberAvailable", 0))
    result.ready &= observed and len(ready) >= wanted and updated >= wanted and available >= wanted
    if kind == "Deployment":  # its old pods go last, and answer until then
        result.ready &= status.get("replicas", 0) <= updated
        late = _reason(live, "Progressing") == "ProgressDeadlineExceeded"
        if late and observed:
            result.fatal = f"{live['metadata']['name']}: no progress within its deadline"
    result.text += f"{live['metadata']['name']} {len(ready)}/{wanted} "
    for pod in new:
        _judge_pod(pod, cluster.coming, result)


def _judge_pod(pod: Object, coming: Collection[str], result: ServiceStatus) -> None:
    name, status = pod["metadata"]["name"], pod.get("status", {})
    containers = status.get("containerStatuses", []) + status.get("initContainerStatuses", [])
    restarted = [container for container in containers if container.get("restartCount")]
    ends = [end for container in restarted if (end := _end(container))]
    codes = ", ".join(str(end["exitCode"]) for end in ends)
    created = calendar.timegm(
        time.strptime(pod["metadata"]["creationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")
    )
    result.pods[name] = (sum(c.get("restartCount", 0) for c in containers), created, codes)
    result.signs += signs(pod, coming)
    if name in coming:
        result.text += f"({name} waits for a new node) "


def _end(container: Object) -> Object | None:
    """How a container's last run ended: the current one until the kubelet reports it as waiting."""
    states = (container.get(name, {}).get("terminated") for name in ("state", "lastState"))
    return next(filter(None, states), None)


def signs(pod: Object, coming: Collection[str]) -> list[str]:
    """What is a failure of a pod if it lasts, as POD: REASON: MESSAGE."""
    name, status = pod["metadata"]["name"], pod.get("status", {})
    signs = []
    for container in status.get("containerStatuses", []) + status.get("initContainerStatuses", []):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in BAD_REASONS:
            signs.append(f"{name}: {waiting['reason']}: {waiting.get('message', '')}")
    if (message := _unschedulable(pod)) is not None and name not in coming:
        signs.append(f"{name}: {UNSCHEDULABLE}: {message}")
    return signs


def _unschedulable(pod: Object) -> str | None:
    """The scheduler's message for a pod that fits no node; None for any other pod."""
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "PodScheduled" and condition.get("reason") == UNSCHEDULABLE:
            return str(condition.get("message", ""))
    return None


def blocking_pods(live: Object, cluster: Cluster) -> list[Object]:
    """Pods of another revision that are not ready: their StatefulSet waits for them for ever.

    https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
    """
    revision = live.get("status", {}).get("updateRevision", "")
    return [
        pod
        for pod in cluster.pods(live)
        if revision and not _is_of(pod, live, revision) and _condition(pod, "Ready") != "True"
    ]


def _revision(live: Object, cluster: Cluster) -> str:
    """Current revision of a workload: its ReplicaSet's uid, or a hash that its pods have as label.

    '' where it is not known yet.
    """
    kind = live["kind"]
    if kind == "StatefulSet":
        return str(live.get("status", {}).get("updateRevision", ""))
    uid = live["metadata"]["uid"]
    owned = [
        revision
        for revision in cluster.of(REVISIONS[kind])
        if any(o["uid"] == uid for o in revision["metadata"].get("ownerReferences", []))
    ]
    if kind == "DaemonSet":
        newest = max(owned, key=lambda revision: int(revision["revision"]), default=None)
        return newest["metadata"]["labels"]["controller-revision-hash"] if newest else ""
    number = "deployment.kubernetes.io/revision"
    current = live["metadata"].get("annotations", {}).get(number)
    for replica_set in owned:
        if replica_set["metadata"].get("annotations", {}).get(number) == current:
            return str(replica_set["metadata"]["uid"])
    return ""


def _is_of(pod: Object, live: Object, revision: str) -> bool:
    metadata = pod["metadata"]
    if live["kind"] == "Deployment":
        return any(owner["uid"] == revision for owner in metadata.get("ownerReferences", []))
    return bool(metadata.get("labels", {}).get("controller-revision-hash") == revision)


def _image(pod: Object, live: Object, service: Service) -> str:
    """The image that the pod was created with."""
    as_template = {**live, "spec": {"template": {"spec": pod["spec"]}}}
    return str(manifests.container(service, as_template)["image"])


def _condition(live: Object, kind: str) -> str:
    conditions = live.get("status", {}).get("conditions", [])
    return str(next((c["status"] for c in conditions if c["type"] == kind), ""))


def _reason(live: Object, kind: str) -> str:
    conditions = live.get("status", {}).get("conditions", [])
    return str(next((c.get("reason", "") for c in conditions if c["type"] == kind), ""))
