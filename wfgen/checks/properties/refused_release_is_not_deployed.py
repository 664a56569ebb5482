"""Nothing is deployed after a reviewer or preflight refused it, or after the run was cancelled.

`always()` runs a job whatever the results in its `needs`, in a cancelled run too
(https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#always). A condition
with it must name each result that the job depends on. Preflight, the migration and the deploy are
steps of one job: a step without a status function is skipped once one before it has failed or was
cancelled, and `proceed` is read in the step's condition.

Begin the deploy job's condition with `!cancelled()`, name the result of the approval where it is
called, and give its steps no status function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_run(story: Story) -> str:
    """Checks runs in which a migration or a deploy began."""
    if not story.touched:
        return ""
    for action in story.pipeline.of("approval"):
        if story.run.result(action.job) in ("failure", "cancelled"):
            return f"deploys although job {action.job} did not succeed"
    if story.pipeline.of("preflight") and story.output("preflight", "proceed") != "true":
        return "deploys although the output `proceed` of preflight is not true"
    if any(preflight.end != "success" for preflight in story.of("preflight")):
        return "deploys although preflight did not succeed"
    running = story.running_when_cancelled
    changing = {done.action.job for done in (*story.of("migrate"), *story.of("deploy"))}
    if story.run.cancelled and (late := sorted(changing - {*running})):
        return f"job {late[0]} begins after the run was cancelled"
    if story.run.cancelled and running[-1] in changing - _cancelled_jobs(story):
        return f"job {running[-1]} goes on after the run was cancelled"
    deploys, migrations = story.of("deploy"), story.of("migrate")
    if deploys and any(migration.end != "success" for migration in migrations):
        return "deploys although a migration did not succeed"
    return ""


def _cancelled_jobs(story: Story) -> set[str]:
    return {path for path in story.chosen if path and story.run.result(path) == "cancelled"}
