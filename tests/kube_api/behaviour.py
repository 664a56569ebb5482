"""How containers behave, set by a test per part of their image's reference."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

READY_AFTER = 0.2
START = 0.05
"""Seconds from the pod's scheduling to the start of its containers."""
PULL = 0.1
"""Seconds that an attempt to pull an image takes."""
BACK_OFF = (10.0, 300.0)
"""First and longest pause between attempts, in seconds of manifests.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
"""


@dataclass(frozen=True)
class Behaviour:
    """How a container behaves. Times are in real seconds since the start of its pod."""

    ready_after: float = READY_AFTER
    """When it becomes ready."""
    never_ready: bool = False
    unready_after: float | None = None
    """When it stops being ready."""
    pull_error: bool | float = False
    """The image cannot be pulled: always, or for this number of seconds."""
    unschedulable: bool | float = False
    """No node fits the pod: always, or for this number of seconds."""
    crash_after: float | None = None
    """Seconds after which each run of the container ends."""
    crash_loop: bool = False
    """Each run ends before it is ready: `crash_after` 0.05."""
    crashes: int | None = None
    """Number of runs that crash before one keeps running (default: all crash)."""
    exit_code: int = 1
    job_fails: bool = False
    job_seconds: float = 0.1
    """How long a container of a Job runs."""
    http: dict[str, int] = field(default_factory=dict)
    """Status by path for requests through the API server's proxy (default: 200)."""
    http_after: float = 0.0
    """When `http` takes effect; 200 before."""
    logs: str = ""

    @property
    def runs_for(self) -> float | None:
        """Seconds that each run lasts before it crashes; None if it does not."""
        return START if self.crash_loop and self.crash_after is None else self.crash_after


class Behaviours:
    """The behaviours of a test: of an image, the first whose text its reference contains."""

    def __init__(self, behaviours: dict[str, dict[str, Any]]) -> None:
        self.table: dict[str, Behaviour] = {}
        self.update(behaviours)

    def update(self, behaviours: dict[str, dict[str, Any]]) -> None:
        """Adds behaviours before the existing ones. Raises `ValueError` for unknown fields."""
        known = {field.name for field in fields(Behaviour)}
        added = {}
        for part, how in behaviours.items():
            if unknown := set(how) - known:
                raise ValueError(f"behaviour of {part!r}: unknown {', '.join(sorted(unknown))}")
            added[part] = Behaviour(**how)
        rest = {part: how for part, how in self.table.items() if part not in added}
        self.table = {**added, **rest}

    def of(self, image: str) -> Behaviour:
        """The behaviour of an image."""
        return next((how for part, how in self.table.items() if part in image), Behaviour())


class Life(NamedTuple):
    """The state of a container at one time. Times are in seconds since the start of its pod."""

    phase: str
    """pulling, pull-back-off, creating, running, back-off, ended"""
    ready: bool = False
    restarts: int = 0
    started: float = 0.0
    ended: float = 0.0
    """When the current or last run started, and when the last completed run ended."""
    previous: float = 0.0
    """When the last completed run started."""
    exit_code: int = 0
    until: float = math.inf
    """When the state changes next."""


def pause(number: int, scale: float) -> float:
    """Real seconds to wait after the `number`th failure, from 1 on."""
    return min(BACK_OFF[0] * 2.0 ** (number - 1), BACK_OFF[1]) * scale


def live(how: Behaviour, age: float, policy: str, scale: float) -> Life:
    """The state of a container `age` seconds after the start of its pod."""
    pulled = 0.0
    if how.pull_error:
        pulled = math.inf if how.pull_error is True else float(how.pull_error)
        if age < pulled:
            return _pull(age, pulled, scale)
    runs_for: float | None = how.runs_for
    code = how.exit_code
    if policy != "Always" and runs_for is None:
        runs_for, code = how.job_seconds, how.exit_code if how.job_fails else 0
    started, restarts, previous, ended = pulled + min(START, how.ready_after), 0, 0.0, 0.0
    if age < started:
        return Life("creating", until=started)
    while runs_for is not None and (how.crashes is None or restarts < how.crashes):
        if age < started + runs_for:
            break
        previous, ended = started, started + runs_for
        if policy == "Never" or (policy == "OnFailure" and code == 0):
            return Life("ended", False, restarts, started, ended, previous, code)
        # The first restart is immediate.
        started = ended + (pause(restarts, scale) if restarts else 0.0)
        if age < started:
            return Life("back-off", False, restarts, ended, ended, previous, code, started)
        restarts += 1
    return _running(
        how, age, Life("running", False, restarts, started, ended, previous, code), runs_for
    )


def _running(how: Behaviour, age: float, life: Life, runs_for: float | None) -> Life:
    ready_from = life.started + max(0.0, how.ready_after - START)
    changes = [ready_from]
    if how.unready_after is not None:
        changes.append(how.unready_after)
    if runs_for is not None and (how.crashes is None or life.restarts < how.crashes):
        changes.append(life.started + runs_for)
    ready = age >= ready_from and not how.never_ready
    if how.unready_after is not None and age >= how.unready_after:
        ready = False
    return life._replace(
        ready=ready, until=min((at for at in changes if at > age), default=math.inf)
    )


def _pull(age: float, pulled: float, scale: float) -> Life:
    tried, number = 0.0, 1
    while True:
        if age < tried + PULL:
            return Life("pulling", until=min(pulled, tried + PULL))
        again = tried + PULL + pause(number, scale)
        if age < again:
            return Life("pull-back-off", until=min(pulled, again))
        tried, number = again, number + 1
