"""Whenever a release began and the monitor did not verify it, the rollback runs.

Jobs fail, time out and are cancelled at any point, and a skipped job skips those that need it. A
rollback with `failure()` does not run after a job that timed out, as that ends as cancelled
(https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#status-check-functions).
A cancellation of the run must not end a rollback that has begun.

The rollback's job is skipped only where the deploy's job succeeded with `proceed` false, or where
the monitor wrote that the release is verified, in this attempt of the run: outputs of an earlier
attempt stay when failed jobs are re-run. In a preview, where no job rolls back, the monitor's job
closes the record of a failed release.

Give the rollback, and each of its steps, a condition that begins with `always()`, and name in it
what it needs: `always() && needs.monitor.result != 'success'`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_run(story: Story) -> str:
    """Looks for the rollback where a release is in flight and not verified."""
    if not story.opened or (story.verified and story.restored != "verified"):
        return ""
    if story.closes_previews:
        closing = any(story.run.began(action.job) for action in story.pipeline.of("monitor"))
        return "" if closing else "a preview failed, and no monitor closes its record"
    rollbacks = story.of("rollback")
    if not rollbacks:
        if not story.pipeline.of("rollback"):
            return "deploys, and no job rolls back"
        began = "a deploy began" if story.of("deploy") else "a release began"
        return f"{began}, was not verified, and no rollback runs"
    for rollback in rollbacks:
        choice = story.chosen.get(rollback.action.job)
        deploys = {deploy.action.job for deploy in story.of("deploy")}
        job = story.run.jobs[rollback.action.job]
        by_run = choice is not None and choice.cancels and job.result == "cancelled"
        if by_run and rollback.end == "cut" and job.path not in deploys:
            return "cancelling the run ends a rollback that has begun"
    return ""
