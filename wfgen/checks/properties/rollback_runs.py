"""Whenever a release began and the monitor did not find it good, the rollback runs.

Jobs fail, time out and are cancelled at any point, and a skipped job takes those that need it
along. A rollback gated on `failure()` never sees a job that timed out, as that ends as cancelled
(https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#status-check-functions).
Nor may a cancellation of the run end a rollback that has begun.

Give the rollback, and each of its steps, a condition that begins with `always()`, and name in it
what it needs: `always() && needs.monitor.result != 'success'`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_run(story: Story) -> str:
    """Looks for the rollback where a release is in flight and not good."""
    if not story.opened or (story.verified and story.restored != "verified"):
        return ""
    found = story.of("rollback")
    if not found:
        if not story.pipeline.of("rollback"):
            return "deploys, and nothing rolls back"
        began = "a deploy began" if story.of("deploy") else "a release began"
        return f"{began}, was not found to be good, and no rollback runs"
    for done in found:
        choice = story.chosen.get(done.action.job)
        deploys = {each.action.job for each in story.of("deploy")}
        job = story.run.jobs[done.action.job]
        by_run = choice is not None and choice.cancels and job.result == "cancelled"
        if by_run and done.end == "cut" and job.path not in deploys:
            return "a cancellation ends the rollback that has begun"
    return ""
