"""All that can happen to a job, given what happened before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, product

from wfgen.actions import Cancellation, Job, JobRun, Outcome
from wfgen.actions.outcomes import Kind
from wfgen.checks.scenarios.choice import Choice
from wfgen.checks.scenarios.program import Said, endings
from wfgen.checks.scenarios.roles import IN_THE_CLUSTER, LOCKED, Action, index_of, key_of
from wfgen.checks.scenarios.story import Done, Story

_KINDS: Mapping[str, Kind] = {"success": "success", "failure": "failure", "cut": "cancelled"}
FLAGS: Mapping[str, str] = {"failure": "--fail", "cut": "--timeout"}
"""The options of `wfgen simulate` by how an action ends."""
_MANY = 100
"""More combinations of a job's steps are not tried together, but one step at a time."""
_JUDGES = ("verdict", "gate")
_REUSED = frozenset(("plan", "build", "images", "approval", "preflight", "migrate", "deploy"))
"""What a re-run of the failed jobs after a rollback takes over from the attempt before."""


def choices(story: Story, path: str) -> tuple[Choice, ...]:
    """Each choice that differs from the others, first the usual one, in which the job succeeds."""
    stage, pipeline = story.stage, story.pipeline
    roles = {action.role for action in pipeline.at[path]}
    touched = story.opened, story.touched, bool(story.of("deploy"))
    state = (path, *touched, _watched(story), story.output("monitor", "cause"))
    key = (*state, story.judged(path) if roles & {*_JUDGES} else None)
    if key not in stage.choices:
        stepped = any(action.step for action in pipeline.at[path])
        found = list(_stepped(story, path) if stepped else _plain(story, path))
        fixed = _is_fixed(story, path, roles)
        stage.choices[key] = tuple(found[:1] if fixed else _that_differ(story, path, found))
    return stage.choices[key]


def try_choice(story: Story, path: str, choice: Choice) -> JobRun:
    """What a job comes to by a choice."""
    outcomes = {name: each.outcome for name, each in story.chosen.items() if name}
    cancellation = Cancellation(path, frozenset(story.chosen)) if choice.cancels else None
    run = story.stage.simulator.run({**outcomes, path: choice.outcome}, cancellation)
    return run.jobs[path]


def cut_off(story: Story, path: str, outcome: Outcome) -> Outcome:
    """What happens to a job that a cancellation of the run ends, with its steps cut as said.

    Its runner still runs the steps whose conditions hold, and sends the job's outputs:
    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
    """
    alone = try_choice(story, path, Choice(outcome))
    found = Outcome("steps", alone.outputs, outcome.steps)
    story.stage.cut[found] = alone.steps
    return found


def _that_differ(story: Story, path: str, found: list[Choice]) -> Iterator[Choice]:
    """Without those that come to the same for every other job, for the cluster and for people."""
    seen: set[object] = set()
    observed = story.stage.simulator.observed(path)
    for choice in found:
        if choice.cancels and story.run.cancelled:
            yield choice  # nobody takes it
            continue
        job = try_choice(story, path, choice)
        outputs = tuple((name, job.outputs.get(name, "")) for name in sorted(observed))
        done = tuple(_trace(each) for each in story.stage.find(job))
        key = (choice.cancels, job.result, outputs, frozenset(done) - {()})
        if key not in seen:
            seen.add(key)
            yield choice


def _trace(done: Done) -> tuple[object, ...]:
    """What an action leaves that counts; () for one that might as well not have begun."""
    role = done.action.role
    told = tuple(sorted(done.outputs.items()))
    if role in LOCKED:
        return (role, done.end if role == "monitor" else done.end == "success", told)
    return (role, told) if done.end == "success" else ()


def _watched(story: Story) -> str:
    return ",".join(f"{done.end}{done.outputs.get('verified', '')}" for done in story.of("monitor"))


def _is_fixed(story: Story, path: str, roles: set[str]) -> bool:
    """Whether another choice would show nothing new: a re-run, or a build as others are."""
    if story.event.kind == "rerun" and roles & _REUSED:
        return True
    builds = [a for a in story.pipeline.at[path] if a.role == "build" and a.services]
    return bool(builds) and not any({*b.services} & story.pipeline.varied for b in builds)


def _plain(story: Story, path: str) -> Iterator[Choice]:
    """Of a job of which is known only what others read."""
    stage, job = story.stage, story.pipeline.places[path].job
    names = sorted(stage.simulator.observed(path))
    literals = story.pipeline.literals
    # What an unknown output may be: each text that a condition has beside it, and nothing.
    tried = [(*literals.get(name, ())[:3], "") for name in names]
    told = [dict(zip(names, each, strict=True)) for each in product(*tried)][:_MANY]
    usual = told[0]
    for outputs in told:
        yield Choice(Outcome("success", outputs), _output(path, outputs, usual), outputs=outputs)
    yield Choice(Outcome("failure"), ("--fail", path))
    yield Choice(Outcome("timed_out"), ("--timeout", path))
    if any(action.role == "approval" for action in story.pipeline.at[path]) and job.environment:
        yield Choice(Outcome("rejected"), ("--reject", path))
    yield Choice(Outcome("success", usual), ("--cancel", path), cancels=True, outputs=usual)


def _stepped(story: Story, path: str) -> Iterator[Choice]:
    """Of a job with steps that have roles."""
    job = story.pipeline.places[path].job
    actions = [action for action in story.pipeline.at[path] if action.step]
    said = [_endings(story, action) for action in actions]
    if len(actions) > 1:
        said = _of_those_that_run(story, path, actions, said)
    usual = tuple(each[0] for each in said)
    size = 1
    for each in said:
        size *= len(each)
    free = size <= _MANY and not any(action.given for action in actions)
    together = product(*said) if free else _one_at_a_time(said, usual)
    for ways in together:
        yield _choice(path, actions, ways, said)
    yield from _cancelled(story, path, actions, said)
    if index_of(job, actions[0].step) > 0:
        yield _early(job, path, actions, said)
    if index_of(job, actions[-1].step) < len(job.steps) - 1:
        key = key_of(job, len(job.steps) - 1)
        steps = _steps(actions, usual)
        steps[key] = Outcome("failure")
        yield Choice(Outcome("steps", steps=steps), ("--fail", f"{path}:{key}"))


def _of_those_that_run(
    story: Story, path: str, actions: list[Action], said: list[tuple[Said, ...]]
) -> list[tuple[Said, ...]]:
    """One ending will do for a step of the release program that is skipped in this run."""
    steps = _steps(actions, [ways[0] for ways in said])
    job = try_choice(story, path, Choice(Outcome("steps", steps=steps)))
    skipped = {step.key for step in job.steps if step.outcome == "skipped"}
    return [
        ways[:1] if action.given and action.step in skipped else ways
        for action, ways in zip(actions, said, strict=True)
    ]


def _steps(actions: list[Action], ways: Sequence[Said]) -> dict[str, Outcome]:
    return {
        action.step: Outcome(_KINDS[way.kind], way.outputs)
        for action, way in zip(actions, ways, strict=True)
    }


def _cancelled(
    story: Story, path: str, actions: list[Action], said: list[tuple[Said, ...]]
) -> Iterator[Choice]:
    """The run is cancelled meanwhile: that cuts the job off, unless its condition still holds."""
    usual = tuple(each[0] for each in said)
    outcome = Outcome("steps", steps=_steps(actions, usual))
    goes_on = Choice(outcome, ("--cancel", path), cancels=True)
    if story.run.cancelled or try_choice(story, path, goes_on).result != "cancelled":
        yield goes_on
        return
    for ways in _one_at_a_time(said, usual):
        if any(way.kind == "cut" for way in ways):
            choice = _choice(path, actions, ways, said, cancels=True)
            yield replace(choice, outcome=cut_off(story, path, choice.outcome))


def main_of(actions: list[Action]) -> Action:
    """The action that is meant where only the job is named."""
    return actions[-1] if actions[-1].given else actions[0]


def _endings(story: Story, action: Action) -> tuple[Said, ...]:
    if action.given:
        return endings(action.role, story.before(action.job))
    return Said("success"), Said("failure"), Said("cut")


def _one_at_a_time(
    said: list[tuple[Said, ...]], usual: tuple[Said, ...]
) -> Iterator[tuple[Said, ...]]:
    yield usual
    for index, each in enumerate(said):
        for way in each[1:]:
            yield (*usual[:index], way, *usual[index + 1 :])


def _choice(
    path: str,
    actions: list[Action],
    ways: Sequence[Said],
    said: list[tuple[Said, ...]],
    *,
    cancels: bool = False,
) -> Choice:
    """The job with its actions going these ways."""
    options: list[str] = []
    outputs: dict[str, str] = {}
    for action, way, known in zip(actions, ways, said, strict=True):
        outputs.update(way.outputs)
        first = next(each for each in known if each.kind == way.kind)
        if way.kind != known[0].kind:
            flag = "--cancel" if cancels else FLAGS[way.kind]
            options += [flag, path if action is main_of(actions) else f"{path}:{action.step}"]
        options += _output(path, way.outputs, first.outputs)
    steps = _steps(actions, ways)
    return Choice(Outcome("steps", steps=steps), tuple(options), cancels, outputs)


def _output(path: str, outputs: Mapping[str, str], usual: Mapping[str, str]) -> tuple[str, ...]:
    """The options for outputs that are not the usual ones."""
    other = [f"{path}.{name}={value}" for name, value in outputs.items()
             if value != usual.get(name, "")]  # fmt: skip
    return tuple(chain.from_iterable(("--output", each) for each in other))


def _early(job: Job, path: str, actions: list[Action], said: list[tuple[Said, ...]]) -> Choice:
    """A step before the first action fails; what runs all the same cannot reach its cluster."""
    key = key_of(job, 0)
    steps = {key: Outcome("failure")}
    outputs: dict[str, str] = {}
    for action, ways in zip(actions, said, strict=True):
        bad = [way for way in ways if way.kind == "failure"]
        way = bad[0] if bad and action.role in IN_THE_CLUSTER else ways[0]
        steps[action.step] = Outcome("failure" if way in bad else "success", way.outputs)
    return Choice(Outcome("steps", steps=steps), ("--fail", f"{path}:{key}"), outputs=outputs)
