"""Whether a rollout succeeds or fails: a sign of failure counts once it lasts."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from ..contract import Description, Service
from ..failure import Failure
from ..hosting.outputs import log
from ..names import Variable
from .kubectl import KubectlError, Object
from .pods import UNSCHEDULABLE, ServiceStatus, judge, look

RESTARTS = 2
"""Number of restarts of a new pod that make a crash loop: a single one may be an accident."""


def poll_seconds() -> float:
    """Seconds between two looks at the cluster (WFGEN_POLL_SECONDS, 2)."""
    return float(os.environ.get(Variable.POLL_SECONDS, "2"))


def doubt_seconds() -> float:
    """Seconds that a sign of failure must last before it counts (WFGEN_DOUBT_SECONDS, 12).

    The kubelet retries a failed pull after 10 s: by then it failed twice.
    https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff
    """
    return float(os.environ.get(Variable.DOUBT_SECONDS, "12"))


def patience(reason: str) -> float:
    """How long a sign with this reason must last, in seconds.

    Longer for a pod without a node: an autoscaler must notice it, or a volume be created.
    """
    return doubt_seconds() * (4 if reason == UNSCHEDULABLE else 1)


class Doubt:
    """Signs of failure and how long they last: one that is seen once is often a false alarm."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def lasting(self, signs: list[str]) -> str:
        """The first of these signs (POD: REASON: MESSAGE) that has lasted; '' where none has."""
        now = time.time()
        # By reason, whichever pod has it. The reason of a failing pull alternates.
        reasons = [sign.partition(": ")[2].partition(":")[0] for sign in signs]
        reasons = ["ErrImagePull" if r == "ImagePullBackOff" else r for r in reasons]
        self._since = {reason: self._since.get(reason, now) for reason in reasons}
        for sign, reason in zip(signs, reasons):
            if now - self._since[reason] >= patience(reason):
                return sign
        return ""


class NotReady(Failure):
    """A rollout that failed, or was not ready in time."""

    def __init__(self, service: Service, reason: str) -> None:
        super().__init__(f"{service.name}: {reason}")
        self.service = service


class Unanswered(Failure):
    """The API server did not answer in time: the state of the rollout is unknown."""


def is_unanswered(problem: Exception) -> bool:
    """Whether a problem is the API server's, proves nothing about the release, and may pass."""
    return isinstance(problem, Unanswered) or (
        isinstance(problem, KubectlError) and problem.inconclusive
    )


def wait(
    description: Description,
    services: list[Service],
    objects: list[Object],
    meanwhile: Callable[[], None],
) -> None:
    """Waits until services are ready, calling `meanwhile` after each look.

    Raises `NotReady` where a service fails or is not ready in time, and `Unanswered`.
    """
    started = time.time()
    watches = [Watch(service, started) for service in services]
    while watches:
        look_at(description, watches, objects)
        for watch in watches:
            demand_progress(watch, started)
        if all(watch.ready for watch in watches):
            return
        meanwhile()
        time.sleep(poll_seconds())


def demand_progress(watch: Watch, started: float) -> None:
    """Raises `NotReady` where a rollout failed or is not ready in time, and `Unanswered`.

    `started` is when it was applied, in seconds since the epoch.
    """
    if watch.failure:
        raise NotReady(watch.service, watch.failure)
    limit = watch.service.timeout_seconds
    if watch.ready or time.time() - started <= limit:
        return
    if watch.answered:
        reason = f"not ready after {limit} s: {watch.last or 'never ready'}"
        raise NotReady(watch.service, reason)
    raise Unanswered(f"{watch.service.name}: the API server did not answer in time")


def look_at(description: Description, watches: Sequence[Watch], objects: list[Object]) -> None:
    """Lists the cluster's objects once and judges all watched services by them.

    Where the API server does not answer, nothing is concluded.
    """
    cluster = None
    try:
        cluster = look(description, [watch.service for watch in watches])
    except KubectlError as error:
        log(f"no answer from the API server: {error}")
    for watch in watches:
        watch.judge(judge(watch.service, objects, cluster, watch.settled) if cluster else None)


class Watch:
    """One service under observation: signs of failure count once they last.

    `since` is when the release began, in seconds since the epoch: restarts of older pods before
    the first look do not count.
    """

    def __init__(self, service: Service, since: float) -> None:
        self.service = service
        self.since = since
        self.restarts = 0
        """Number of restarts of new pods since the first look."""
        self.ready = False
        self.failure = ""
        """Why the rollout failed; '' where it did not."""
        self.last = ""
        """What was last logged of it."""
        self.status: ServiceStatus | None = None
        """What the last look found; None where the API server did not answer."""
        self.answered = False
        self._doubt = Doubt()
        self._before: dict[str, int] = {}
        self.settled: dict[str, int] = {}
        """Number of copies that each workload wanted when all of them were first ready."""

    def judge(self, status: ServiceStatus | None) -> None:
        """Takes in what one look found; None where the API server did not answer."""
        self.status, self.answered = status, status is not None
        if status is None:
            self.ready = False
            return
        self.ready = status.ready
        if self.ready and not self.settled:
            self.settled = status.copies
        self.restarts = 0
        for name, (count, created, codes) in status.pods.items():
            before = self._before.setdefault(name, 0 if created >= self.since - 1 else count)
            self.restarts += count - before
            if count - before >= RESTARTS:
                status.fatal = f"{name} restarted {count} times (exit code {codes or 'unknown'})"
        self.failure = status.fatal or self._doubt.lasting(status.signs)
        text = status.text + "; ".join([status.fatal] if status.fatal else status.signs[:1])
        if text.strip() != self.last:
            self.last = text.strip()
            log(f"{self.service.name}: {self.last}{' ready' if self.ready else ''}")
