"""Where no job fails, every change is released: deployed, monitored, recorded.

A pipeline that never deploys breaks no other property, and its runs are green. A condition that
reads an output by a wrong name, or waits for a job that is rightly skipped, makes such a pipeline.

Check the condition of the first job that was skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story
_ROLES = ("deploy", "monitor", "audit", "prune")


def check_run(story: Story) -> str:
    """Checks runs in which every job that ran succeeded."""
    plans = [plan for plan in story.of("plan") if plan.action.given]
    if not plans or story.event.kind == "rerun" or story.stale:
        return ""
    if any(choice.kind for choice in story.chosen.values()):
        return ""
    if story.output("plan", "any") != "true":
        return "" if story.run.conclusion == "success" else "nothing to release, and the run is red"
    for role in _ROLES:
        if story.pipeline.of(role) and not story.of(role):
            return f"no job failed, and no {role} job ran"
    if story.of("rollback"):
        return "no job failed, and the release was rolled back"
    return "" if story.run.conclusion == "success" else "no job failed, and the run is red"
