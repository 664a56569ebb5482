"""Everything that can happen to a job, given what happened before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, product
from math import prod

from wfgen.actions import Cancellation, Job, JobRun, Outcome
from wfgen.actions.outcomes import Kind
from wfgen.checks.scenarios.choice import Choice
from wfgen.checks.scenarios.program import Ending, endings
from wfgen.checks.scenarios.roles import IN_THE_CLUSTER, LOCKED, Action, index_of, key_of
from wfgen.checks.scenarios.story import ActionRun, Story

_KINDS: Mapping[str, Kind] = {"success": "success", "failure": "failure", "cut": "cancelled"}
FLAGS: Mapping[str, str] = {"failure": "--fail", "cut": "--timeout"}
"""The options of `wfgen simulate` by how an action ends."""
_MANY = 100
"""Combinations of a job's steps that are tried; beyond it, one step differs at a time."""
_JUDGES = ("verdict", "gate")
_REUSED = frozenset(("plan", "build", "images", "approval", "preflight", "migrate", "deploy"))
"""Roles whose jobs a re-run of failed jobs, after a rollback, takes over from the first attempt."""


def choices(story: Story, path: str) -> tuple[Choice, ...]:
    """Each choice that differs from the others, first the usual one, in which the job succeeds."""
    stage, pipeline = story.stage, story.pipeline
    roles = {action.role for action in pipeline.at[path]}
    touched = story.opened, story.touched, bool(story.of("deploy"))
    state = (path, *touched, _watched(story), story.output("monitor", "cause"))
    key = (*state, story.judged(path) if roles & {*_JUDGES} else None)
    if key not in stage.choices:
        stepped = any(action.step for action in pipeline.at[path])
        candidates = list(_stepped(story, path) if stepped else _plain(story, path))
        fixed = _is_fixed(story, path, roles)
        differing = candidates[:1] if fixed else _that_differ(story, path, candidates)
        stage.choices[key] = tuple(differing)
    return stage.choices[key]


def try_choice(story: Story, path: str, choice: Choice) -> JobRun:
    """The job's run with this choice."""
    outcomes = {name: chosen.outcome for name, chosen in story.chosen.items() if name}
    cancellation = Cancellation(path, frozenset(story.chosen)) if choice.cancels else None
    run = story.stage.simulator.run({**outcomes, path: choice.outcome}, cancellation)
    return run.jobs[path]


def cut_off(story: Story, path: str, outcome: Outcome) -> Outcome:
    """The outcome of a job that a cancellation of the run ends, from the outcomes of its steps.

    Its runner still runs the steps whose conditions hold, and sends the job's outputs:
    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
    """
    alone = try_choice(story, path, Choice(outcome))
    cut = Outcome("steps", alone.outputs, outcome.steps)
    story.stage.cut[cut] = alone.steps
    return cut


def _that_differ(story: Story, path: str, candidates: list[Choice]) -> Iterator[Choice]:
    """Without those with the same effect on every other job, on the cluster and on people."""
    seen: set[object] = set()
    observed = story.stage.simulator.observed(path)
    for choice in candidates:
        if choice.cancels and story.run.cancelled:
            yield choice  # a run is cancelled once: `explore` leaves it out
            continue
        job = try_choice(story, path, choice)
        outputs = tuple((name, job.outputs.get(name, "")) for name in sorted(observed))
        traces = frozenset(_trace(action_run) for action_run in story.stage.find(job))
        key = (choice.cancels, job.result, outputs, traces - {()})
        if key not in seen:
            seen.add(key)
            yield choice


def _trace(action_run: ActionRun) -> tuple[object, ...]:
    """The effect of an action; () for one that has the same effect as not beginning."""
    role, end = action_run.action.role, action_run.end
    outputs = tuple(sorted(action_run.outputs.items()))
    if role in LOCKED:
        return (role, end if role == "monitor" else end == "success", outputs)
    return (role, outputs) if end == "success" else ()


def _watched(story: Story) -> str:
    monitors = story.of("monitor")
    return ",".join(f"{monitor.end}{monitor.outputs.get('verified', '')}" for monitor in monitors)


def _is_fixed(story: Story, path: str, roles: set[str]) -> bool:
    """Whether another choice would show nothing new: in a re-run, or in a build like others."""
    if story.event.kind == "rerun" and roles & _REUSED:
        return True
    builds = [a for a in story.pipeline.at[path] if a.role == "build" and a.services]
    return bool(builds) and not any({*b.services} & story.pipeline.varied for b in builds)


def _plain(story: Story, path: str) -> Iterator[Choice]:
    """The choices of a job of which only the outputs that others read are known."""
    stage, job = story.stage, story.pipeline.places[path].job
    names = sorted(stage.simulator.observed(path))
    literals = story.pipeline.literals
    # Values of an unknown output: each literal in a condition that reads it, and "".
    tried = [(*literals.get(name, ())[:3], "") for name in names]
    combined = [dict(zip(names, values, strict=True)) for values in product(*tried)][:_MANY]
    usual = combined[0]
    for outputs in combined:
        yield Choice(Outcome("success", outputs), _output(path, outputs, usual), outputs=outputs)
    yield Choice(Outcome("failure"), ("--fail", path))
    yield Choice(Outcome("timed_out"), ("--timeout", path))
    if any(action.role == "approval" for action in story.pipeline.at[path]) and job.environment:
        yield Choice(Outcome("rejected"), ("--reject", path))
    yield Choice(Outcome("success", usual), ("--cancel", path), cancels=True, outputs=usual)


def _stepped(story: Story, path: str) -> Iterator[Choice]:
    """The choices of a job with steps that have roles."""
    job = story.pipeline.places[path].job
    actions = [action for action in story.pipeline.at[path] if action.step]
    possible = [_endings(story, action) for action in actions]
    if len(actions) > 1:
        possible = _of_those_that_run(story, path, actions, possible)
    usual = tuple(known[0] for known in possible)
    size = prod(map(len, possible))
    free = size <= _MANY and not any(action.given for action in actions)
    together = product(*possible) if free else _one_at_a_time(possible, usual)
    for chosen in together:
        yield _choice(path, actions, chosen, possible)
    yield from _cancelled(story, path, actions, possible)
    if index_of(job, actions[0].step) > 0:
        yield _early(job, path, actions, possible)
    if index_of(job, actions[-1].step) < len(job.steps) - 1:
        key = key_of(job, len(job.steps) - 1)
        steps = _steps(actions, usual)
        steps[key] = Outcome("failure")
        yield Choice(Outcome("steps", steps=steps), ("--fail", f"{path}:{key}"))


def _of_those_that_run(
    story: Story, path: str, actions: list[Action], possible: list[tuple[Ending, ...]]
) -> list[tuple[Ending, ...]]:
    """Only the first ending of a step of the release program that is skipped in this run."""
    steps = _steps(actions, [known[0] for known in possible])
    job = try_choice(story, path, Choice(Outcome("steps", steps=steps)))
    skipped = {step.key for step in job.steps if step.outcome == "skipped"}
    return [
        known[:1] if action.given and action.step in skipped else known
        for action, known in zip(actions, possible, strict=True)
    ]


def _steps(actions: list[Action], chosen: Sequence[Ending]) -> dict[str, Outcome]:
    return {
        action.step: Outcome(_KINDS[ending.kind], ending.outputs)
        for action, ending in zip(actions, chosen, strict=True)
    }


def _cancelled(
    story: Story, path: str, actions: list[Action], possible: list[tuple[Ending, ...]]
) -> Iterator[Choice]:
    """The run is cancelled while the job runs: this ends it, unless its condition still holds."""
    usual = tuple(known[0] for known in possible)
    outcome = Outcome("steps", steps=_steps(actions, usual))
    goes_on = Choice(outcome, ("--cancel", path), cancels=True)
    if story.run.cancelled or try_choice(story, path, goes_on).result != "cancelled":
        yield goes_on
        return
    for chosen in _one_at_a_time(possible, usual):
        if any(ending.kind == "cut" for ending in chosen):
            choice = _choice(path, actions, chosen, possible, cancels=True)
            yield replace(choice, outcome=cut_off(story, path, choice.outcome))


def main_of(actions: list[Action]) -> Action:
    """The action that an option means that names only the job."""
    return actions[-1] if actions[-1].given else actions[0]


def _endings(story: Story, action: Action) -> tuple[Ending, ...]:
    if action.given:
        return endings(action.role, story.before(action.job))
    return Ending("success"), Ending("failure"), Ending("cut")


def _one_at_a_time(
    possible: list[tuple[Ending, ...]], usual: tuple[Ending, ...]
) -> Iterator[tuple[Ending, ...]]:
    yield usual
    for index, known in enumerate(possible):
        for ending in known[1:]:
            yield (*usual[:index], ending, *usual[index + 1 :])


def _choice(
    path: str,
    actions: list[Action],
    chosen: Sequence[Ending],
    possible: list[tuple[Ending, ...]],
    *,
    cancels: bool = False,
) -> Choice:
    """The choice in which the job's actions have the endings `chosen`, one of each `possible`."""
    options: list[str] = []
    outputs: dict[str, str] = {}
    for action, ending, known in zip(actions, chosen, possible, strict=True):
        outputs.update(ending.outputs)
        first = next(other for other in known if other.kind == ending.kind)
        if ending.kind != known[0].kind:
            flag = "--cancel" if cancels else FLAGS[ending.kind]
            options += [flag, path if action is main_of(actions) else f"{path}:{action.step}"]
        options += _output(path, ending.outputs, first.outputs)
    steps = _steps(actions, chosen)
    return Choice(Outcome("steps", steps=steps), tuple(options), cancels, outputs)


def _output(path: str, outputs: Mapping[str, str], usual: Mapping[str, str]) -> tuple[str, ...]:
    """The options for outputs that are not the usual ones."""
    values = [f"{path}.{name}={value}" for name, value in outputs.items()
              if value != usual.get(name, "")]  # fmt: skip
    return tuple(chain.from_iterable(("--output", value) for value in values))


def _early(
    job: Job, path: str, actions: list[Action], possible: list[tuple[Ending, ...]]
) -> Choice:
    """A step before the first action fails; actions that still run cannot reach their cluster."""
    key = key_of(job, 0)
    steps = {key: Outcome("failure")}
    outputs: dict[str, str] = {}
    for action, known in zip(actions, possible, strict=True):
        failures = [ending for ending in known if ending.kind == "failure"]
        ending = failures[0] if failures and action.role in IN_THE_CLUSTER else known[0]
        kind: Kind = "failure" if ending in failures else "success"
        steps[action.step] = Outcome(kind, ending.outputs)
    return Choice(Outcome("steps", steps=steps), ("--fail", f"{path}:{key}"), outputs=outputs)
