"""What happens to jobs and to the run from outside, which no condition decides."""

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
"""The result of a job by the kind of its outcome; for "steps" the steps decide."""


class ScenarioError(Exception):
    """Outcomes that are not possible; the message names the job and what is possible."""


class Outcome:
    """What happens to a job if its condition holds. Equal outcomes are the same object.

    `cancelled` cancels the job and not the run, as a newer run of its concurrency group does.
    `timed_out` ends as cancelled. `rejected` is the decision of the environment's reviewers: the
    job fails before it begins. `skipped` treats the condition as false. `steps` runs the job's
    steps, each with its outcome in `steps`; there `timed_out` is a failure.
    """

    __slots__ = ("kind", "outputs", "steps")
    _made: ClassVar[dict[object, Outcome]] = {}

    kind: Kind
    outputs: Mapping[str, str]
    """The job's outputs by name; a job that fails or is cancelled can have some."""
    steps: Mapping[str, Outcome]
    """By the step's id, or its position from 0, with the step's outputs. The job's outputs then
    come from its expressions."""

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
        shown = [repr(self.kind), *(f"{name}={value!r}" for name, value in more.items() if value)]
        return f"Outcome({', '.join(shown)})"


SUCCESS = Outcome()


@dataclass(frozen=True)
class Cancellation:
    """The run is cancelled while the job at path `during` runs; "": before any job begins.

    The needs of that job and the jobs in `finished` have ended by then. Jobs whose needs have all
    ended are running; all others have not begun.
    """

    during: str = ""
    finished: frozenset[str] = frozenset()
