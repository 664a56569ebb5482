"""Where nothing goes wrong, what changed is released: deployed, watched, recorded.

The safest pipeline is one that never deploys. Conditions that read an output by a wrong name, or
wait for a job that is rightly skipped, make such a pipeline, and it is green.

Look at the condition of the first job that was skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story
_ALL = ("deploy", "monitor", "audit", "prune")


def check_run(story: Story) -> str:
    """Looks at runs in which every job that ran succeeded."""
    plans = [done for done in story.of("plan") if done.action.given]
    if not plans or story.event.kind == "rerun" or story.stale:
        return ""
    if any(choice.kind for choice in story.chosen.values()):
        return ""
    if story.output("plan", "any") != "true":
        return "" if story.run.conclusion == "success" else "nothing to release, and the run is red"
    for role in _ALL:
        if story.pipeline.of(role) and not story.of(role):
            return f"all went well, and no job was there to {role}"
    if story.of("rollback"):
        return "all went well, and it was rolled back"
    return "" if story.run.conclusion == "success" else "all went well, and the run is red"
