"""No job of a release waits for an approval while the release is in flight.

An environment with required reviewers holds each of its jobs until somebody approves
(https://docs.github.com/en/actions/reference/workflows-and-actions/deployments-and-environments).
A rollback that waits for this leaves the failed release live until then; and any job that waits
while it holds the environment's lock blocks the watchdog as well.

Put the approval into a separate job, before the lock, on an environment that no other job has.
"""

from collections.abc import Iterator

from wfgen.checks.properties._breach import RELEASE, Breach, with_places
from wfgen.checks.scenarios.pipeline import Pipeline

_SUFFIX = "-approval"


def check_files(pipelines: tuple[Pipeline, ...]) -> Iterator[Breach]:
    """Checks the environment of each job of a release, and the locks of each approval."""
    waiting = {
        place.environment for _, _, place in with_places(pipelines, "approval") if place.environment
    }
    for pipeline, action, place in with_places(pipelines, *RELEASE, "inspect", "restore"):
        name = place.environment
        if name and (name in waiting or name.endswith(_SUFFIX)):
            message = f"job {action.job} waits for the reviewers of environment {name}"
            yield Breach(pipeline, message, place)
    for pipeline, action, place in with_places(pipelines, "approval"):
        release = [pipeline.places[step.job] for step in pipeline.of(*RELEASE)]
        locks = {lock for job in release for lock in job.locks if lock.is_shared}
        if locks & {*place.locks}:
            message = f"job {action.job} waits for an approval while it holds the release's lock"
            yield Breach(pipeline, message, place)
