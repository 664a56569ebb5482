"""What `wfgen simulate` is asked for: which jobs go wrong; and the run that comes of it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from wfgen.actions import SUCCESS, Outcome, ScenarioError
from wfgen.actions.outcomes import Kind
from wfgen.checks.scenarios.choice import Choice
from wfgen.checks.scenarios.choices import choices, cut_off, main_of
from wfgen.checks.scenarios.events import KINDS, Event, events
from wfgen.checks.scenarios.explore import BEFORE_ALL, is_open, play
from wfgen.checks.scenarios.pipeline import Pipeline
from wfgen.checks.scenarios.roles import key_of
from wfgen.checks.scenarios.story import Stage, Story
from wfgen.errors import WfgenError
from wfgen.findings import did_you_mean

_KINDS: Mapping[str, Kind] = {
    "--fail": "failure",
    "--timeout": "cancelled",
    "--cancel": "cancelled",
    "--reject": "rejected",
}
RUN = "run"
"""`--cancel run`: before any job begins."""


@dataclass(frozen=True)
class Scenario:
    """What happens to jobs, by their paths."""

    event: str = ""
    """A kind of event; "" for the first that starts the workflow."""
    ends: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """For each job the options (`--fail`) and what they name: the path, or `path:step`."""
    outputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()


def scenario(
    pipeline: Pipeline,
    event: str = "",
    ends: Iterable[tuple[str, str]] = (),
    outputs: Iterable[str] = (),
    skipped: Iterable[str] = (),
) -> Scenario:
    """Reads what was asked for. Raises `WfgenError` for a name that no job has, and the like."""
    by_path: dict[str, list[tuple[str, str]]] = {}
    for option, asked in ends:
        if option == "--cancel" and asked == RUN:
            by_path.setdefault(BEFORE_ALL, []).append((option, RUN))
            continue
        name, _, step = asked.partition(":")
        path = find_job(pipeline, name)
        if pipeline.places[path].job.called:
            inner = ", ".join(each for each in pipeline.places if each.startswith(f"{path}/"))
            raise WfgenError(f"{option} {asked}: {path} calls a workflow; name one of {inner}")
        target = f"{path}:{_find_step(pipeline, path, step)}" if step else path
        by_path.setdefault(path, []).append((option, target))
    cancelled = [path for path, found in by_path.items() if "--cancel" in dict(found)]
    if len(cancelled) > 1:
        raise WfgenError("--cancel: a run is cancelled once; name one job")
    told: dict[str, dict[str, str]] = {}
    for each in outputs:
        left, equals, value = each.partition("=")
        name, dot, output = left.rpartition(".")
        if not (equals and dot):
            raise WfgenError(f"--output {each}: expected JOB.NAME=VALUE")
        told.setdefault(find_job(pipeline, name), {})[output] = value
    return Scenario(
        event,
        {path: tuple(found) for path, found in by_path.items()},
        told,
        frozenset(find_job(pipeline, name) for name in skipped),
    )


def read_options(pipeline: Pipeline, text: str) -> Scenario:
    """A scenario from the options of `wfgen simulate` as a text. Raises `WfgenError`."""
    words = shlex.split(text)
    told: dict[str, list[str]] = {}
    for option, value in zip_longest(words[::2], words[1::2]):
        if option not in (*_KINDS, "--event", "--skip", "--output") or value is None:
            raise WfgenError(f"--scenario: {option} is no option of simulate with a value")
        told.setdefault(option, []).append(value)
    ends = [(option, value) for option in _KINDS for value in told.get(option, ())]
    event = told.get("--event", [""])[-1]
    return scenario(pipeline, event, ends, told.get("--output", ()), told.get("--skip", ()))


def find_job(pipeline: Pipeline, name: str) -> str:
    """The path of a job by its path or by the end of it, where only one job has that.

    Raises `WfgenError` with the nearest names.
    """
    if name in pipeline.places:
        return name
    found = [path for path in pipeline.places if path.endswith(f"/{name}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise WfgenError(f"job {name} is one of several: {', '.join(found)}; name it in full")
    ends = {path.rpartition("/")[2] for path in pipeline.places}
    hint = did_you_mean(name, {*pipeline.places, *ends}, f"known: {', '.join(pipeline.places)}")
    raise WfgenError(f"{pipeline.name} has no job {name}; {hint}")


def _find_step(pipeline: Pipeline, path: str, name: str) -> str:
    job = pipeline.places[path].job
    for index, step in enumerate(job.steps):
        if name in (step.id, step.name, str(index)) and name:
            return key_of(job, index)
    known = [step.id or str(index) for index, step in enumerate(job.steps)]
    hint = did_you_mean(name, known)
    raise WfgenError(f"job {path} has no step {name}; {hint}")


def stage_of(pipeline: Pipeline, asked: Scenario) -> Stage:
    """The pipeline and the event. Raises `WfgenError` where that does not start it."""
    found = events_of(pipeline)
    kinds = [event.kind for event in found]
    if asked.event and asked.event not in kinds:
        hint = did_you_mean(asked.event, kinds, f"known: {', '.join(KINDS)}")
        raise WfgenError(f"--event {asked.event} does not start {pipeline.name}; {hint}")
    if not found:
        raise WfgenError(f"nothing starts {pipeline.name} but a workflow that calls it")
    event = next(e for e in found if not asked.event or e.kind == asked.event)
    return Stage(pipeline, event)


def events_of(pipeline: Pipeline, run: int = 1) -> list[Event]:
    """The events that start a pipeline, its previews' label set."""
    description = pipeline.description
    label = description.label if description else None
    wanted = {
        name
        for _, job in pipeline.workflow.walk()
        for text in (job.condition, *(step.condition for step in job.steps))
        if "labels" in text
        for name in re.findall(r"labels\.\*\.name, *'([^']+)'", text)
    }
    labels = sorted({*wanted, *([label] if label else [])})
    found = events(pipeline.workflow, tuple(labels), run)
    # Of a re-run is known only what the release program does then.
    known = any(action.given for action in pipeline.of("monitor"))
    return [event for event in found if event.kind != "rerun" or known]


def simulate(pipeline: Pipeline, asked: Scenario) -> Story:
    """The run that comes of it. Raises `WfgenError` for what cannot be."""
    try:
        return _simulate(stage_of(pipeline, asked), asked)
    except ScenarioError as error:
        raise WfgenError(str(error)) from error


def _simulate(stage: Stage, asked: Scenario) -> Story:
    chosen: dict[str, Choice] = {}
    if BEFORE_ALL in asked.ends:
        chosen[BEFORE_ALL] = Choice(options=("--cancel", RUN), cancels=True)
    chosen |= {path: Choice(Outcome("skipped"), ("--skip", path)) for path in asked.skipped}
    story = play(stage, chosen)
    last = stage.pipeline.last
    # Those that nobody needs come last, as in `explore`.
    for path in sorted(stage.paths, key=last.__contains__):
        if is_open(story, path):
            chosen[path] = _choose(story, path, asked)
            story = play(stage, chosen)
    _demand_all_ran(story, asked)
    return story


def _choose(story: Story, path: str, asked: Scenario) -> Choice:
    """The choice that was asked for: the first that ends so and has these outputs."""
    ends, outputs = asked.ends.get(path, ()), asked.outputs.get(path, {})
    known = choices(story, path)
    _demand_output(story, path, outputs, known)
    if not ends and not outputs:
        return known[0]
    same = [each for each in known if _ends(each) == {*ends}]
    for each in same:
        if all(each.outputs.get(name) == value for name, value in outputs.items()):
            return each
    return _with(story, path, ends, outputs, same[0] if same else known[0])


def _ends(choice: Choice) -> set[tuple[str, str]]:
    pairs = zip(choice.options[::2], choice.options[1::2], strict=True)
    return {(option, target) for option, target in pairs if option != "--output"}


def _with(
    story: Story,
    path: str,
    ends: tuple[tuple[str, str], ...],
    outputs: Mapping[str, str],
    like: Choice,
) -> Choice:
    """A choice of nobody's list: like another one, but for what was asked for."""
    options = (*(word for pair in ends for word in pair), *_output_options(path, outputs))
    actions = [action for action in story.pipeline.at[path] if action.step]
    whole = not actions and not any(":" in target for _, target in ends)
    if whole or any(option == "--reject" for option, _ in ends):
        kind = _KINDS[ends[0][0]] if ends else "success"
        outcome = Outcome(kind, {**like.outputs, **outputs} if whole else {})
        return Choice(outcome, options, any(option == "--cancel" for option, _ in ends))
    steps = dict(like.outcome.steps)
    for option, target in ends:
        key = target.partition(":")[2] or main_of(actions).step
        steps[key] = Outcome(_KINDS[option], steps[key].outputs if key in steps else {})
    for action in actions:
        had = steps.get(action.step, SUCCESS)
        steps[action.step] = Outcome(had.kind, {**had.outputs, **outputs})
    choice = Choice(Outcome("steps", {} if actions else outputs, steps), options)
    if not any(option == "--cancel" for option, _ in ends):
        return choice
    return replace(choice, outcome=cut_off(story, path, choice.outcome), cancels=True)


def _output_options(path: str, outputs: Mapping[str, str]) -> list[str]:
    return [
        word for name, value in outputs.items() for word in ("--output", f"{path}.{name}={value}")
    ]


def _demand_output(story: Story, path: str, names: Iterable[str], known: Iterable[Choice]) -> None:
    """Raises `WfgenError` for an output that the job has not."""
    has = {*story.pipeline.places[path].job.outputs}.union(*(choice.outputs for choice in known))
    for name in names:
        if name not in has:
            hint = did_you_mean(name, has, "it has none")
            raise WfgenError(f"--output {path}.{name}: {path} has no such output; {hint}")


def _demand_all_ran(story: Story, asked: Scenario) -> None:
    """Raises `WfgenError` where something was to happen to a job that does not run."""
    for path in (*asked.ends, *asked.outputs):
        if path and story.run.jobs[path].outcome is None:
            job = story.run.jobs[path]
            raise WfgenError(
                f"nothing can happen to {path}: it does not run ({job.result}: {job.why})"
            )
