"""Everything that changes an environment holds one lock, from the release's beginning to its end.

If only the deploy holds the lock, the rollback of one run can undo the release of the next; a group
named by the commit locks nothing. So all jobs of a release hold one group together, on the job that
calls them or on the workflow, and whatever else changes the environment is in the same group. The
lock has `queue: max` wherever the release program runs: a single member with the default drops all
waiting runs, including a teardown or the watchdog
(https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#concurrency).
GitHub Enterprise Server has no queue (docs/github-enterprise-server.md): there one run waits.

Put `concurrency` on the job that calls the whole release, named by the environment.
"""

from collections.abc import Iterator

from wfgen.checks.properties._breach import RELEASE, Breach, with_places
from wfgen.checks.scenarios.pipeline import HeldLock, Pipeline, Place
from wfgen.checks.scenarios.roles import LOCKED


def check_files(pipelines: tuple[Pipeline, ...]) -> Iterator[Breach]:
    """Compares the groups of all jobs that change one environment."""
    common: dict[str, tuple[set[str], str]] = {}
    for pipeline, action, place in with_places(pipelines, *LOCKED):
        locks = [lock for lock in place.locks if lock.is_shared]
        job = f"job {action.job}"
        if not locks:
            groups = [lock.group for lock in place.locks]
            why = f": its group `{groups[-1]}` differs between runs" if groups else ""
            yield Breach(pipeline, f"{job} ({action.role}) holds no lock{why}", place)
            continue
        if action.given and pipeline.has_queues and not any(lock.queues for lock in locks):
            yield Breach(pipeline, f"{job}: its lock lacks `queue: max`", place)
        environment = pipeline.environment(action) or "the cluster"
        own = {lock.name for lock in locks}
        other, other_job = common.setdefault(environment, (own, action.job))
        if shared := other & own:
            common[environment] = shared, other_job
            continue
        names, other_names = (" and ".join(sorted(group)) for group in (own, other))
        message = f"{job} holds lock {names}, job {other_job} holds {other_names}: both change "
        yield Breach(pipeline, message + environment, place)
    for pipeline in pipelines:
        yield from _separate_locks(pipeline)


def _separate_locks(pipeline: Pipeline) -> Iterator[Breach]:
    """Releases whose jobs take the lock one by one, and release it in between."""
    by_environment: dict[str, list[Place]] = {}
    for _, action, place in with_places([pipeline], *RELEASE):
        by_environment.setdefault(pipeline.environment(action), []).append(place)
    for places in by_environment.values():
        locks = [{lock for lock in place.locks if lock.is_shared} for place in places]
        if all(locks) and not set[HeldLock].intersection(*locks):
            jobs = ", ".join(dict.fromkeys(place.path for place in places))
            message = f"jobs {jobs} take the lock one after the other"
            yield Breach(pipeline, message, places[0])
