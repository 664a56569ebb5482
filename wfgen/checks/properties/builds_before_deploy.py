"""Nothing is deployed unless every build of the release succeeded.

A release is all or nothing: an image that was not built would be the old one under a new name, or
none at all. A service that did not change has no build, and that is no failure; one that is not
built because something before it failed is.

Let the deploy depend on the result of every build: `!contains(needs.*.result, 'failure')` and
`'cancelled'` where builds may be skipped.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wfgen.checks.scenarios.roles import Action

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_run(story: Story) -> str:
    """Looks at every build where a migration or a deploy began."""
    if not story.touched:
        return ""
    wanted = json.loads(story.output("plan", "build") or "[]")
    for action in story.pipeline.of("build"):
        result = _result(story, action)
        asked = bool({*action.services} & {*wanted})
        if result in ("failure", "cut") or (result == "skipped" and asked):
            return f"deploys although {action.job} ended as {result}"
        if result == "skipped" and not story.of("plan") and _suppressed(story, action.job):
            return f"deploys although {action.job} was skipped for what failed before it"
    return ""


def _result(story: Story, action: Action) -> str:
    ends = [done.end for done in story.of("build") if done.action == action]
    return ends[0] if ends else "skipped"


def _suppressed(story: Story, path: str) -> bool:
    """Whether a job that this one waits for failed or was cancelled."""
    prefix = path[: len(path) - len(path.rpartition("/")[2])]
    for name in story.pipeline.places[path].job.needs:
        before = prefix + name
        if story.run.jobs[before].result in ("failure", "cancelled"):
            return True
        if _suppressed(story, before):
            return True
    return False
