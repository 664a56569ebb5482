"""A run is green only where its release was found to be good, or there was nothing to release.

People look at the colour. `needs` and `if` make it easy to be green by skipping: every job after
the one that was skipped is skipped as well, and a run of skipped jobs is green.

End the pipeline with a job that has `if: always()`, needs the release, and fails unless the
monitor succeeded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_run(story: Story) -> str:
    """Looks at what a green run did."""
    if story.run.conclusion != "success" or story.verified:
        return ""
    if story.opened or story.touched:
        return "the run is green, and nothing found its release to be good"
    if story.output("plan", "any") == "true" and not story.stale:
        return "the run is green, and what was to be released was not"
    return ""
