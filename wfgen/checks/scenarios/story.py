"""What happened in one run, as far as the cluster, people and safety ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from wfgen.actions import JobRun, Outcome, Run, Simulator
from wfgen.actions.states import State
from wfgen.actions.steps import StepRun
from wfgen.checks.scenarios.choice import Choice
from wfgen.checks.scenarios.events import Event
from wfgen.checks.scenarios.pipeline import Pipeline
from wfgen.checks.scenarios.program import Before
from wfgen.checks.scenarios.roles import Action
from wfgen.release_program.hosting.needs import Needs
from wfgen.release_program.state.outcome import Verdict, judge, judge_request

_JUDGES = ("verdict", "gate")
End = Literal["success", "failure", "cut"]


@dataclass(frozen=True, eq=False)
class Done:
    """An action that began: how it ended, and what it put out."""

    action: Action
    end: End
    outputs: Mapping[str, str]


class Stage:
    """A pipeline and an event: all runs of them have one simulator."""

    def __init__(self, pipeline: Pipeline, event: Event) -> None:
        self.pipeline, self.event = pipeline, event
        self.simulator = Simulator(pipeline.workflow, event.contexts)
        self.paths = [path for path, place in pipeline.places.items() if not place.job.called]
        """The jobs that have steps, each after those that it needs."""
        self.choices: dict[tuple[object, ...], tuple[Choice, ...]] = {}
        """What `choices` found, kept."""
        self.cut: dict[Outcome, tuple[StepRun, ...]] = {}
        """The steps of jobs that a cancellation ends, by what happens to them."""
        self.verdicts: dict[object, Verdict] = {}
        """What `Story.judged` found, kept."""
        self._acting = [path for path in self.paths if pipeline.at[path]]
        self._done: dict[tuple[str, int], tuple[object, tuple[Done, ...]]] = {}

    def done(self, run: Run) -> list[Done]:
        """All actions that began, in the order of the jobs; kept, as runs share their jobs."""
        found: list[Done] = []
        for path in self._acting:
            state = run.states[run.places[path][0]]
            key = path, id(state)
            if key not in self._done:
                self._done[key] = state, tuple(self.find(run.jobs[path]))
            found += self._done[key][1]
        return found

    def find(self, job: JobRun) -> Iterator[Done]:
        """The actions of a job that began."""
        if not job.began or job.outcome is None:
            return
        steps = {step.key: step for step in job.steps or self.cut.get(job.outcome, ())}
        for action in self.pipeline.at[job.path]:
            if not action.step:
                yield Done(action, _end(job.outcome.kind, job.result), job.outputs)
            elif action.step in steps and steps[action.step].outcome != "skipped":
                step = steps[action.step]
                yield Done(action, _end(step.outcome), step.outputs)


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
    def done(self) -> list[Done]:
        """All actions that began, in the order of the jobs."""
        return self.stage.done(self.run)

    @cached_property
    def _by_role(self) -> Mapping[str, list[Done]]:
        found: dict[str, list[Done]] = {}
        for done in self.done:
            found.setdefault(done.action.role, []).append(done)
        return found

    def of(self, role: str) -> list[Done]:
        """The actions of a role that began."""
        return self._by_role.get(role, [])

    def output(self, role: str, name: str) -> str:
        """What the first action of a role put out; "" where none began."""
        return next((done.outputs.get(name, "") for done in self.of(role)), "")

    @property
    def options(self) -> tuple[str, ...]:
        """What `wfgen simulate` is told to show this run."""
        return tuple(option for choice in self.chosen.values() for option in choice.options)

    @property
    def oddity(self) -> int:
        """How many things went another way than usual."""
        return sum(bool(choice.options) for choice in self.chosen.values())

    @cached_property
    def touched(self) -> bool:
        """Whether a deploy or a migration began."""
        return bool(self.of("deploy") or self.of("migrate"))

    @cached_property
    def opened(self) -> bool:
        """Whether a release is in flight: its record was opened, or, without one, it began."""
        if self.pipeline.of("preflight"):
            return any(done.outputs.get("proceed", "false") != "false"
                       for done in self.of("preflight"))  # fmt: skip
        return self.touched

    @cached_property
    def verified(self) -> bool:
        """Whether everything that was deployed was found to be good."""
        watched = self.of("monitor")
        if any(done.action.given for done in watched):
            return self.output("monitor", "verified") == "true" or self.restored == "verified"
        wanted, seen = _services(self.of("deploy")), _services(watched)
        good = bool(watched) and all(done.end == "success" for done in watched)
        return good and ("" in seen or seen >= wanted)

    @cached_property
    def restored(self) -> str:
        """What the rollback says; for one of another make "all" or "failed". "" if none began."""
        found = self.of("rollback")
        if not found:
            return ""
        if found[0].action.given:
            return found[0].outputs.get("restored", "failed")
        return "all" if all(done.end == "success" for done in found) else "failed"

    @property
    def running_when_cancelled(self) -> list[str]:
        """The jobs that were decided before the run was cancelled, and the one that ran then."""
        paths = list(self.chosen)
        cut = next((i for i, path in enumerate(paths) if self.chosen[path].cancels), len(paths))
        return paths[: cut + 1]

    @property
    def stale(self) -> bool:
        """Whether the release was refused, as a newer one is live."""
        return self.output("preflight", "stale") == "true"

    def before(self, path: str) -> Before:
        """What a command in this job finds."""
        pipeline, event = self.pipeline, self.event
        watched = self.of("monitor")
        state = ""
        if watched:
            good = watched[0].outputs.get("verified") == "true"
            state = "good" if good else "cut" if watched[0].end == "cut" else "bad"
        plans = pipeline.of("plan")
        return Before(
            event=event.kind,
            trusted=event.trusted,
            labelled=event.labelled,
            description=pipeline.description,
            services=plans[0].services if plans else (),
            varied=pipeline.varied,
            opened=self.opened,
            touched=self.touched,
            applied=bool(self.of("deploy")),
            watched=state,
            cause=self.output("monitor", "cause"),
            undone=event.kind == "rerun",
            verdict=self.judged(path) if {*_JUDGES} & {a.role for a in pipeline.at[path]} else None,
        )

    def needs(self, path: str) -> Needs:
        """The results and outputs of the jobs that a job needs: toJSON(needs) there."""
        prefix = path[: len(path) - len(path.rpartition("/")[2])]
        names = self.pipeline.places[path].job.needs
        return self._told({name: self._state(prefix + name) for name in names})

    def judged(self, path: str = "") -> Verdict | None:
        """What a job knows of what became of the release; by "" all that is to be known.

        None where the environment is none of the release program's.
        """
        description = self.pipeline.description
        if description is None:
            return None
        names = self.pipeline.places[path].job.needs if path else self.pipeline.judging
        states = {name: self._state(name) for name in names}
        kept = self.stage.verdicts
        key = path, *map(id, states.values())
        if key not in kept:
            is_gate = path in {action.job for action in self.pipeline.of("gate")}
            needs = self._told(states)
            kept[key] = (judge_request if is_gate else judge)(description, needs)
        return kept[key]

    def _state(self, path: str) -> State:
        return self.run.states[self.run.places[path][0]]

    def _told(self, states: Mapping[str, State]) -> Needs:
        return Needs(
            {name: {"result": s.result, "outputs": s.outputs} for name, s in states.items()}
        )


def _services(found: list[Done]) -> set[str]:
    """The services that actions are about; "" stands for all."""
    return {name for done in found for name in (done.action.services or ("",))}
