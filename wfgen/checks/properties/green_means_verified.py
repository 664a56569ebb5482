"""A run is green only where its release was verified, or there was nothing to release.

People look at the colour. `needs` and `if` make it easy to be green by skipping: every job after a
skipped one is skipped as well, and a run of skipped jobs is green.

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
    if story.opened or story.touched:
        return "the run is green, and its release was not verified"
    if story.output("plan", "any") == "true" and not story.stale:
        return "the run is green, and the planned release did not happen"
    return ""
