"""A run is green only where its release was verified, or there was nothing to release.

People look at the colour. `needs` and `if` make it easy to be green by skipping: every job after a
skipped one is skipped as well, and a run of skipped jobs is green. That there is nothing to release
is decided by preflight under the lock, not by the plan; a pull request without a preview has none.

End the pipeline with a job that has `if: always()`, needs the release, and fails unless the
monitor succeeded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_run(story: Story) -> str:
    """Checks what a green run did."""
    if story.run.conclusion != "success" or story.verified:
        return ""
    if story.event.kind != "rerun" and (story.opened or story.touched):
        return "the run is green, and its release was not verified"
    if story.contained:
        return ""
    if story.output("plan", "proposed") == "true":
        return "the run is green, and the proposed release did not happen"
    if story.of("plan") and story.pipeline.of("preflight") and not story.pipeline.of("gate"):
        return "the run is green, and nothing was decided under the lock"
    return ""
