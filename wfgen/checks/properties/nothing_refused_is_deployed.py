"""Nothing is deployed that was refused: by a reviewer, by preflight, or by who cancels the run.

`always()` runs a job whatever its `needs` came to, in a cancelled run too
(https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#always). Whoever
writes it has to name each result that the job depends on.

Begin the deploy's condition with `!cancelled()`, and name the results of the approval, of
preflight and of the migrations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_run(story: Story) -> str:
    """Looks at runs in which a migration or a deploy began."""
    if not story.touched:
        return ""
    for action in story.pipeline.of("approval"):
        if story.run.result(action.job) in ("failure", "cancelled"):
            return f"deploys although {action.job} did not succeed"
    if story.pipeline.of("preflight") and story.output("preflight", "proceed") != "true":
        return "deploys although preflight did not say `proceed`"
    running = story.running_when_cancelled
    deploys = {done.action.job for done in (*story.of("migrate"), *story.of("deploy"))}
    if story.run.cancelled and (late := sorted(deploys - {*running})):
        return f"{late[0]} begins in a run that was cancelled before"
    if story.run.cancelled and running[-1] in deploys - _cut(story):
        return f"{running[-1]} goes on in a run that is cancelled"
    deployed, migrated = story.of("deploy"), story.of("migrate")
    if deployed and any(done.end != "success" for done in migrated):
        return "deploys although a migration did not succeed"
    return ""


def _cut(story: Story) -> set[str]:
    return {path for path in story.chosen if path and story.run.result(path) == "cancelled"}
