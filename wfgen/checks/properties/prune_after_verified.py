"""Objects of an old release are removed only after the new one was verified.

A rollback applies the manifests of the previous release: its ConfigMaps and Secrets must exist. The
pruning is a step of the monitor's job, after the commit point: if it fails, the release is still
live and good.

Gate the step on the output `verified` of the monitor's step, with `continue-on-error`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_run(story: Story) -> str:
    """Checks runs in which something is pruned."""
    prunes = story.of("prune")
    if prunes and not story.verified:
        return "prunes although the release was not verified"
    monitors = {monitor.action.job: monitor.end for monitor in story.of("monitor")}
    for prune in prunes:
        job = prune.action.job
        failed = prune.end == "failure" and story.run.result(job) == "failure"
        if failed and monitors.get(job) == "success":
            return f"job {job} fails although the release is verified and live"
    return ""
