"""The result of a run: each job's result with the reason, and the run's conclusion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wfgen.actions.compiled import CompiledJob
from wfgen.actions.decisions import Decision
from wfgen.actions.frames import Frame
from wfgen.actions.outcomes import Outcome, Result
from wfgen.actions.states import State
from wfgen.actions.steps import StepRun
from wfgen.actions.workflow import Job


class JobRun:
    """A job in a run."""

    __slots__ = ("_run", "compiled", "state")

    def __init__(self, run: Run, compiled: CompiledJob, state: State) -> None:
        self._run, self.compiled, self.state = run, compiled, state

    @property
    def path(self) -> str:
        """Its id after the ids of the jobs that call its workflow."""
        return self.compiled.path

    @property
    def job(self) -> Job:
        """The job as its file defines it."""
        return self.compiled.job

    @property
    def result(self) -> Result:
        """The value of `needs.<job>.result` in later jobs."""
        return self.state.result

    @property
    def began(self) -> bool:
        """Whether its first step, or a job that it calls, could run."""
        return self.state.began

    @property
    def outputs(self) -> Mapping[str, str]:
        """By name; a called workflow's outputs are those of the job that calls it."""
        return self.state.outputs

    @property
    def outcome(self) -> Outcome | None:
        """Its outcome; None where it did not run, or where it calls a workflow."""
        return self.state.outcome

    @property
    def steps(self) -> tuple[StepRun, ...]:
        """For an outcome of kind "steps"; with a matrix, the steps of the last combination."""
        return self.state.steps

    @property
    def error(self) -> str:
        """The error of the expression that made the job fail; otherwise ""."""
        return self.state.error

    @property
    def why(self) -> str:
        """Its condition with the values of this run: `failure() [monitor: failure]`."""
        decision = self._run.decision(self.path)
        if decision is None:
            return f"{self.path.rpartition('/')[0]} did not begin"
        return self.error or decision.explain(self._run.deciding_ancestors(self.path))


class _Jobs(Mapping[str, JobRun]):
    """The jobs of a run by path."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __getitem__(self, path: str) -> JobRun:
        run = self._run
        position, compiled = run.places[path]
        return JobRun(run, compiled, run.states[position])

    def __iter__(self) -> Iterator[str]:
        return iter(self._run.places)

    def __len__(self) -> int:
        return len(self._run.places)


@dataclass(frozen=True, eq=False, slots=True)
class Run:
    """A run of a workflow."""

    places: Mapping[str, tuple[int, CompiledJob]]
    """The index of each job's state, and the job, by path."""
    states: tuple[State, ...]
    """Equal runs of one simulator have equal states, so they can be the key of a memo."""
    frame: Frame
    phases: Mapping[str, int]
    conclusion: Result
    cancelled: bool

    @property
    def jobs(self) -> Mapping[str, JobRun]:
        """By path; each follows the jobs that it needs and the job that calls its workflow."""
        return _Jobs(self)

    def result(self, path: str) -> Result:
        """The result of a job."""
        return self.states[self.places[path][0]].result

    def began(self, path: str) -> bool:
        """Whether a job began."""
        return self.states[self.places[path][0]].began

    def frame_of(self, path: str) -> Frame | None:
        """The call that a job belongs to; None where its caller did not begin."""
        caller = path.rpartition("/")[0]
        if not caller:
            return self.frame
        frames = self.states[self.places[caller][0]].frames
        return frames[0] if frames else None

    def decision(self, path: str) -> Decision | None:
        """Whether a job begins, and why; None where its caller did not begin."""
        frame = self.frame_of(path)
        if frame is None:
            return None
        job = self.places[path][1]
        needs = [self.states[self.places[need][0]] for need in job.needed]
        return Decision(frame, job, self.phases.get(path, 0), needs)

    def deciding_ancestors(self, path: str) -> dict[str, str]:
        """For success() the ancestors that make it false, for failure() those that make it true."""
        prefix = self.places[path][1].prefix
        results = {name.removeprefix(prefix): self.result(name) for name in self._ancestors(path)}
        texts = [(result, f"{name}: {result}") for name, result in results.items()]
        return {
            "success": ", ".join(text for result, text in texts if result != "success"),
            "failure": ", ".join(text for result, text in texts if result == "failure"),
        }

    def _ancestors(self, path: str) -> list[str]:
        """The jobs that a job needs, those that they call, and those that its callers need."""
        ancestors: dict[str, None] = {}
        todo = [path]
        for name in todo:
            new = [need for need in self.places[name][1].needed if need not in ancestors]
            todo += new
            for job in [self.places[need][1] for need in new]:
                called = job.called.walk() if job.called else []
                ancestors.update(dict.fromkeys([job.path, *(inner.path for inner in called)]))
        caller = path.rpartition("/")[0]
        return [*ancestors, *(self._ancestors(caller) if caller else ())]


@dataclass(frozen=True)
class Lock:
    """A concurrency group that a job is in, evaluated."""

    holder: str
    """Where it is set: the path of a job; "" for the workflow; "job/" for a called workflow."""
    group: str
    """Names that differ only in case are the same group."""
    cancels: bool
    """Whether a newer run cancels the one that holds the group."""
    queue: str
    """"single": a newer run drops all waiting runs; "max": all wait in a queue."""
