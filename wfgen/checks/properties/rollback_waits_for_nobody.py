"""No job of a release waits for a person while the release is in flight.

An environment with reviewers holds each of its jobs until somebody looks
(https://docs.github.com/en/actions/reference/workflows-and-actions/deployments-and-environments).
A rollback that waits for that leaves the bad release live for the night; and any job that waits
while it holds the environment's lock keeps the watchdog out as well.

Put the approval into a job of its own, before the lock, on an environment that no other job has.
"""

from collections.abc import Iterator

from wfgen.checks.properties._breach import RELEASE, Breach, with_places
from wfgen.checks.scenarios.pipeline import Pipeline

_SUFFIX = "-approval"


def check_files(pipelines: tuple[Pipeline, ...]) -> Iterator[Breach]:
    """Looks at the environment of each job of a release, and at the locks of each approval."""
    waiting = {
        place.environment for _, _, place in with_places(pipelines, "approval") if place.environment
    }
    for pipeline, action, place in with_places(pipelines, *RELEASE, "watchdog"):
        name = place.environment
        if name and (name in waiting or name.endswith(_SUFFIX)):
            message = f"{action.job} waits for the reviewers of environment {name}"
            yield Breach(pipeline, message, place)
    for pipeline, action, place in with_places(pipelines, "approval"):
        release = [pipeline.places[each.job] for each in pipeline.of(*RELEASE)]
        held = {held for each in release for held in each.held if held.locks}
        if held & {*place.held}:
            yield Breach(pipeline, f"{action.job} waits for a person and holds the lock", place)
