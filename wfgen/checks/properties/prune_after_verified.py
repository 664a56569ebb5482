"""Objects of an old release are removed only after the new one was verified.

A rollback applies the manifests of the previous release: its ConfigMaps and Secrets must exist.

Gate the pruning on the monitor's output `verified`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_run(story: Story) -> str:
    """Checks runs in which something is pruned."""
    if story.of("prune") and not story.verified:
        return "prunes although the release was not verified"
    return ""
