"""Every run ends in a verdict on all of its jobs, and a failed release sends a notification.

The verdict, the gate of a pull request and the notification have `if: always()` and need every job
that they judge: they see no other results, and a required check that is skipped never reports.

Add the job to `needs` of the verdict and of the notification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story

_REPORTING = ("verdict", "gate", "notify")


def check_run(story: Story) -> str:
    """Compares what the reporting jobs can see with what happened."""
    for action in story.pipeline.of(*_REPORTING):
        began = any(report.action == action for report in story.of(action.role))
        failed = story.opened and not story.verified
        if not began and _never_began(story, action.job) and (action.given or failed):
            return f"no job runs to {'notify' if action.role == 'notify' else 'judge'}"
    truth = story.judged()
    for report in (*story.of("verdict"), *story.of("notify")):
        job = report.action.job
        seen = story.judged(job)
        if seen and truth and seen.state != truth.state:
            return f"job {job} reports `{seen.state}`; the release is `{truth.state}`"
        for revert in story.of("revert"):
            read = story.needs(job).output(revert.action.job, "reverted")
            if revert.action.given and read != revert.outputs.get("reverted", ""):
                return f"job {job} does not see what job {revert.action.job} opened"
    return ""


def _never_began(story: Story, path: str) -> bool:
    """Whether the job did not run at all; one whose first step failed did."""
    return not story.run.jobs[path].began
