"""Where no job fails, every change is released: deployed, monitored, recorded.

A pipeline that never deploys breaks no other property, and its runs are green. A condition that
reads an output by a wrong name, or waits for a job that is rightly skipped, makes such a pipeline.

The roles are steps of a few jobs: a deploy and a monitor of the release, the audit of the last job.
Preflight, in the deploy's job, decides under the lock: every run enters it, also one whose plan
proposes nothing, except pull requests without a preview.

Check the condition of the first job or step that was skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story
_RELEASED = ("deploy", "monitor", "audit", "prune")
_DECIDED = ("audit",)


def check_run(story: Story) -> str:
    """Checks runs in which every job that ran succeeded."""
    plans = [plan for plan in story.of("plan") if plan.action.given]
    if not plans or story.event.kind == "rerun":
        return ""
    if any(choice.kind for choice in story.chosen.values()):
        return ""
    request = bool(story.pipeline.of("gate"))
    if request and story.output("plan", "proposed") != "true":
        return "" if story.run.conclusion == "success" else "nothing to release, and the run is red"
    if story.pipeline.of("preflight") and not story.of("preflight"):
        return "no job failed, and nothing was decided under the lock"
    for role in _DECIDED if story.contained else _RELEASED:
        if _runs_here(story, role) and not story.of(role):
            return f"no job failed, and no {role} ran"
    if story.of("rollback"):
        return "no job failed, and the release was rolled back"
    return "" if story.run.conclusion == "success" else "no job failed, and the run is red"


def _runs_here(story: Story, role: str) -> bool:
    """Whether the pipeline has the role; a preview is deleted as a whole, and prunes nothing."""
    description = story.pipeline.description
    pruned = role != "prune" or description is None or not description.preview
    return pruned and bool(story.pipeline.of(role))
