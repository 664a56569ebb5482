"""Every release that ended, well or rolled back, is recorded at GitHub.

The deploy tag is what the next plan compares with; without one, an unchanged service is built and
released again, and nobody can tell from git what was live.

Give the job that tags `always()`, and let it need the release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_run(story: Story) -> str:
    """Looks at runs whose release is good or undone."""
    if not story.pipeline.of("audit") or story.of("audit") or story.event.kind == "rerun":
        return ""
    undone = story.restored == "all" or story.restored.startswith("except")
    if (story.verified or undone) and not _failed_early(story):
        return "a release ended, and nothing records it"
    return ""


def _failed_early(story: Story) -> bool:
    """Whether the recording job did begin, and died before its program."""
    return any(story.run.jobs[action.job].began for action in story.pipeline.of("audit"))
