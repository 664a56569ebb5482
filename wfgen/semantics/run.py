"""Runs of a workflow: given what happens to each job that runs, which run, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from wfgen.semantics.workflow import Job, Workflow

Result = Literal["success", "failure", "cancelled", "skipped"]
Kind = Literal["success", "failure", "cancelled", "timed_out", "rejected", "steps"]


class ScenarioError(Exception):
    """Outcomes that cannot be; the message names the job and what it could be."""


@dataclass(frozen=True)
class Outcome:
    """What happens to a job once its condition holds.

    `cancelled` is the job's own (by a newer run of its concurrency group, or by hand); the run
    goes on. `timed_out` ends as cancelled. `rejected` is the environment's approval: the job
    fails before it begins. `steps` goes through the job's steps, each as `steps` says.
    """

    kind: Kind = "success"
    outputs: Mapping[str, str] = field(default_factory=dict)
    """The job's outputs by name; failed and cancelled jobs can have put some out."""
    steps: Mapping[str, Outcome] = field(default_factory=dict)
    """By step id (or position, from 0, where it has none), for kind "steps"; an outcome's outputs
    are the step's. Job outputs come from them by the job's own expressions."""


SUCCESS = Outcome()


@dataclass(frozen=True)
class Cancellation:
    """The run is cancelled while a job runs (`during`, its path; "": before any job begins).

    What the job needs, and all in `finished`, has ended by then. Jobs whose needs have all ended
    run at that time; all others have not begun.
    """

    during: str = ""
    finished: frozenset[str] = frozenset()


@dataclass(frozen=True)
class StepRun:
    """What became of a step."""

    id: str
    outcome: Result
    """Before continue-on-error counts."""
    conclusion: Result
    why: str


@dataclass(frozen=True, eq=False)
class JobRun:
    """What became of a job. Equal ones of one simulator are the same object."""

    path: str
    job: Job
    result: Result
    """As `needs.<job>.result` of later jobs shows it."""
    began: bool
    """Whether its first step, or a job that it calls, could run."""
    outputs: Mapping[str, str]
    outcome: Outcome | None
    """What happened to it; None where it did not come so far."""

    @property
    def why(self) -> str:
        """Its condition with the values of this run: `failure() [monitor: failure]`."""
        raise NotImplementedError

    @property
    def steps(self) -> tuple[StepRun, ...]:
        """Its steps, for an outcome of kind "steps"."""
        raise NotImplementedError


@dataclass(frozen=True)
class Run:
    """A run of a workflow."""

    jobs: Mapping[str, JobRun]
    """By path, in the file's order; also those that are skipped."""
    conclusion: Result
    cancelled: bool

    def began(self, path: str) -> bool:
        """Whether a job began."""
        return self.jobs[path].began


@dataclass(frozen=True)
class Lock:
    """A concurrency group that a job is in, evaluated."""

    holder: str
    """The path of the job that says it; "" where a workflow does, "job/" where a called one does."""
    group: str
    cancels: bool
    """Whether a newer run cancels the one that holds the group."""
    queue: str
    """"single": a newer run drops all that wait; "max": they wait in a queue."""


class Simulator:
    """Runs of one workflow for one event. Contexts are `github`, `inputs`, `vars`, `secrets`."""

    def __init__(self, workflow: Workflow, contexts: Mapping[str, Any]) -> None:
        """Parses all expressions. Raises `ExpressionError`, with the job's path and line."""
        raise NotImplementedError

    def run(self, outcomes: Mapping[str, Outcome], cancellation: Cancellation | None = None) -> Run:
        """One run. Raises `ScenarioError`, and `ExpressionError` as GitHub would fail the run."""
        raise NotImplementedError

    def observed(self, path: str) -> frozenset[str]:
        """The outputs of a job that any condition, input or output of a called workflow reads."""
        raise NotImplementedError

    def locks(self, path: str, run: Run) -> tuple[Lock, ...]:
        """The groups that a job is in, those of its callers and workflows included."""
        raise NotImplementedError

    def environment(self, path: str, run: Run) -> str:
        """The name of a job's environment in this run; "" where it has none."""
        raise NotImplementedError

    def permissions(self, path: str) -> Mapping[str, str]:
        """What a job's token may do, as its file says; {"*": "default"} where none says."""
        raise NotImplementedError
