"""Everything that changes an environment is under one lock, from beginning to end.

A lock over the deploy alone lets the rollback of one run undo the release of the next; a group
named by the commit is no lock at all. So all jobs of a release hold one group together, on the job
that calls them or on the workflow, and whatever else touches the environment is in the same group.
The lock has `queue: max` wherever the release program is: one member with the default drops all
runs that wait, a teardown or the watchdog among them
(https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#concurrency).

Put `concurrency` on the job that calls the whole release, named by the environment.
"""

from collections.abc import Iterator

from wfgen.checks.properties._breach import RELEASE, Breach, with_places
from wfgen.checks.scenarios.pipeline import Held, Pipeline, Place
from wfgen.checks.scenarios.roles import LOCKED


def check_files(pipelines: tuple[Pipeline, ...]) -> Iterator[Breach]:
    """Compares the groups of all that touch one environment."""
    common: dict[str, tuple[set[str], str]] = {}
    for pipeline, action, place in with_places(pipelines, *LOCKED):
        locks = [held for held in place.held if held.locks]
        if not locks:
            named = [held.group for held in place.held]
            why = f": its group {named[-1]} is named by the run or its commit" if named else ""
            yield Breach(pipeline, f"{action.job} ({action.role}) is under no lock{why}", place)
            continue
        if action.given and not any(held.queues for held in locks):
            yield Breach(pipeline, f"{action.job}: its lock lacks `queue: max`", place)
        environment = pipeline.environment(action) or "the cluster"
        mine = {held.name for held in locks}
        known, first = common.setdefault(environment, (mine, action.job))
        if shared := known & mine:
            common[environment] = shared, first
            continue
        told = [" and ".join(sorted(each)) for each in (mine, known)]
        message = f"{action.job} is under lock {told[0]}, {first} under {told[1]}: both touch "
        yield Breach(pipeline, message + environment, place)
    for pipeline in pipelines:
        yield from _apart(pipeline)


def _apart(pipeline: Pipeline) -> Iterator[Breach]:
    """Releases whose jobs take the lock each for themselves."""
    by_environment: dict[str, list[Place]] = {}
    for _, action, place in with_places([pipeline], *RELEASE):
        by_environment.setdefault(pipeline.environment(action), []).append(place)
    for places in by_environment.values():
        held = [{each for each in place.held if each.locks} for place in places]
        if all(held) and not set[Held].intersection(*held):
            jobs = ", ".join(dict.fromkeys(place.path for place in places))
            yield Breach(pipeline, f"{jobs} take the lock one after the other", places[0])
