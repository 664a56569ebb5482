"""Everything that can happen to a job, given what happened before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import prod

from wfgen.actions import Cancellation, JobRun, Outcome
from wfgen.actions.outcomes import Kind
from wfgen.checks.scenarios.choice import Choice
from wfgen.checks.scenarios.ending import Ending, in_attempt
from wfgen.checks.scenarios.options import FLAGS, output, outputs_of, target
from wfgen.checks.scenarios.program import endings
from wfgen.checks.scenarios.roles import IN_THE_CLUSTER, LOCKED, Action, index_of, key_of
from wfgen.checks.scenarios.story import ActionRun, Story
from wfgen.release_program import names

_KINDS: Mapping[str, Kind] = {"success": "success", "failure": "failure", "cut": "cancelled"}
_MANY = 100
"""Combinations of a job's steps that are tried; beyond it, one step differs at a time."""
_JUDGES = ("verdict", "gate")
_REUSED = frozenset(("plan", "build", "approval", "preflight", "migrate", "deploy"))
"""Roles of jobs that a re-run of failed jobs takes over from the attempt before, with outputs."""


def choices(story: Story, path: str) -> tuple[Choice, ...]:
    """Each choice that differs from the others, first the usual one, in which the job succeeds."""
    stage, pipeline = story.stage, story.pipeline
    roles = {action.role for action in pipeline.at[path]}
    touched = story.opened, story.broken, story.touched, bool(story.of("deploy"))
    proposed = story.output("plan", "proposed")
    state = (path, proposed, *touched, _watched(story), story.output("monitor", "cause"))
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
    if story.event.kind == "rerun_all" and roles & {"build", "approval"}:
        return True
    builds = [a for a in story.pipeline.at[path] if a.role == "build" and a.services]
    return bool(builds) and not any({*b.services} & story.pipeline.varied for b in builds)


def _plain(story: Story, path: str) -> Iterator[Choice]:
    """The choices of a job of which only the outputs that others read are known."""
    stage, job = story.stage, story.pipeline.places[path].job
    observed = sorted(stage.simulator.observed(path))
    literals = story.pipeline.literals
    # Values of an unknown output: each literal in a condition that reads it, and "".
    tried = [(*literals.get(name, ())[:3], "") for name in observed]
    combined = [dict(zip(observed, values, strict=True)) for values in product(*tried)][:_MANY]
    usual = combined[0]
    for outputs in combined:
        yield Choice(Outcome("success", outputs), output(path, outputs, usual), outputs=outputs)
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
    usual = tuple(known[0] for known in possible)
    size = prod(map(len, possible))
    free = size <= _MANY and not any(action.given for action in actions)
    together = [*product(*possible)] if free else [*_of_the_program(story, path, possible)]
    for chosen in together:
        yield _choice(story, path, chosen, possible)
    if len(actions) < len(story.pipeline.at[path]) and job.environment:
        yield Choice(Outcome("rejected"), ("--reject", path))
    yield from _cancelled(story, path, together, possible)
    if index_of(job, actions[0].step) > 0:
        yield _early(story, path, possible)
    if index_of(job, actions[-1].step) < len(job.steps) - 1:
        key = key_of(job, len(job.steps) - 1)
        steps = _steps(story, path, usual)
        steps[key] = Outcome("failure")
        yield Choice(Outcome("steps", steps=steps), ("--fail", f"{path}:{key}"))


def _of_the_program(
    story: Story, path: str, possible: list[tuple[Ending, ...]]
) -> Iterator[tuple[Ending, ...]]:
    """One step differs at a time: from the usual run, and from each other in which steps succeed.

    A step that is skipped has its first ending.
    """
    usual = tuple(known[0] for known in possible)
    usual_skipped = _skipped(story, path, usual)
    yield from _one_at_a_time(_without(possible, usual_skipped), usual)
    for chosen in _one_at_a_time(possible, usual):
        if chosen != usual and all(ending.kind == "success" for ending in chosen):
            skipped = _skipped(story, path, chosen)
            if usual_skipped - skipped:
                yield from _one_at_a_time(_without(possible, skipped), chosen)


def _skipped(story: Story, path: str, chosen: Sequence[Ending]) -> set[int]:
    """The indices of the job's actions that are skipped with these endings."""
    job = try_choice(story, path, Choice(Outcome("steps", steps=_steps(story, path, chosen))))
    skipped = {step.key for step in job.steps if step.outcome == "skipped"}
    actions = [action for action in story.pipeline.at[path] if action.step]
    return {index for index, action in enumerate(actions) if action.step in skipped}


def _without(possible: list[tuple[Ending, ...]], skipped: set[int]) -> list[tuple[Ending, ...]]:
    return [known[:1] if index in skipped else known for index, known in enumerate(possible)]


def _steps(story: Story, path: str, chosen: Sequence[Ending]) -> dict[str, Outcome]:
    """The outcomes of the job's actions with these endings."""
    actions = [action for action in story.pipeline.at[path] if action.step]
    return {
        action.step: Outcome(
            _KINDS[ending.kind],
            in_attempt(ending.outputs, attempt(story, path)) if action.given else ending.outputs,
        )
        for action, ending in zip(actions, chosen, strict=True)
    }


def attempt(story: Story, path: str) -> str:
    """The attempt in which a job ran: a re-run takes over some jobs from the one before."""
    reused = {action.role for action in story.pipeline.at[path]} & _REUSED
    return "1" if story.event.kind == "rerun" and reused else story.event.attempt


def _cancelled(
    story: Story,
    path: str,
    together: list[tuple[Ending, ...]],
    possible: list[tuple[Ending, ...]],
) -> Iterator[Choice]:
    """The run is cancelled while the job runs: this ends it, unless its condition still holds."""
    outcome = Outcome("steps", steps=_steps(story, path, together[0]))
    goes_on = Choice(outcome, ("--cancel", path), cancels=True)
    if story.run.cancelled or try_choice(story, path, goes_on).result != "cancelled":
        yield goes_on
        return
    for chosen in together:
        if any(ending.kind == "cut" for ending in chosen):
            choice = _choice(story, path, chosen, possible, cancels=True)
            yield replace(choice, outcome=cut_off(story, path, choice.outcome))


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
    story: Story,
    path: str,
    chosen: Sequence[Ending],
    possible: list[tuple[Ending, ...]],
    *,
    cancels: bool = False,
) -> Choice:
    """The choice in which the job's actions have the endings `chosen`, one of each `possible`."""
    actions = [action for action in story.pipeline.at[path] if action.step]
    options: list[str] = []
    outputs: dict[str, str] = {}
    for action, ending, known in zip(actions, chosen, possible, strict=True):
        outputs.update(ending.outputs)
        if ending.kind != known[0].kind:
            flag = "--cancel" if cancels else FLAGS[ending.kind]
            options += [flag, target(actions, action)]
        options += outputs_of(path, ending, [e for e in known if e.kind == ending.kind])
    steps = _steps(story, path, chosen)
    return Choice(Outcome("steps", steps=steps), tuple(options), cancels, outputs)


def _early(story: Story, path: str, possible: list[tuple[Ending, ...]]) -> Choice:
    """A step before the first action fails; actions that still run cannot reach their cluster.

    Without the checkout, a step finds no action of this repository that it refers to by `./`.
    """
    job = story.pipeline.places[path].job
    key = key_of(job, 0)
    steps = {key: Outcome("failure")}
    actions = [action for action in story.pipeline.at[path] if action.step]
    for action, known in zip(actions, possible, strict=True):
        uses = job.steps[index_of(job, action.step)].uses
        fails = action.role in IN_THE_CLUSTER or uses.startswith(names.CHECKOUT)
        kind: Kind = "failure" if fails else "success"
        outputs = {} if fails else in_attempt(known[0].outputs, attempt(story, path))
        steps[action.step] = Outcome(kind, outputs)
    return Choice(Outcome("steps", steps=steps), ("--fail", f"{path}:{key}"))
