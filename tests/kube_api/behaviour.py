"""What becomes of containers, scripted by a part of their image's reference."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

READY_AFTER = 0.2
START = 0.05
"""Seconds from the pod's scheduling to the start of its containers."""
PULL = 0.1
"""Seconds that one try to pull an image takes."""
BACK_OFF = (10.0, 300.0)
"""First and longest pause between tries, in seconds of manifests.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
"""


@dataclass(frozen=True)
class Behaviour:
    """What becomes of a container. Times are real seconds from its first start on."""

    ready_after: float = READY_AFTER
    """Seconds from the pod's beginning until it is ready."""
    never_ready: bool = False
    unready_after: float | None = None
    """It was ready, and is no more."""
    pull_error: bool | float = False
    """The image cannot be pulled, for ever or for so many seconds."""
    unschedulable: bool | float = False
    """No node takes the pod, for ever or for so many seconds."""
    crash_after: float | None = None
    """Every run of the container ends so many seconds after its start."""
    crash_loop: bool = False
    """Every run ends before it is ready: `crash_after` 0.05."""
    crashes: int | None = None
    """So many runs crash; the next one stays. Without it, all crash."""
    exit_code: int = 1
    job_fails: bool = False
    job_seconds: float = 0.1
    """How long a container of a Job runs."""
    http: dict[str, int] = field(default_factory=dict)
    """Status by path, which the pod answers through the API server's proxy; else 200."""
    http_after: float = 0.0
    """Seconds from which on `http` counts; 200 before."""
    logs: str = ""

    @property
    def runs_for(self) -> float | None:
        """How long each run lasts before it crashes; None where it does not."""
        return START if self.crash_loop and self.crash_after is None else self.crash_after


class Behaviours:
    """The behaviours of a test: the first whose text is in the image's reference counts."""

    def __init__(self, told: dict[str, dict[str, Any]]) -> None:
        self.table: dict[str, Behaviour] = {}
        self.update(told)

    def update(self, told: dict[str, dict[str, Any]]) -> None:
        """Adds behaviours, before those that are there. Raises `ValueError` for unknown names."""
        known = {each.name for each in fields(Behaviour)}
        added = {}
        for part, how in told.items():
            if unknown := set(how) - known:
                raise ValueError(f"behaviour of {part!r}: unknown {', '.join(sorted(unknown))}")
            added[part] = Behaviour(**how)
        rest = {part: how for part, how in self.table.items() if part not in added}
        self.table = {**added, **rest}

    def of(self, image: str) -> Behaviour:
        """What becomes of an image."""
        return next((how for part, how in self.table.items() if part in image), Behaviour())


class Life(NamedTuple):
    """A container at one moment of its life. Times are in seconds since its pod's beginning."""

    phase: str
    """pulling, pull-back-off, creating, running, back-off, ended"""
    ready: bool = False
    restarts: int = 0
    started: float = 0.0
    ended: float = 0.0
    """When the current or last run began, and when the last run that is over ended."""
    previous: float = 0.0
    """When the run that ended last began."""
    exit_code: int = 0
    until: float = math.inf
    """When something happens next."""


def pause(number: int, scale: float) -> float:
    """Real seconds before the try after the `number`th failure, from 1 on."""
    return min(BACK_OFF[0] * 2.0 ** (number - 1), BACK_OFF[1]) * scale


def live(how: Behaviour, age: float, policy: str, scale: float) -> Life:
    """Where a container is `age` seconds after its pod's beginning."""
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
        # The first restart comes at once.
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
