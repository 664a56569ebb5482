"""A job that changes a cluster is never cancelled by a newer run.

`cancel-in-progress` can end a deploy between two manifests, or a rollback before it has finished
(https://docs.github.com/en/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency).
It is for builds, where a newer push makes the older one pointless.

Write `cancel-in-progress: false` wherever a job that changes the cluster is in the group: on the
job, on the jobs that call its workflow, and on the workflows.
"""

from collections.abc import Iterator

from wfgen.checks.properties._breach import Breach, with_places
from wfgen.checks.scenarios.pipeline import Pipeline
from wfgen.checks.scenarios.roles import LOCKED


def check_files(pipelines: tuple[Pipeline, ...]) -> Iterator[Breach]:
    """Checks every group of such a job in which other runs can be as well."""
    for pipeline, action, place in with_places(pipelines, *LOCKED):
        for lock in place.locks:
            if lock.cancels and lock.is_shared:
                job = f"job {action.job} ({action.role})"
                message = f"a newer run of group `{lock.group}` cancels {job}"
                yield Breach(pipeline, message, place)
