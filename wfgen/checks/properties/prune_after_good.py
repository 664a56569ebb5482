"""What an old release needs is removed only after the new one was found to be good.

A rollback applies the manifests of the release before: their ConfigMaps and Secrets must be there.

Gate the pruning on the monitor's own word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_run(story: Story) -> str:
    """Looks at runs in which something is pruned."""
    if story.of("prune") and not story.verified:
        return "prunes although the release was not found to be good"
    return ""
