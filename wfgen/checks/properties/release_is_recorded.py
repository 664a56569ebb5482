"""Every release that was verified or rolled back is recorded at GitHub.

The next plan compares with the deploy tag; without one, an unchanged service is built and released
again, and git does not show what was live.

The step that tags is in the last job, with `if: always()`; a re-run of that job alone completes
what it left.

Give the job and the step that tags `always()`, and let the job need the release.
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
    return "a release ended, and nothing records it" if story.verified or rolled_back else ""
