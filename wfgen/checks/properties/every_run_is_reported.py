"""Every run ends in a verdict on all of its jobs, and a failed release sends a notification.

The verdict, the gate of a pull request and the notification are steps of the last job. The job and
each of these steps have `if: always()`, and the job needs every job that they judge: they see no
other results, and a required check that is skipped never reports.

Add the job to `needs` of the last job, and `if: always()` to the step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfgen.release_program.names import NONE, Job, Output

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story

_REPORTING = ("verdict", "gate", "notify")
_READ = (("monitor", Output.VERIFIED), ("rollback", Output.RESTORED))


def check_run(story: Story) -> str:
    """Compares what the reporting jobs can see with what happened."""
    for action in story.pipeline.of(*_REPORTING):
        began = any(report.action == action for report in story.of(action.role))
        failed = story.opened and not story.verified
        job_began = story.run.jobs[action.job].began
        if not began and (action.given or failed) and (action.step or not job_began):
            what = "step" if job_began else "job"
            return f"no {what} runs to {'notify' if action.role == 'notify' else 'judge'}"
    truth = story.judged()
    for report in (done for role in _REPORTING for done in story.of(role)):
        job = report.action.job
        seen = story.judged(job)
        if seen and truth and seen.state != truth.state:
            return f"job {job} reports `{seen.state}`; the release is `{truth.state}`"
        if unread := _unread(story, job):
            return f"job {job} does not see the output `{unread}` of the release"
        for revert in story.of("revert"):
            read = story.needs(job).output(revert.action.job, "reverted")
            reverted = revert.outputs.get("reverted", "")
            if revert.action.given and read != ("" if reverted == NONE else reverted):
                return f"job {job} does not see what job {revert.action.job} opened"
    return ""


def _unread(story: Story, job: str) -> str:
    """An output of this attempt's release that the job reads otherwise; "" for none."""
    needs = story.needs(job)
    for role, output in _READ:
        for done in story.of(role):
            written = done.outputs.get(output, "")
            if done.action.given and written and needs.output(Job.RELEASE, output) != written:
                return output
    return ""
