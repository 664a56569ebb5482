"""Runs of a stage: the run for given choices, or every run that differs.

Each job that runs gets each of its choices, one job after the other, so its choices identify a run.
Differences that nothing can observe are left out: jobs that no other job needs fail one at a time,
since only the run's result depends on them, and of builds that are read alike only some vary.
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
    """Whether a job ran and no choice was made for it."""
    job = story.run.jobs[path]
    cut_off = story.run.cancelled and job.result == "cancelled"
    return job.outcome is not None and path not in story.chosen and not cut_off


def stories(stage: Stage) -> Iterator[Story]:
    """Every run that differs, once."""
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
    """The jobs that no job needs: all succeed, or one of them does not."""
    last = stage.pipeline.last
    possible = {path: choices(story, path) for path in stage.paths
                if path in last and is_open(story, path)}  # fmt: skip
    usual = {path: known[0] for path, known in possible.items()}
    yield play(stage, {**story.chosen, **usual})
    for path, known in possible.items():
        for choice in known[1:]:
            if not (choice.cancels and story.run.cancelled):
                # It comes first: jobs chosen before a cancellation have ended by then.
                yield play(stage, {**story.chosen, path: choice} | usual | {path: choice})
