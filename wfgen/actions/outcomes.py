"""What happens to jobs and to the run from outside: what no condition decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Result = Literal["success", "failure", "cancelled", "skipped"]
"""https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#needs-context"""
Kind = Literal["success", "failure", "cancelled", "timed_out", "rejected", "skipped", "steps"]

ENDS: dict[Kind, Result] = {
    "success": "success",
    "failure": "failure",
    "cancelled": "cancelled",
    "timed_out": "cancelled",
    "rejected": "failure",
    "skipped": "skipped",
}
"""How a job ends, by the kind of its outcome; of "steps" the steps decide."""


class ScenarioError(Exception):
    """Outcomes that cannot be; the message names the job and what it could be."""


class Outcome:
    """What happens to a job once its condition holds. Equal ones are the same object.

    `cancelled` is the job's own, as by a newer run of its concurrency group: the run goes on.
    `timed_out` ends as cancelled. `rejected` is the environment's approval: the job fails before
    it begins. `skipped` treats the condition as false. `steps` goes through the job's steps, each
    as `steps` says; there `timed_out` is a failure.
    """

    __slots__ = ("kind", "outputs", "steps")
    _made: ClassVar[dict[object, Outcome]] = {}

    kind: Kind
    outputs: Mapping[str, str]
    """The job's outputs by name; a job that fails or is cancelled can have put some out."""
    steps: Mapping[str, Outcome]
    """By the step's id, or its position from 0; the outputs of these are the steps'. What the job
    puts out then comes from its own expressions."""

    def __new__(
        cls,
        kind: Kind = "success",
        outputs: Mapping[str, str] | None = None,
        steps: Mapping[str, Outcome] | None = None,
    ) -> Outcome:
        outputs, steps = outputs or {}, steps or {}
        key = (kind, frozenset(outputs.items()), frozenset(steps.items()))
        made = cls._made.get(key)
        if made is None:
            made = super().__new__(cls)
            made.kind, made.outputs, made.steps = kind, dict(outputs), dict(steps)
            cls._made[key] = made
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Outcome, (self.kind, self.outputs, self.steps)

    def __repr__(self) -> str:
        more = {"outputs": self.outputs, "steps": self.steps}
        told = [repr(self.kind), *(f"{name}={value!r}" for name, value in more.items() if value)]
        return f"Outcome({', '.join(told)})"


SUCCESS = Outcome()


@dataclass(frozen=True)
class Cancellation:
    """The run is cancelled while a job runs (`during`, its path; "": before any job begins).

    What that job needs has ended by then, and so has all in `finished`. Jobs whose needs have all
    ended run at that time; all others have not begun.
    """

    during: str = ""
    finished: frozenset[str] = frozenset()
