"""What touches a cluster is never cancelled by a newer run.

`cancel-in-progress` ends a deploy between two manifests, and a rollback in the middle
(https://docs.github.com/en/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency).
It is for builds, where a newer push makes the older one pointless.

Write `cancel-in-progress: false` wherever a job that touches the cluster is in the group: on the
job, on the jobs that call its workflow, and on the workflows.
"""

from collections.abc import Iterator

from wfgen.checks.properties._breach import Breach, with_places
from wfgen.checks.scenarios.pipeline import Pipeline
from wfgen.checks.scenarios.roles import LOCKED


def check_files(pipelines: tuple[Pipeline, ...]) -> Iterator[Breach]:
    """Looks at every group that such a job is in, but those that no other run can be in."""
    for pipeline, action, place in with_places(pipelines, *LOCKED):
        for held in place.held:
            if held.cancels and held.locks:
                message = f"a newer run of group {held.group} cancels {action.job} ({action.role})"
                yield Breach(pipeline, message, place)
