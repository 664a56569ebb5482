"""Every run ends in a verdict that knows all that happened, and a failed release is told to people.

The verdict, the gate of a pull request and the notification have `if: always()`, and need every job
that they judge: what they do not need they do not see, and a required check that is skipped never
reports.

Add the job to `needs` of the verdict and of the notification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story

_TELLING = ("verdict", "gate", "notify")


def check_run(story: Story) -> str:
    """Compares what they can see with what happened."""
    for action in story.pipeline.of(*_TELLING):
        began = [done for done in story.of(action.role) if done.action == action]
        failed = story.opened and not story.verified
        if not began and _never_came(story, action.job) and (action.given or failed):
            return f"nothing runs to {'notify' if action.role == 'notify' else 'judge'}"
    truth = story.judged()
    for done in (*story.of("verdict"), *story.of("notify")):
        seen = story.judged(done.action.job)
        if seen and truth and seen.state != truth.state:
            return f"{done.action.job} says {seen.state}, and it is {truth.state}"
        for revert in story.of("revert"):
            heard = story.needs(done.action.job).output(revert.action.job, "reverted")
            if revert.action.given and heard != revert.outputs.get("reverted", ""):
                return f"{done.action.job} does not hear what {revert.action.job} opened"
    return ""


def _never_came(story: Story, path: str) -> bool:
    """Whether the job did not run at all; one whose first step failed did."""
    return not story.run.jobs[path].began
