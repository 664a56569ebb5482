"""The scheduler and the kubelet of the only node, which has room for all pods."""

from __future__ import annotations

import hashlib
import math
from typing import Any

from tests.kube_api.behaviour import Behaviour, Life, live
from tests.kube_api.references import missing
from tests.kube_api.resources import Object
from tests.kube_api.store import stamp
from tests.kube_api.world import Run, World

NODE = "node-1"
_UNSCHEDULABLE = (
    "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: "
    "1 No preemption victims found for incoming pod."
)


def sync(world: World, pod: Object) -> None:
    """Writes the status of a pod."""
    uid, spec = pod["metadata"]["uid"], pod["spec"]
    run = world.runs.setdefault(uid, Run(world.store.born[uid]))
    hows = [world.behaviours.of(c["image"]) for c in spec["containers"]]
    if not spec.get("nodeName"):
        if _waits_for_node(world, run, hows):
            world.event(pod, "Warning", "FailedScheduling", _UNSCHEDULABLE)
            condition = _condition(run, "PodScheduled", False, "Unschedulable", _UNSCHEDULABLE)
            world.set_status(pod, {"phase": "Pending", "conditions": [condition], "qosClass": _QOS})
            return
        place = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        world.event(pod, "Normal", "Scheduled", f"Successfully assigned {place} to {NODE}")
        run.scheduled = world.time
        pod = world.store.put(
            world.key(pod),
            {**pod, "metadata": dict(pod["metadata"]), "spec": {**spec, "nodeName": NODE}},
        )
    volumes, lacking = missing(world.store, pod) if run.begun is None else ([], {})
    if run.begun is None and not volumes and not lacking:
        run.begun = world.time
    for text in volumes:
        world.event(pod, "Warning", "FailedMount", f"MountVolume.SetUp failed for volume {text}")
    statuses = []
    lives = []
    for container, how in zip(spec["containers"], hows, strict=True):
        if run.begun is None:
            wait = lacking.get(container["name"])
            if wait:
                world.event(pod, "Warning", "Failed", f"Error: {wait}")
            reason = ("CreateContainerConfigError", wait) if wait else ("ContainerCreating", "")
            statuses.append(_container(container, {"waiting": _waiting(*reason)}))
            continue
        age = world.time - run.begun
        life = live(how, age, spec["restartPolicy"], world.time_scale)
        lives.append(life)
        if life.until < math.inf:
            world.wake(run.begun + life.until)
        _record_events(world, pod, container, how, life)
        statuses.append(_alive(container, life, run.begun))
    _write(world, pod, run, statuses, lives)


def _waits_for_node(world: World, run: Run, hows: list[Behaviour]) -> bool:
    for how in hows:
        if how.unschedulable is True:
            return True
        if how.unschedulable and world.time < run.born + how.unschedulable:
            world.wake(run.born + how.unschedulable)
            return True
    return False


def _write(world: World, pod: Object, run: Run, statuses: list[Object], lives: list[Life]) -> None:
    phase = "Pending"
    if lives and all(life.phase == "ended" for life in lives):
        phase = "Failed" if any(life.exit_code for life in lives) else "Succeeded"
    elif any(life.phase in ("running", "back-off", "ended") for life in lives):
        phase = "Running"
    ready = bool(statuses) and all(status["ready"] for status in statuses)
    if ready and run.ready_since is None:
        run.ready_since, run.turned = world.time, world.time
    elif not ready and run.ready_since is not None:
        run.ready_since, run.turned = None, world.time
    unready = " ".join(status["name"] for status in statuses if not status["ready"])
    why = (
        ("", "")
        if ready
        else ("ContainersNotReady", f"containers with unready status: [{unready}]")
    )
    if phase == "Succeeded":
        why = ("PodCompleted", "")
    begun = phase != "Pending" or run.begun is not None
    ip = f"10.244.0.{int(_digest(pod['metadata']['uid']), 16) % 250 + 2}"
    world.set_status(
        pod,
        {
            "phase": phase,
            "conditions": [
                _condition(run, "PodReadyToStartContainers", begun),
                _condition(run, "Initialized", True),
                _condition(run, "Ready", ready, *why),
                _condition(run, "ContainersReady", ready, *why),
                _condition(run, "PodScheduled", True),
            ],
            "hostIP": "192.0.2.10",
            **({"podIP": ip, "podIPs": [{"ip": ip}]} if begun else {}),
            "startTime": stamp(run.scheduled or run.born),
            "containerStatuses": statuses,
            "qosClass": _QOS,
        },
    )


_QOS = "Burstable"


def _condition(run: Run, kind: str, true: bool, reason: str = "", message: str = "") -> Object:
    turned = run.turned if kind in ("Ready", "ContainersReady") and run.turned else run.born
    condition = {
        "type": kind,
        "status": "True" if true else "False",
        "lastProbeTime": None,
        "lastTransitionTime": stamp(turned),
    }
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    return condition


def _waiting(reason: str, message: str | None = "") -> Object:
    return {"reason": reason, "message": message} if message else {"reason": reason}


def _container(container: Object, state: Object, **more: Any) -> Object:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": False,
        "started": False,
        "restartCount": 0,
        "state": state,
        "lastState": {},
        **more,
    }


def _alive(container: Object, life: Life, begun: float) -> Object:
    name, image = container["name"], container["image"]
    own = f"containerd://{_digest(f'{name}{begun}{life.restarts}')}"
    ended = {
        "exitCode": life.exit_code,
        "reason": "Error" if life.exit_code else "Completed",
        "startedAt": stamp(begun + life.previous),
        "finishedAt": stamp(begun + life.ended),
        "containerID": own,
    }
    back_off = f'Back-off pulling image "{image}": ErrImagePull: {_unpullable(image)}'
    crashed = f"back-off restarting failed container={name}"
    states: dict[str, Object] = {
        "creating": {"waiting": _waiting("ContainerCreating")},
        "pulling": {"waiting": _waiting("ErrImagePull", _unpullable(image))},
        "pull-back-off": {"waiting": _waiting("ImagePullBackOff", back_off)},
        "back-off": {"waiting": _waiting("CrashLoopBackOff", crashed)},
        "running": {"running": {"startedAt": stamp(begun + life.started)}},
        "ended": {"terminated": ended},
    }
    if life.phase in ("creating", "pulling", "pull-back-off"):
        return _container(container, states[life.phase])
    digest = image.partition("@")[2] or f"sha256:{_digest(image)}"
    return _container(
        container,
        states[life.phase],
        imageID=f"{image.partition('@')[0].rsplit(':', 1)[0]}@{digest}",
        containerID=own,
        ready=life.ready,
        started=life.phase == "running",
        restartCount=life.restarts,
        lastState={"terminated": ended} if life.previous and life.phase != "ended" else {},
    )


def _record_events(
    world: World, pod: Object, container: Object, how: Behaviour, life: Life
) -> None:
    """Records the events of the state of a container."""
    name, image = container["name"], container["image"]
    if life.phase == "pulling":
        world.event(
            pod, "Warning", "Failed", f'Failed to pull image "{image}": {_unpullable(image)}'
        )
    elif life.phase == "pull-back-off":
        world.event(pod, "Normal", "BackOff", f'Back-off pulling image "{image}"')
    elif life.phase == "back-off":
        text = f"Back-off restarting failed container {name} in pod {pod['metadata']['name']}"
        world.event(pod, "Warning", "BackOff", text)
    elif life.phase == "running":
        world.event(pod, "Normal", "Started", f"Started container {name}")
        if how.never_ready:
            world.event(pod, "Warning", "Unhealthy", "Readiness probe failed")


def _unpullable(image: str) -> str:
    return (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": '
        f'failed to resolve reference "{image}": {image}: not found'
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
