"""One simulated run: which actions ran, how they ended, and what this means for the release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from wfgen.actions import JobRun, Outcome, Run, Simulator
from wfgen.actions.states import State
from wfgen.actions.steps import StepRun
from wfgen.checks.scenarios.choice import Choice
from wfgen.checks.scenarios.ending import Before, plain
from wfgen.checks.scenarios.events import Event
from wfgen.checks.scenarios.pipeline import Pipeline
from wfgen.checks.scenarios.roles import Action
from wfgen.release_program.hosting.needs import Needs, Steps
from wfgen.release_program.names import Step
from wfgen.release_program.state.outcome import Verdict, judge, judge_request

_JUDGES = ("verdict", "gate")
_OUTCOMES = {"success": "success", "failure": "failure", "cut": "cancelled"}
End = Literal["success", "failure", "cut"]


@dataclass(frozen=True, eq=False)
class ActionRun:
    """An action that began: how it ended, and its outputs."""

    action: Action
    end: End
    outputs: Mapping[str, str]
    """Without the attempt that wrote them."""


RERUNS = ("rerun", "rerun_all")
"""Kinds of events before which an attempt of the run may have left a release in flight."""


class Stage:
    """A pipeline and an event: all their runs share one simulator."""

    def __init__(self, pipeline: Pipeline, event: Event) -> None:
        self.pipeline, self.event = pipeline, event
        self.simulator = Simulator(pipeline.workflow, event.contexts)
        self.paths = [path for path, place in pipeline.places.items() if not place.job.called]
        """The jobs that have steps, each after those that it needs."""
        self.choices: dict[tuple[object, ...], tuple[Choice, ...]] = {}
        """Memo of `choices.choices`."""
        self.cut: dict[Outcome, tuple[StepRun, ...]] = {}
        """The steps of jobs that a cancellation ends, by outcome of the job."""
        self.verdicts: dict[object, Verdict] = {}
        """Memo of `Story.judged`."""
        self._acting = [path for path in self.paths if pipeline.at[path]]
        self._done: dict[tuple[str, int], tuple[object, tuple[ActionRun, ...]]] = {}

    def done(self, run: Run) -> list[ActionRun]:
        """All actions that began, in the order of the jobs. Memoized: runs share their jobs."""
        action_runs: list[ActionRun] = []
        for path in self._acting:
            state = run.states[run.places[path][0]]
            key = path, id(state)
            if key not in self._done:
                self._done[key] = state, tuple(self.find(run.jobs[path]))
            action_runs += self._done[key][1]
        return action_runs

    def find(self, job: JobRun) -> Iterator[ActionRun]:
        """The actions of a job that began."""
        if not job.began or job.outcome is None:
            return
        steps = {step.key: step for step in job.steps or self.cut.get(job.outcome, ())}
        for action in self.pipeline.at[job.path]:
            if not action.step:
                yield ActionRun(action, _end(job.outcome.kind, job.result), job.outputs)
            elif action.step in steps and steps[action.step].outcome != "skipped":
                step = steps[action.step]
                outputs = plain(step.outputs) if action.given else step.outputs
                yield ActionRun(action, _end(step.outcome), outputs)


def _end(*words: str) -> End:
    """The worst of an outcome's kind and a result."""
    if "failure" in words or "rejected" in words:
        return "failure"
    return "cut" if {"cancelled", "timed_out"} & {*words} else "success"


class Story:
    """One run of a stage, with the choices that made it."""

    def __init__(self, stage: Stage, run: Run, chosen: Mapping[str, Choice]) -> None:
        self.stage, self.run, self.chosen = stage, run, chosen
        self.pipeline, self.event = stage.pipeline, stage.event

    @cached_property
    def done(self) -> list[ActionRun]:
        """All actions that began, in the order of the jobs."""
        return self.stage.done(self.run)

    @cached_property
    def _by_role(self) -> Mapping[str, list[ActionRun]]:
        by_role: dict[str, list[ActionRun]] = {}
        for action_run in self.done:
            by_role.setdefault(action_run.action.role, []).append(action_run)
        return by_role

    def of(self, role: str) -> list[ActionRun]:
        """The actions of a role that began."""
        return self._by_role.get(role, [])

    def output(self, role: str, name: str) -> str:
        """An output of the first action of a role; "" where none began."""
        return next((action_run.outputs.get(name, "") for action_run in self.of(role)), "")

    @property
    def options(self) -> tuple[str, ...]:
        """The options with which `wfgen simulate` shows this run."""
        return tuple(option for choice in self.chosen.values() for option in choice.options)

    @property
    def oddity(self) -> int:
        """Number of jobs that did not end in the usual way."""
        return sum(bool(choice.options) for choice in self.chosen.values())

    @cached_property
    def touched(self) -> bool:
        """Whether a deploy or a migration began."""
        return bool(self.of("deploy") or self.of("migrate"))

    @cached_property
    def opened(self) -> bool:
        """Whether a release may be in flight: without records, one that began.

        A preflight that failed or was cut off may have opened the record before its output was
        written.
        """
        if self.pipeline.of("preflight"):
            return any(
                preflight.end != "success" or preflight.outputs.get("proceed") == "true"
                for preflight in self.of("preflight")
            )
        return self.touched

    @cached_property
    def broken(self) -> bool:
        """Whether a step of the deploy began and did not succeed."""
        return any(
            done.end != "success"
            for role in ("preflight", "migrate", "deploy")
            for done in self.of(role)
        )

    @cached_property
    def verified(self) -> bool:
        """Whether everything that was deployed was verified."""
        monitors = self.of("monitor")
        if any(monitor.action.given for monitor in monitors):
            return self.output("monitor", "verified") == "true" or self.restored == "verified"
        deployed, monitored = _services(self.of("deploy")), _services(monitors)
        succeeded = bool(monitors) and all(monitor.end == "success" for monitor in monitors)
        return succeeded and ("" in monitored or monitored >= deployed)

    @cached_property
    def restored(self) -> str:
        """The rollback's output `restored`; "" if none began.

        "all" or "failed" for a rollback that is not the release program's.
        """
        rollbacks = self.of("rollback")
        if not rollbacks:
            return ""
        if rollbacks[0].action.given:
            return rollbacks[0].outputs.get("restored", "failed")
        return "all" if all(rollback.end == "success" for rollback in rollbacks) else "failed"

    @property
    def running_when_cancelled(self) -> list[str]:
        """The jobs that had ended when the run was cancelled, and last the one that was running."""
        paths = list(self.chosen)
        cut = next((i for i, path in enumerate(paths) if self.chosen[path].cancels), len(paths))
        return paths[: cut + 1]

    @property
    def closes_previews(self) -> bool:
        """Whether this is a preview, whose record the monitor closes: none is rolled back."""
        description = self.pipeline.description
        return description is not None and description.preview

    @property
    def contained(self) -> bool:
        """Whether preflight found everything live that the commit changes, and released nothing."""
        return any(
            preflight.end == "success" and preflight.outputs.get("proceed") == "false"
            for preflight in self.of("preflight")
        )

    @property
    def cause(self) -> str:
        """The cause of a failure: what the rollback read in the record, or else the monitor's."""
        return self.output("rollback", "cause") or self.output("monitor", "cause")

    def before(self, path: str) -> Before:
        """The state before a command in this job."""
        pipeline, event = self.pipeline, self.event
        monitors = self.of("monitor")
        state = ""
        if monitors:
            good = monitors[0].outputs.get("verified") == "true"
            state = "good" if good else "cut" if monitors[0].end == "cut" else "bad"
        plans = pipeline.of("plan")
        return Before(
            event=event.kind,
            trusted=event.trusted,
            description=pipeline.description,
            services=plans[0].services if plans else (),
            varied=pipeline.varied,
            proposed=self.output("plan", "proposed") == "true",
            approval=bool(pipeline.of("approval")),
            opened=self.opened,
            touched=self.touched and event.kind != "rerun",
            applied=bool(self.of("deploy")),
            broken=self.broken,
            watched=state,
            cause=self.output("monitor", "cause"),
            left=event.kind in RERUNS,
            app=pipeline.has_app,
            verdict=self.judged(path) if {*_JUDGES} & {a.role for a in pipeline.at[path]} else None,
        )

    def needs(self, path: str) -> Needs:
        """The results and outputs of the jobs that a job needs: its `toJSON(needs)`."""
        prefix = path[: len(path) - len(path.rpartition("/")[2])]
        names = self.pipeline.places[path].job.needs
        return self._needs({name: self._state(prefix + name) for name in names})

    def judged(self, path: str = "") -> Verdict | None:
        """The verdict on the release from what a job can see; for "" from all jobs.

        None where the release program does not release to the environment.
        """
        description = self.pipeline.description
        if description is None:
            return None
        names = self.pipeline.places[path].job.needs if path else self.pipeline.judging
        states = {name: self._state(name) for name in names}
        memo = self.stage.verdicts
        audits = [audit for audit in self.of("audit") if audit.action.step]
        steps = Steps({Step.AUDIT: {"outcome": _OUTCOMES[audits[0].end]}}) if audits else None
        key = path, audits[0].end if audits else "", *map(id, states.values())
        if key not in memo:
            needs = self._needs(states)
            if self.pipeline.of("gate"):
                memo[key] = judge_request(description, needs)
            else:
                memo[key] = judge(description, needs, steps)
        return memo[key]

    def _state(self, path: str) -> State:
        return self.run.states[self.run.places[path][0]]

    def _needs(self, states: Mapping[str, State]) -> Needs:
        return Needs(
            {name: {"result": s.result, "outputs": s.outputs} for name, s in states.items()}
        )


def _services(action_runs: list[ActionRun]) -> set[str]:
    """The services of actions; "" for all services."""
    return {name for action_run in action_runs for name in (action_run.action.services or ("",))}
