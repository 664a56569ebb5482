"""Runs of a stage: one in which given things happen, or every one that differs.

Every job that runs is given each of its choices, one job after the other, so that a run is known
by its choices. What nobody can observe is left out: jobs that no other needs go wrong one at a
time, since only the run's result depends on them, and builds that are read alike are tried by a
few of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wfgen.actions import Cancellation
from wfgen.checks.scenarios.choice import Choice
from wfgen.checks.scenarios.choices import choices
from wfgen.checks.scenarios.story import Stage, Story

BEFORE_ALL = ""
"""In place of a job's path: the run is cancelled before any job begins."""


def play(stage: Stage, chosen: Mapping[str, Choice]) -> Story:
    """The run in which these choices were made, by job."""
    cancellation: Cancellation | None = None
    ended: list[str] = []
    for path, choice in chosen.items():
        if choice.cancels:
            cancellation = Cancellation(path, frozenset(ended))
        ended.append(path)
    outcomes = {path: choice.outcome for path, choice in chosen.items() if path != BEFORE_ALL}
    return Story(stage, stage.simulator.run(outcomes, cancellation), chosen)


def is_open(story: Story, path: str) -> bool:
    """Whether a job ran, and what happens to it is not said yet."""
    job = story.run.jobs[path]
    cut_off = story.run.cancelled and job.result == "cancelled"
    return job.outcome is not None and path not in story.chosen and not cut_off


def stories(stage: Stage) -> Iterator[Story]:
    """Every run that differs, each once."""
    yield from _branch(stage, 0, {})
    at_once = Choice(options=("--cancel", "run"), cancels=True)
    yield from _branch(stage, 0, {BEFORE_ALL: at_once})


def _branch(stage: Stage, index: int, chosen: dict[str, Choice]) -> Iterator[Story]:
    story = play(stage, chosen)
    for at in range(index, len(stage.paths)):
        path = stage.paths[at]
        if path in stage.pipeline.last or not is_open(story, path):
            continue
        for choice in choices(story, path):
            if not (choice.cancels and story.run.cancelled):
                yield from _branch(stage, at + 1, {**chosen, path: choice})
        return
    yield from _ends(stage, story)


def _ends(stage: Stage, story: Story) -> Iterator[Story]:
    """The jobs that nobody needs: all go well, or one of them does not."""
    last = stage.pipeline.last
    ways = {path: choices(story, path) for path in stage.paths
            if path in last and is_open(story, path)}  # fmt: skip
    usual = {path: each[0] for path, each in ways.items()}
    yield play(stage, {**story.chosen, **usual})
    for path, each in ways.items():
        for choice in each[1:]:
            if not (choice.cancels and story.run.cancelled):
                # First, as what is chosen before a cancellation has ended by then.
                yield play(stage, {**story.chosen, path: choice} | usual | {path: choice})
