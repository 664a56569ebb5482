"""A preview is always torn down.

This happens when its pull request is closed or loses its label, and on a schedule for previews that
no event reports: a pull request with merge conflicts starts no run.

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
            teardowns = [other for other in pipelines if name in _torn_down(other)]
            if not any("closed" in _types(teardown) for teardown in teardowns):
                message = f"no workflow tears {name} down when its pull request is closed"
                yield Breach(pipeline, message)
            if not any("schedule" in teardown.workflow.triggers for teardown in teardowns):
                yield Breach(pipeline, f"no schedule tears down remaining previews of {name}")


def _torn_down(pipeline: Pipeline) -> set[str]:
    return {pipeline.environment(action) for action in pipeline.of("teardown")}


def _types(pipeline: Pipeline) -> list[str]:
    trigger = pipeline.workflow.triggers.get("pull_request") or {}
    types = trigger.get("types") or []
    return [types] if isinstance(types, str) else list(types)


def check_run(story: Story) -> str:
    """A run that has to tear a preview down does."""
    teardowns = story.pipeline.of("teardown")
    if not teardowns or story.run.cancelled or story.of("teardown"):
        return ""
    if any(story.run.jobs[action.job].began for action in teardowns):
        return ""  # an earlier step failed: the run is red, and the schedule tries again
    if story.event.kind == "closed":
        return "the pull request is closed, and its preview is not torn down"
    if story.event.kind == "label_removed":
        return "the label is removed, and the preview is not torn down"
    lists = story.of("closed")
    if lists and lists[0].end == "success" and lists[0].outputs.get("numbers") != "[]":
        ended = all(job.result in ("success", "skipped") for job in story.run.jobs.values())
        return "previews of closed pull requests remain, and none is torn down" if ended else ""
    return ""
