"""Whatever is deployed is watched.

`kubectl apply` succeeds long before a pod runs. A workload that nobody waits for can crash for
hours under a green run.

Let the monitor look at every workload that the deploy changes, and only once all of it was applied.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wfgen.checks.properties._breach import Breach, with_places

if TYPE_CHECKING:
    from wfgen.checks.scenarios.pipeline import Pipeline
    from wfgen.checks.scenarios.story import Story


def check_files(pipelines: tuple[Pipeline, ...]) -> Iterator[Breach]:
    """Compares what the deploys and the monitors of a workflow are about."""
    for pipeline in pipelines:
        watched = pipeline.of("monitor")
        names = {name for action in watched for name in action.services}
        everything = any(not action.services for action in watched)
        for _, action, place in with_places([pipeline], "deploy"):
            if not watched:
                yield Breach(pipeline, f"{action.job} deploys, and nothing watches", place)
            elif missing := sorted({*action.services} - names) if not everything else []:
                message = f"{action.job} deploys {', '.join(missing)}, which nothing watches"
                yield Breach(pipeline, message, place)


def check_run(story: Story) -> str:
    """What was applied in part is not to be found good."""
    if story.of("monitor") and any(done.end != "success" for done in story.of("deploy")):
        return "watches a release of which only a part was deployed"
    return ""
