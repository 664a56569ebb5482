"""Every lasting environment has a watchdog, whatever becomes of its runs.

A run that is cancelled by force, or whose runner is lost, rolls nothing back. The watchdog starts
when a release's workflow has ended, however that is, and on a schedule, as `workflow_run` is not
promised to come (https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#workflow_run).

Name the workflow under `workflow_run`, and give the watchdog's job no condition.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wfgen.checks.properties._breach import Breach, with_places
from wfgen.checks.scenarios.pipeline import Pipeline

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_files(pipelines: tuple[Pipeline, ...]) -> Iterator[Breach]:
    """Looks for a watchdog of each environment that the release program releases to."""
    for pipeline, action, place in with_places(pipelines, "deploy"):
        name = pipeline.environment(action)
        if not action.given or pipeline.known.get(name, {}).get("preview", True):
            continue
        mine = [each for each in pipelines if name in _watched(each)]
        if not mine:
            yield Breach(pipeline, f"no watchdog looks at {name}", place)
        elif not any("schedule" in each.workflow.triggers for each in mine):
            yield Breach(mine[0], f"no schedule starts the watchdog of {name}")
        elif not any(pipeline.workflow.name in _after(each) for each in mine):
            yield Breach(mine[0], f"the watchdog does not start after {pipeline.workflow.name}")


def _watched(pipeline: Pipeline) -> set[str]:
    return {pipeline.environment(action) for action in pipeline.of("watchdog")}


def _after(pipeline: Pipeline) -> list[str]:
    below = pipeline.workflow.triggers.get("workflow_run") or {}
    names = below.get("workflows") or []
    return [names] if isinstance(names, str) else list(names)


def check_run(story: Story) -> str:
    """Every run of the watchdog looks at all of its environments."""
    if story.run.cancelled:
        return ""
    for action in story.pipeline.of("watchdog"):
        job = story.run.jobs[action.job]
        if not job.began:
            return f"the watchdog runs without {action.job}"
    return ""
