"""Every workload that is deployed is monitored.

`kubectl apply` succeeds long before a pod runs. A workload that no job monitors can crash for hours
while the run is green.

The monitor of a preview runs after a failed deploy too, since no job rolls a preview back: there it
closes the record of the release, and verifies nothing.

Let the monitor check every workload that the deploy changes, after all of them were applied.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wfgen.checks.properties._breach import Breach, with_places
from wfgen.checks.scenarios.pipeline import Pipeline

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story


def check_files(pipelines: tuple[Pipeline, ...]) -> Iterator[Breach]:
    """Compares the services of a workflow's deploys with those of its monitors."""
    for pipeline in pipelines:
        monitors = pipeline.of("monitor")
        monitored = {name for action in monitors for name in action.services}
        monitors_all = any(not action.services for action in monitors)
        for _, action, place in with_places([pipeline], "deploy"):
            if not monitors:
                yield Breach(pipeline, f"job {action.job} deploys, and no job monitors it", place)
            elif missing := sorted({*action.services} - monitored) if not monitors_all else []:
                message = f"job {action.job} deploys {', '.join(missing)}, which no job monitors"
                yield Breach(pipeline, message, place)


def check_run(story: Story) -> str:
    """A release that was applied in part must not be verified."""
    if story.closes_previews:
        return ""
    if story.of("monitor") and any(deploy.end != "success" for deploy in story.of("deploy")):
        return "monitors a release of which only a part was deployed"
    return ""
