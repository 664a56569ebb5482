"""Every run of every pipeline against the safety properties; a counterexample where one breaks.

For each kind of event it makes every run that differs (see `wfgen.checks.scenarios.explore`) and
checks each property on it, after what the files alone show (`wfgen.checks.static`).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from wfgen.actions import TABLE, Rule, folder_reader
from wfgen.checks.properties import PROPERTIES
from wfgen.checks.scenarios.events import Event, told_apart
from wfgen.checks.scenarios.explore import stories
from wfgen.checks.scenarios.pipeline import Pipeline
from wfgen.checks.scenarios.roles import LOCKED
from wfgen.checks.scenarios.scenario import events_of
from wfgen.checks.scenarios.story import Stage, Story
from wfgen.checks.static import Counterexample, check_files, read_all
from wfgen.errors import WfgenError
from wfgen.release_program import names
from wfgen.text import header


@dataclass(frozen=True)
class Tried:
    """The runs of one pipeline that were tried."""

    workflow: str
    runs: Mapping[str, int]
    """Number of runs by kind of event."""
    alike: Mapping[str, str]
    """Kinds of events that no condition can distinguish from the kind named."""


@dataclass(frozen=True)
class Proof:
    """The runs that were tried, and the properties that do not hold."""

    tried: tuple[Tried, ...]
    broken: tuple[Counterexample, ...]

    @property
    def documented(self) -> list[Rule]:
        """GitHub's rules that only its documentation confirms: no program agrees in the tests."""
        return [rule for rule in TABLE if not rule.witness]

    @property
    def runs(self) -> int:
        """The number of runs that were tried."""
        return sum(sum(tried.runs.values()) for tried in self.tried)


def prove(pipelines: Iterable[Pipeline]) -> Proof:
    """Checks all properties on all runs that differ."""
    pipelines = tuple(pipelines)
    broken = check_files(pipelines)
    all_tried = []
    for pipeline in pipelines:
        tried, counterexamples = _explore(pipeline)
        all_tried.append(tried)
        broken += counterexamples
    return Proof(tuple(all_tried), tuple(sorted({*broken})))


def runs_of(pipeline: Pipeline) -> Iterator[Story]:
    """Every run that differs, for each event that differs."""
    for event, like in _events(pipeline):
        if event.kind == like:
            yield from stories(Stage(pipeline, event))


def broken_by(story: Story) -> Iterator[tuple[str, str]]:
    """The name of each property that a run breaks, and the message."""
    for name, check in _CHECKS:
        if message := check(story):
            yield name, message


_CHECKS = [(known.name, known.check_run) for known in PROPERTIES if known.check_run]


def _events(pipeline: Pipeline) -> Iterator[tuple[Event, str]]:
    """Each event that starts a pipeline, and the first kind that no condition can distinguish."""
    first: dict[object, str] = {}
    for event in events_of(pipeline):
        yield event, first.setdefault(told_apart(pipeline.reads, event), event.kind)


def _explore(pipeline: Pipeline) -> tuple[Tried, list[Counterexample]]:
    kinds = {event.kind: like for event, like in _events(pipeline)}
    usual = next(iter(kinds), "")
    runs: dict[str, int] = {}
    smallest: dict[str, tuple[tuple[int, int], Story, str]] = {}
    for story in runs_of(pipeline):
        kind = story.event.kind
        runs[kind] = runs.get(kind, 0) + 1
        for name, message in broken_by(story):
            size = (story.oddity, len(story.options) + (kind != usual))
            if name not in smallest or size < smallest[name][0]:
                smallest[name] = size, story, message
    counterexamples = [
        Counterexample(name, pipeline.workflow.path, message, command(story, usual))
        for name, (_, story, message) in smallest.items()
    ]
    alike = {kind: like for kind, like in kinds.items() if kind != like}
    return Tried(pipeline.workflow.path, runs, alike), counterexamples


def summary(proof: Proof) -> list[str]:
    """The number of runs of each pipeline; the last line is the result."""
    lines = []
    for tried in proof.tried:
        counts = ", ".join(f"{kind} {count:,}" for kind, count in tried.runs.items())
        lines.append(f"{tried.workflow}: {sum(tried.runs.values()):,} runs ({counts})")
        lines += [f"  {kind}: same as {like}" for kind, like in tried.alike.items()]
    held = len(PROPERTIES) - len({broken.property for broken in proof.broken})
    tried_runs = f"{proof.runs:,} runs of {len(proof.tried)} workflows"
    lines.append(f"{held} of {len(PROPERTIES)} properties hold in {tried_runs}")
    return lines


def demand_roles(pipelines: Iterable[Pipeline]) -> None:
    """Raises `WfgenError` for a workflow in which no job or step has a role that deploys."""
    for pipeline in pipelines:
        if not pipeline.of(*LOCKED):
            raise WfgenError(
                f"{pipeline.workflow.path}: no job or step has a role; write a comment such as "
                "`# wfgen: deploy` on its line. See docs/reference.md, Roles"
            )


def command(story: Story, usual_event: str) -> str:
    """The command line that shows a run."""
    path = story.pipeline.workflow.path
    named = story.pipeline.name if path.startswith(f"{names.WORKFLOWS}/") else path
    event = ["--event", story.event.kind] if story.event.kind != usual_event else []
    return shlex.join(["wfgen", "simulate", named, *event, *story.options])


def generated(root: Path) -> tuple[Pipeline, ...]:
    """The generated pipelines of a repository, read from its files.

    Raises `WfgenError` where there are none, or where a file is not a workflow.
    """
    read = folder_reader(root)
    paths = [
        f"{names.WORKFLOWS}/{path.name}"
        for path in sorted((root / names.WORKFLOWS).glob("*.yml"))
        if header.begins(path.read_text("utf-8", errors="replace"))
    ]
    if not paths:
        raise WfgenError(
            f"no generated workflow found in {names.WORKFLOWS}; first run `wfgen render`"
        )
    return read_all(paths, read)
