"""Nothing is deployed unless every build of the release succeeded.

A release is deployed completely or not at all: for an image that was not built, the cluster would
get the old one under a new name, or none. The build of an unchanged service is skipped, which is
not a failure; a build that is skipped because an earlier job failed is one.

Let the deploy depend on the result of every build: `!contains(needs.*.result, 'failure')` and
`'cancelled'` where builds may be skipped.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wfgen.checks.scenarios.roles import Action

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story

_WORDS = {"failure": "failed", "cut": "was cancelled or timed out", "skipped": "was skipped"}


def check_run(story: Story) -> str:
    """Checks every build where a migration or a deploy began."""
    if not story.touched:
        return ""
    wanted = json.loads(story.output("plan", "build") or "[]")
    built = {name for build in story.of("build") for name in build.action.services}
    for action in story.pipeline.of("build"):
        result = _result(story, action)
        # Of the jobs that build a service, with and without pushing, one runs.
        is_wanted = bool({*action.services} & {*wanted} - built)
        if result in ("failure", "cut") or (result == "skipped" and is_wanted):
            return f"deploys although job {action.job} {_WORDS[result]}"
        if result == "skipped" and not story.of("plan") and _is_suppressed(story, action.job):
            return f"deploys although job {action.job} was skipped after an earlier job failed"
    return ""


def _result(story: Story, action: Action) -> str:
    ends = [build.end for build in story.of("build") if build.action == action]
    return ends[0] if ends else "skipped"


def _is_suppressed(story: Story, path: str) -> bool:
    """Whether a job that this one needs failed or was cancelled."""
    prefix = path[: len(path) - len(path.rpartition("/")[2])]
    for name in story.pipeline.places[path].job.needs:
        needed = prefix + name
        if story.run.jobs[needed].result in ("failure", "cancelled"):
            return True
        if _is_suppressed(story, needed):
            return True
    return False
