"""Every run of every pipeline against the safety properties; a counterexample where one breaks.

The quick part looks at the files alone and belongs to each render. The whole makes every run that
differs (see `wfgen.checks.scenarios.explore`) for each kind of event, and asks each property.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wfgen.actions.reading import Read, folder_reader
from wfgen.actions.workflow import WorkflowError
from wfgen.checks.properties import PROPERTIES, Breach
from wfgen.checks.scenarios.pipeline import Pipeline, read_pipeline
from wfgen.checks.scenarios.roles import LOCKED
from wfgen.errors import WfgenError
from wfgen.findings import Diagnostic, Position
from wfgen.locks.pins import LOCK
from wfgen.text import header

if TYPE_CHECKING:
    from wfgen.actions.rules import Rule
    from wfgen.checks.scenarios.events import Event
    from wfgen.checks.scenarios.story import Story
    from wfgen.generate.render import RenderedFile

WORKFLOWS = ".github/workflows"


@dataclass(frozen=True, order=True)
class Counterexample:
    """A property that does not hold."""

    property: str
    file: str
    message: str
    command: str = ""
    """What shows it; "" where the file alone does."""
    line: int = 1

    def diagnostic(self) -> Diagnostic:
        """The same as a finding, with what to do."""
        known = next(each for each in PROPERTIES if each.name == self.property)
        hint = f"see it by: {self.command}" if self.command else known.remedy
        return Diagnostic(Position(self.file, self.line), self.message, self.property, hint)


@dataclass(frozen=True)
class Tried:
    """What was tried of one pipeline."""

    workflow: str
    runs: Mapping[str, int]
    """Runs by kind of event."""
    alike: Mapping[str, str]
    """Kinds of events of which no condition tells that they are not the other one."""


@dataclass(frozen=True)
class Proof:
    """What was tried, and what does not hold."""

    tried: tuple[Tried, ...]
    broken: tuple[Counterexample, ...]

    @property
    def documented(self) -> list[Rule]:
        """The rules of GitHub's that no program vouches for but its documentation."""
        from wfgen.actions.rules import TABLE

        return [rule for rule in TABLE if not rule.witness]

    @property
    def runs(self) -> int:
        """All runs that were tried."""
        return sum(sum(each.runs.values()) for each in self.tried)


def prove(pipelines: Iterable[Pipeline]) -> Proof:
    """All properties, all runs that differ."""
    pipelines = tuple(pipelines)
    broken = check_files(pipelines)
    tried = []
    for pipeline in pipelines:
        done, found = _explore(pipeline)
        tried.append(done)
        broken += found
    return Proof(tuple(tried), tuple(sorted({*broken})))


def check_files(pipelines: tuple[Pipeline, ...]) -> list[Counterexample]:
    """The quick part: what is wrong whatever happens in a run, sorted."""
    return sorted(
        {
            _of_file(each.name, breach)
            for each in PROPERTIES
            if each.check_files
            for breach in each.check_files(pipelines)
        }
    )


def check_rendered(files: Iterable[RenderedFile]) -> list[Diagnostic]:
    """The quick part, of what was rendered and is not written yet.

    But for pins: those are the lock's, and what is wrong there is drift, with remedies of its own.
    """
    texts = {file.path: file.text for file in files if file.path != LOCK}
    paths = [path for path in texts if path.startswith(f"{WORKFLOWS}/")]
    found = check_files(read_all(paths, texts.__getitem__))
    return [each.diagnostic() for each in found if each.property != "pinned-with-credentials"]


def _of_file(name: str, breach: Breach) -> Counterexample:
    line = breach.place.job.line if breach.place else 1
    return Counterexample(name, breach.file, breach.message, "", line)


def runs_of(pipeline: Pipeline) -> Iterator[Story]:
    """Every run that differs, for each event that differs."""
    from wfgen.checks.scenarios.explore import stories
    from wfgen.checks.scenarios.story import Stage

    for event, like in _events(pipeline):
        if event.kind == like:
            yield from stories(Stage(pipeline, event))


def broken_by(story: Story) -> Iterator[tuple[str, str]]:
    """The properties that a run breaks, and how."""
    for name, check in _CHECKS:
        if message := check(story):
            yield name, message


_CHECKS = [(each.name, each.check_run) for each in PROPERTIES if each.check_run]


def _events(pipeline: Pipeline) -> Iterator[tuple[Event, str]]:
    """Each event that starts a pipeline, and the first kind that no condition tells from it."""
    from wfgen.checks.scenarios.events import told_apart
    from wfgen.checks.scenarios.scenario import events_of

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
    found = [
        Counterexample(name, pipeline.workflow.path, message, command(story, usual))
        for name, (_, story, message) in smallest.items()
    ]
    alike = {kind: like for kind, like in kinds.items() if kind != like}
    return Tried(pipeline.workflow.path, runs, alike), found


def summary(proof: Proof) -> list[str]:
    """What was tried of each pipeline, and in the last line what came of it."""
    lines = []
    for each in proof.tried:
        counts = ", ".join(f"{kind} {count:,}" for kind, count in each.runs.items())
        lines.append(f"{each.workflow}: {sum(each.runs.values()):,} runs ({counts})")
        lines += [f"  {kind}: as {like}" for kind, like in each.alike.items()]
    names = ", ".join(rule.name for rule in proof.documented)
    lines.append(f"rules for which GitHub's documentation alone vouches: {names}")
    held = len(PROPERTIES) - len({each.property for each in proof.broken})
    tried = f"{proof.runs:,} runs of {len(proof.tried)} workflows"
    lines.append(f"{held} of {len(PROPERTIES)} properties hold in {tried}")
    return lines


def demand_roles(pipelines: Iterable[Pipeline]) -> None:
    """Raises `WfgenError` for a workflow of which nobody says what it deploys."""
    for pipeline in pipelines:
        if not pipeline.of(*LOCKED):
            raise WfgenError(
                f"{pipeline.workflow.path}: no job or step says what it does; write a comment such "
                "as `# wfgen: deploy` at its line. See docs/reference.md, Roles"
            )


def command(story: Story, usual_event: str) -> str:
    """The command line that shows a run."""
    path = story.pipeline.workflow.path
    named = story.pipeline.name if path.startswith(f"{WORKFLOWS}/") else path
    event = ["--event", story.event.kind] if story.event.kind != usual_event else []
    return shlex.join(["wfgen", "simulate", named, *event, *story.options])


def generated(root: Path) -> tuple[Pipeline, ...]:
    """The pipelines of a repository that wfgen wrote, as they lie there.

    Raises `WfgenError` where there are none, or where one is no workflow.
    """
    read = folder_reader(root)
    paths = [
        f"{WORKFLOWS}/{path.name}"
        for path in sorted((root / WORKFLOWS).glob("*.yml"))
        if header.begins(path.read_text("utf-8", errors="replace"))
    ]
    if not paths:
        raise WfgenError(f"{WORKFLOWS} has no workflow that wfgen wrote; first: wfgen render")
    return read_all(paths, read)


def read_all(paths: Iterable[str], read: Read) -> tuple[Pipeline, ...]:
    """The pipelines among some workflow files: those that an event can start."""
    found = []
    for path in paths:
        try:
            pipeline = read_pipeline(path, read)
        except WorkflowError as error:
            raise WfgenError(str(error)) from error
        if set(pipeline.workflow.triggers) - {"workflow_call"}:
            found.append(pipeline)
    return tuple(found)
