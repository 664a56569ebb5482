"""Jobs.

https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from __future__ import annotations

from tests.kube_api.behaviour import pause
from tests.kube_api.resources import Object
from tests.kube_api.store import stamp
from tests.kube_api.world import World, condition, counts, digest


def sync(world: World, job: Object) -> None:
    """One step of a Job's controller."""
    spec, note = job["spec"], world.note(job)
    if "ended" in note:
        _expire(world, job)
        return
    if spec.get("suspend") or not world.sees(job):
        return
    note.setdefault("started", world.time)
    pods = world.store.owned("pods", job)
    phases = [pod["status"]["phase"] for pod in pods]
    failed, succeeded = phases.count("Failed"), phases.count("Succeeded")
    active = [pod for pod in pods if pod["status"]["phase"] in ("Pending", "Running")]
    restarts = sum(
        status["restartCount"]
        for pod in active
        for status in pod["status"].get("containerStatuses") or []
    )
    due = note["started"] + spec.get("activeDeadlineSeconds", 1e9) * world.time_scale
    ended: tuple[str, str, str] | None = None
    if succeeded >= spec["completions"]:
        ended = ("Complete", "CompletionsReached", "Reached expected number of succeeded pods")
    elif max(failed, restarts) > spec["backoffLimit"]:
        text = "Job has reached the specified backoff limit"
        ended = ("Failed", "BackoffLimitExceeded", text)
    elif world.time >= due:
        text = "Job was active longer than specified deadline"
        ended = ("Failed", "DeadlineExceeded", text)
    else:
        world.wake(due)
        _start(world, job, len(active), failed, succeeded)
        active = [
            pod
            for pod in world.store.owned("pods", job)
            if pod["status"]["phase"] in ("Pending", "Running")
        ]
    if ended:
        for pod in active:
            world.delete_pod(job, pod)
        if ended[0] == "Failed":
            failed += len(active)
        active = []
        note["ended"] = world.time
        world.event(job, "Normal", "Completed" if ended[0] == "Complete" else ended[1], ended[2])
    _write_status(world, job, (len(active), failed, succeeded), ended)


def _start(world: World, job: Object, active: int, failed: int, succeeded: int) -> None:
    note, spec = world.note(job), job["spec"]
    if active >= min(spec["parallelism"], spec["completions"] - succeeded):
        return
    if failed:
        if note.get("counted") != failed:
            note.update(counted=failed, again=world.time + pause(failed, world.time_scale))
        if world.time < note["again"]:
            world.wake(note["again"])
            return
    number = note["made"] = note.get("made", 0) + 1
    name = f"{job['metadata']['name']}-{digest([job['metadata']['uid'], number])[:5]}"
    world.make_pod(job, name, spec["template"])


def _write_status(
    world: World,
    job: Object,
    numbers: tuple[int, int, int],
    ended: tuple[str, str, str] | None,
) -> None:
    active, failed, succeeded = numbers
    ready = sum(world.is_ready(pod) for pod in world.store.owned("pods", job))
    status: Object = {
        "startTime": stamp(world.note(job)["started"]),
        **counts(active=active, failed=failed, succeeded=succeeded),
        "ready": ready if active else 0,
        "terminating": 0,
        "uncountedTerminatedPods": {},
    }
    if ended:
        kind, reason, message = ended
        before = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
        at = world.note(job)["ended"]
        status["conditions"] = [
            condition(name, True, reason, message, at) for name in (before, kind)
        ]
        if kind == "Complete":
            status["completionTime"] = stamp(at)
    world.set_status(job, status)


def _expire(world: World, job: Object) -> None:
    limit = job["spec"].get("ttlSecondsAfterFinished")
    if limit is None:
        return
    due = world.note(job)["ended"] + limit * world.time_scale
    if world.time >= due:
        world.store.remove(world.key(job))
    else:
        world.wake(due)
