"""What a rollout comes to: bad signs count once they last, and so does good news."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from ..contract import Description, Service
from ..failure import Failure
from ..hosting.outputs import log
from ..state import record
from ..state.record import Record
from .kubectl import KubectlError, Object
from .pods import UNSCHEDULABLE, State, judge, look

RESTARTS = 2
"""So many restarts of a new pod are a crash loop: the first may be bad luck."""


def poll_seconds() -> float:
    """How often the cluster is looked at (WFGEN_POLL_SECONDS, 2)."""
    return float(os.environ.get("WFGEN_POLL_SECONDS", "2"))


def doubt_seconds() -> float:
    """How long a bad sign must last before it counts (WFGEN_DOUBT_SECONDS, 12).

    The kubelet tries a pull that failed again after 10 s: then it failed twice.
    https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff
    """
    return float(os.environ.get("WFGEN_DOUBT_SECONDS", "12"))


def patience(reason: str) -> float:
    """How long a sign of this reason must last, in seconds.

    A pod waits longer for a node: an autoscaler has to see it first, a volume has to be made.
    """
    return doubt_seconds() * (4 if reason == UNSCHEDULABLE else 1)


class Doubt:
    """Bad signs and how long they last: a single sighting is often a false alarm."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def lasting(self, signs: list[str]) -> str:
        """The first of these signs (POD: REASON: MESSAGE) that has lasted; '' where none has."""
        now = time.time()
        # In whichever pod it is. A pull is tried, and waited for, in turns.
        reasons = [sign.partition(": ")[2].partition(":")[0] for sign in signs]
        reasons = ["ErrImagePull" if r == "ImagePullBackOff" else r for r in reasons]
        self._since = {reason: self._since.get(reason, now) for reason in reasons}
        for sign, reason in zip(signs, reasons):
            if now - self._since[reason] >= patience(reason):
                return sign
        return ""


class NotReady(Failure):
    """A rollout that failed by what was seen of it."""

    def __init__(self, service: Service, reason: str) -> None:
        super().__init__(f"{service.name}: {reason}")
        self.service = service


class Unanswered(Failure):
    """The API server did not answer in time: nothing is known of the rollout."""


def is_unanswered(problem: Exception) -> bool:
    """Whether a problem says nothing of what was released, and may be over later."""
    return isinstance(problem, Unanswered) or (
        isinstance(problem, KubectlError) and problem.inconclusive
    )


def wait(
    description: Description, found: Record, services: list[Service], objects: list[Object]
) -> None:
    """Waits until services are ready, and keeps the lease meanwhile.

    Raises `NotReady` where they will not be, or not in time, and `Unanswered`.
    """
    started = time.time()
    watches = [Watch(service, started) for service in services]
    while watches:
        look_at(description, watches, objects)
        waiting = [watch for watch in watches if not watch.ready]
        for watch in watches:
            if watch.failure:
                raise NotReady(watch.service, watch.failure)
        if not waiting:
            return
        for watch in waiting:
            if time.time() - started > watch.service.timeout_seconds:
                told = watch.last or "never ready"
                reason = f"not ready after {watch.service.timeout_seconds} s: {told}"
                if watch.answered:
                    raise NotReady(watch.service, reason)
                raise Unanswered(f"{watch.service.name}: the API server did not answer in time")
        record.renew(description, found)
        time.sleep(poll_seconds())


def look_at(description: Description, watches: Sequence[Watch], objects: list[Object]) -> None:
    """One look at the cluster, for all that are watched; no answer proves nothing either way."""
    cluster = None
    try:
        cluster = look(description, [watch.service for watch in watches])
    except KubectlError as error:
        log(f"no answer: {error}")
    for watch in watches:
        state = judge(watch.service, objects, cluster, watch.settled) if cluster else None
        watch.judge(state)


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
        self._doubt = Doubt()
        self._before: dict[str, int] = {}
        self.settled: dict[str, int] = {}
        """How many copies of each workload were to be ready when all of them first were."""

    def judge(self, state: State | None) -> None:
        """Takes in what one look found of the service; None where there was no answer."""
        if state is None:
            self.ready, self.answered, self.state = False, False, None
            return
        self.answered, self.ready, self.state = True, state.ready, state
        if self.ready and not self.settled:
            self.settled = state.copies
        self.restarts = 0
        for name, (count, made, codes) in state.pods.items():
            before = self._before.setdefault(name, 0 if made >= self.since - 1 else count)
            self.restarts += count - before
            if count - before >= RESTARTS:
                state.doom = f"{name} restarted {count} times (exit code {codes or 'unknown'})"
        self.failure = state.doom or self._doubt.lasting(state.signs)
        text = state.text + "; ".join([state.doom] if state.doom else state.signs[:1])
        if text.strip() != self.last:
            self.last = text.strip()
            log(f"{self.service.name}: {self.last}{' ready' if self.ready else ''}")
