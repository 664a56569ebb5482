"""The options of `wfgen simulate`: which jobs fail; and the run that they lead to."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from wfgen.actions import SUCCESS, Outcome, ScenarioError
from wfgen.actions.outcomes import Kind
from wfgen.checks.scenarios.choice import Choice
from wfgen.checks.scenarios.choices import attempt, choices, cut_off
from wfgen.checks.scenarios.ending import in_attempt
from wfgen.checks.scenarios.events import KINDS, Event, events
from wfgen.checks.scenarios.explore import BEFORE_ALL, is_open, play
from wfgen.checks.scenarios.options import main_of, target
from wfgen.checks.scenarios.pipeline import Pipeline
from wfgen.checks.scenarios.roles import Action, key_of
from wfgen.checks.scenarios.story import RERUNS, Stage, Story
from wfgen.errors import WfgenError
from wfgen.findings import did_you_mean, one_of

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
    """By job, options (`--fail`) with their targets: the path, or `path:step`."""
    outputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()


def scenario(
    pipeline: Pipeline,
    event: str = "",
    ends: Iterable[tuple[str, str]] = (),
    outputs: Iterable[str] = (),
    skipped: Iterable[str] = (),
) -> Scenario:
    """Reads the options. Raises `WfgenError` for a value that is not valid or names no job."""
    return Scenario(
        event,
        _read_ends(pipeline, ends),
        _read_outputs(pipeline, outputs),
        frozenset(find_job(pipeline, name) for name in skipped),
    )


def _read_ends(
    pipeline: Pipeline, ends: Iterable[tuple[str, str]]
) -> dict[str, tuple[tuple[str, str], ...]]:
    by_path: dict[str, tuple[tuple[str, str], ...]] = {}
    for option, value in ends:
        path, target = (BEFORE_ALL, RUN) if (option, value) == ("--cancel", RUN) else (
            _find_target(pipeline, option, value)
        )  # fmt: skip
        by_path[path] = (*by_path.get(path, ()), (option, target))
    cancelled = [path for path, options in by_path.items() if "--cancel" in dict(options)]
    if len(cancelled) > 1:
        raise WfgenError("--cancel: a run is cancelled once; name one job")
    return by_path


def _find_target(pipeline: Pipeline, option: str, value: str) -> tuple[str, str]:
    """The path of the job that JOB or JOB:STEP names, and the path, or `path:step`."""
    name, _, step = value.partition(":")
    if not step and (action := _find_action(pipeline, name)):
        return action.job, target(pipeline.at[action.job], action)
    path = find_job(pipeline, name)
    if pipeline.places[path].job.called:
        inner = [other for other in pipeline.places if other.startswith(f"{path}/")]
        raise WfgenError(f"{option} {value}: {path} calls a workflow; name {one_of(inner)}")
    if not step:
        return path, path
    key = _find_step(pipeline, path, step)
    named = [action for action in pipeline.at[path] if action.step == key]
    return path, target(pipeline.at[path], named[0]) if named else f"{path}:{key}"


def _read_outputs(pipeline: Pipeline, outputs: Iterable[str]) -> dict[str, dict[str, str]]:
    by_path: dict[str, dict[str, str]] = {}
    for option in outputs:
        left, equals, value = option.partition("=")
        name, dot, output = left.rpartition(".")
        if not (equals and dot):
            raise WfgenError(f"--output {option}: expected JOB.NAME=VALUE")
        action = _find_action(pipeline, name)
        path = action.job if action else find_job(pipeline, name)
        by_path.setdefault(path, {})[output] = value
    return by_path


def read_options(pipeline: Pipeline, text: str) -> Scenario:
    """A scenario from the options of `wfgen simulate` in one text. Raises `WfgenError`."""
    words = shlex.split(text)
    values: dict[str, list[str]] = {}
    for option, value in zip_longest(words[::2], words[1::2]):
        if option not in (*_KINDS, "--event", "--skip", "--output") or value is None:
            raise WfgenError(f"--scenario: `{option}` is not an option of simulate with a value")
        values.setdefault(option, []).append(value)
    ends = [(option, value) for option in _KINDS for value in values.get(option, ())]
    event = values.get("--event", [""])[-1]
    return scenario(pipeline, event, ends, values.get("--output", ()), values.get("--skip", ()))


def find_job(pipeline: Pipeline, name: str) -> str:
    """The path of a job by its path, or by the end of the path where this is unique.

    Raises `WfgenError` with the nearest names.
    """
    if name in pipeline.places:
        return name
    matching = [path for path in pipeline.places if path.endswith(f"/{name}")]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise WfgenError(f"job name `{name}` is ambiguous; use {one_of(matching)}")
    ends = {path.rpartition("/")[2] for path in pipeline.places}
    hint = did_you_mean(name, {*pipeline.places, *ends}, f"expected {one_of(pipeline.places)}")
    raise WfgenError(f"{pipeline.name} has no job `{name}`; {hint}")


def _find_action(pipeline: Pipeline, name: str) -> Action | None:
    """The only step of the release program with this command; None where a job has the name."""
    if name in {end for path in pipeline.places for end in (path, path.rpartition("/")[2])}:
        return None
    found = [action for action in pipeline.of(name) if action.given]
    return found[0] if len(found) == 1 else None


def _find_step(pipeline: Pipeline, path: str, name: str) -> str:
    job = pipeline.places[path].job
    for action in pipeline.at[path]:
        if action.step and action.given and action.role == name:
            return action.step
    for index, step in enumerate(job.steps):
        if name in (step.id, step.name, str(index)) and name:
            return key_of(job, index)
    known = [step.id or str(index) for index, step in enumerate(job.steps)]
    known += [action.role for action in pipeline.at[path] if action.given]
    hint = did_you_mean(name, known)
    raise WfgenError(f"job {path} has no step `{name}`; {hint}")


def stage_of(pipeline: Pipeline, asked: Scenario) -> Stage:
    """The pipeline with the event. Raises `WfgenError` where this event does not start it."""
    possible = events_of(pipeline)
    kinds = [event.kind for event in possible]
    if asked.event and asked.event not in kinds:
        hint = did_you_mean(asked.event, kinds, f"expected {one_of(KINDS)}")
        raise WfgenError(f"--event {asked.event} does not start {pipeline.name}; {hint}")
    if not possible:
        raise WfgenError(f"no event starts {pipeline.name}: only another workflow calls it")
    event = next(e for e in possible if not asked.event or e.kind == asked.event)
    return Stage(pipeline, event)


def events_of(pipeline: Pipeline, run: int = 1) -> list[Event]:
    """The events that start a pipeline; pull requests have the labels that its conditions name."""
    description = pipeline.description
    label = description.label if description else None
    in_conditions = {
        name
        for _, job in pipeline.workflow.walk()
        for text in (job.condition, *(step.condition for step in job.steps))
        if "labels" in text
        for name in re.findall(r"labels\.\*\.name, *'([^']+)'", text)
    }
    labels = sorted({*in_conditions, *([label] if label else [])})
    possible = events(pipeline.workflow, tuple(labels), run)
    # The effect of a re-run is known only for the release program.
    known = any(action.given for action in pipeline.of("monitor"))
    return [event for event in possible if event.kind not in RERUNS or known]


def simulate(pipeline: Pipeline, asked: Scenario) -> Story:
    """The run of a scenario. Raises `WfgenError` for a scenario that is not possible."""
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
    # Jobs that no job needs come last, as in `explore`.
    for path in sorted(stage.paths, key=last.__contains__):
        if is_open(story, path):
            chosen[path] = _choose(story, path, asked)
            story = play(stage, chosen)
    _demand_all_ran(story, asked)
    return story


def _choose(story: Story, path: str, asked: Scenario) -> Choice:
    """The first choice with the ends and outputs of the scenario."""
    ends, outputs = asked.ends.get(path, ()), asked.outputs.get(path, {})
    known = choices(story, path)
    _demand_output(story, path, outputs, known)
    if not ends and not outputs:
        return known[0]
    same = [choice for choice in known if _ends(choice) == {*ends}]
    for choice in same:
        if all(choice.outputs.get(name) == value for name, value in outputs.items()):
            return choice
    return _with(story, path, ends, outputs, same[0] if same else known[0])


def _ends(choice: Choice) -> set[tuple[str, str]]:
    pairs = zip(choice.options[::2], choice.options[1::2], strict=True)
    return {(option, named) for option, named in pairs if option != "--output"}


def _with(
    story: Story,
    path: str,
    ends: tuple[tuple[str, str], ...],
    outputs: Mapping[str, str],
    like: Choice,
) -> Choice:
    """A choice that is not in the list: another one, with these ends and outputs."""
    options = (*(word for pair in ends for word in pair), *_output_options(path, outputs))
    actions = [action for action in story.pipeline.at[path] if action.step]
    whole = not actions and not any(":" in named for _, named in ends)
    if whole or any(option == "--reject" for option, _ in ends):
        kind = _KINDS[ends[0][0]] if ends else "success"
        outcome = Outcome(kind, {**like.outputs, **outputs} if whole else {})
        return Choice(outcome, options, any(option == "--cancel" for option, _ in ends))
    steps = dict(like.outcome.steps)
    for option, named in ends:
        step = named.partition(":")[2]
        key = _find_step(story.pipeline, path, step) if step else main_of(actions).step
        steps[key] = Outcome(_KINDS[option], steps[key].outputs if key in steps else {})
    for action in actions:
        previous = steps.get(action.step, SUCCESS)
        written = in_attempt(outputs, attempt(story, path)) if action.given else outputs
        steps[action.step] = Outcome(previous.kind, {**previous.outputs, **written})
    choice = Choice(Outcome("steps", {} if actions else outputs, steps), options)
    if not any(option == "--cancel" for option, _ in ends):
        return choice
    return replace(choice, outcome=cut_off(story, path, choice.outcome), cancels=True)


def _output_options(path: str, outputs: Mapping[str, str]) -> list[str]:
    return [
        word for name, value in outputs.items() for word in ("--output", f"{path}.{name}={value}")
    ]


def _demand_output(story: Story, path: str, names: Iterable[str], known: Iterable[Choice]) -> None:
    """Raises `WfgenError` for an output that the job does not have."""
    existing = {*story.pipeline.places[path].job.outputs}.union(
        *(choice.outputs for choice in known)
    )
    for name in names:
        if name not in existing:
            hint = did_you_mean(name, existing, "it has none")
            raise WfgenError(f"--output {path}.{name}: unknown output of job {path}; {hint}")


def _demand_all_ran(story: Story, asked: Scenario) -> None:
    """Raises `WfgenError` where an option names a job that does not run."""
    for path in (*asked.ends, *asked.outputs):
        if path and story.run.jobs[path].outcome is None:
            job = story.run.jobs[path]
            raise WfgenError(f"job {path} does not run in this scenario ({job.result}: {job.why})")
