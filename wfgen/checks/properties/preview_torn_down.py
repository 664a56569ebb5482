"""A preview is always torn down.

When its pull request is closed or the label is taken off that asked for it, and, where no event
tells that (a pull request with conflicts fires none), by a schedule that looks for what is left
over.

Give the environment a workflow on `pull_request: closed` and on a schedule.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wfgen.checks.properties._breach import Breach
from wfgen.checks.scenarios.pipeline import Pipeline

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_files(pipelines: tuple[Pipeline, ...]) -> Iterator[Breach]:
    """Every environment of previews has a teardown, on both triggers."""
    for pipeline in pipelines:
        for name in {pipeline.environment(action) for action in pipeline.of("deploy")}:
            if not pipeline.known.get(name, {}).get("preview"):
                continue
            tears = [each for each in pipelines if name in _torn_down(each)]
            if not any("closed" in _types(each) for each in tears):
                yield Breach(pipeline, f"no workflow tears {name} down when its request is closed")
            if not any("schedule" in each.workflow.triggers for each in tears):
                yield Breach(pipeline, f"no schedule looks for previews of {name} left over")


def _torn_down(pipeline: Pipeline) -> set[str]:
    return {pipeline.environment(action) for action in pipeline.of("teardown")}


def _types(pipeline: Pipeline) -> list[str]:
    below = pipeline.workflow.triggers.get("pull_request") or {}
    types = below.get("types") or []
    return [types] if isinstance(types, str) else list(types)


def check_run(story: Story) -> str:
    """A run that has to tear a preview down does."""
    if not story.pipeline.of("teardown") or story.run.cancelled or story.of("teardown"):
        return ""
    if any(story.run.jobs[each.job].began for each in story.pipeline.of("teardown")):
        return ""  # it failed on its way: the run is red, and the schedule comes
    if story.event.kind == "closed":
        return "a pull request is closed, and its preview stays up"
    if story.event.kind == "label_removed":
        return "no preview is asked for any more, and it stays up"
    listed = story.of("closed")
    if listed and listed[0].end == "success" and listed[0].outputs.get("numbers") != "[]":
        ended = all(job.result in ("success", "skipped") for job in story.run.jobs.values())
        return "previews are left over, and none is torn down" if ended else ""
    return ""
