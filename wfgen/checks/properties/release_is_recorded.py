"""Every release that was verified or rolled back is recorded at GitHub.

The next plan compares with the deploy tag; without one, an unchanged service is built and released
again, and git does not show what was live.

Give the job that tags `always()`, and let it need the release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_run(story: Story) -> str:
    """Checks runs whose release was verified or rolled back."""
    if not story.pipeline.of("audit") or story.of("audit") or story.event.kind == "rerun":
        return ""
    rolled_back = story.restored == "all" or story.restored.startswith("except")
    if (story.verified or rolled_back) and not _failed_early(story):
        return "a release ended, and no job records it"
    return ""


def _failed_early(story: Story) -> bool:
    """Whether the recording job began, and failed before it ran the release program."""
    return any(story.run.jobs[action.job].began for action in story.pipeline.of("audit"))
