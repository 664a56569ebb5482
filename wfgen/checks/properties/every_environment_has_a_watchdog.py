"""Every lasting environment has a watchdog, however its runs end.

A run that is cancelled by force, or whose runner is lost, does not roll back. The watchdog starts
when a release's workflow has ended, with any result, and on a schedule, as GitHub does not
guarantee `workflow_run`
(https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#workflow_run).
It has two jobs for an environment: one inspects without the lock, which a stuck release may hold;
one restores, in the lock, where the first found something.

Name the workflow under `workflow_run`, give the job that inspects no condition, and the one that
restores only that something was found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wfgen.checks.properties._breach import Breach, with_places
from wfgen.checks.scenarios.pipeline import Pipeline

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_files(pipelines: tuple[Pipeline, ...]) -> Iterator[Breach]:
    """Looks for a watchdog of each environment to which the release program releases."""
    for pipeline, action, place in with_places(pipelines, "deploy"):
        name = pipeline.environment(action)
        if not action.given or pipeline.known.get(name, {}).get("preview", True):
            continue
        watchdogs = [other for other in pipelines if name in _watched(other)]
        if not watchdogs:
            yield Breach(pipeline, f"no watchdog checks {name}", place)
        elif not any("schedule" in watchdog.workflow.triggers for watchdog in watchdogs):
            yield Breach(watchdogs[0], f"no schedule starts the watchdog of {name}")
        elif not any(pipeline.workflow.name in _after(watchdog) for watchdog in watchdogs):
            message = f"the watchdog does not start after {pipeline.workflow.name}"
            yield Breach(watchdogs[0], message)


def _watched(pipeline: Pipeline) -> set[str]:
    inspected, restored = (
        {pipeline.environment(action) for action in pipeline.of(role)}
        for role in ("inspect", "restore")
    )
    return inspected & restored


def _after(pipeline: Pipeline) -> list[str]:
    trigger = pipeline.workflow.triggers.get("workflow_run") or {}
    names = trigger.get("workflows") or []
    return [names] if isinstance(names, str) else list(names)


def check_run(story: Story) -> str:
    """Every run of the watchdog inspects all of its environments, and restores what it found."""
    if story.run.cancelled:
        return ""
    for action in story.pipeline.of("inspect"):
        if not story.run.began(action.job):
            return f"the watchdog runs without job {action.job}"
    for inspect in story.of("inspect"):
        environment = story.pipeline.environment(inspect.action)
        if inspect.end == "cut" or inspect.outputs.get("left") != "true":
            continue
        for action in story.pipeline.of("restore"):
            here = story.pipeline.environment(action) == environment
            if here and not story.run.began(action.job):
                return f"the watchdog found a release to restore, and job {action.job} does not run"
    return ""
