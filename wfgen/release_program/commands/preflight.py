"""Before anything is touched: whether a release may begin, and what its rollback restores."""

from __future__ import annotations

import json
import os
import time

from ..cluster import kubectl, manifests
from ..contract import Description, load
from ..failure import Failure
from ..hosting import git
from ..hosting.outputs import add_summary, log, notice, write_output
from ..names import Output, Variable
from ..state import stored
from ..state.record import read_record, write_record
from ..state.record_format import HELD, IN_FLIGHT, ROLLBACK_FAILED, InFlight, Record, this_run
from . import _conditions as conditions
from . import rollback


def preflight() -> int:
    """Refuses stale releases, undoes what an ended run left, and opens the release's record."""
    description = load()
    # Until the record is written there is nothing to roll back, however this command ends.
    _answer("false")
    names: list[str] = json.loads(os.environ[Variable.SERVICES])
    services = [s for s in description.in_order(names) if s.deploy]
    images: dict[str, str] = json.loads(os.environ[Variable.IMAGES])
    sha, forced = os.environ[Variable.SHA], os.environ.get(Variable.FORCE) == "true"
    go_back = int(os.environ.get(Variable.GO_BACK) or 0)

    record = read_record(description) or _adopt(description, images)
    write_output(Output.LKG_SHA, _commit(record))
    if record.in_flight is not None and record.state != ROLLBACK_FAILED:
        _restore_unfinished(description, record, record.in_flight)
    _demand_not_held(record, forced, go_back)
    reason = (
        "" if forced or go_back else _stale(description, record, [s.name for s in services], sha)
    )
    if reason:
        _answer("false", stale="true")
        notice(f"stale, nothing was done: {reason}")
        add_summary(f"**Stale**: {reason}. To release anyway, dispatch the workflow with `force`.")
        return 0
    if go_back:
        conditions.demand_release(description, go_back, services)
    else:
        conditions.demand_manifests(description, services, images)
    in_flight = InFlight(record.last + 1, sha, [s.name for s in services], images, go_back=go_back)
    _open(description, record, in_flight)
    log(f"release {record.last} of {description.environment}: {', '.join(names)} at {sha}")
    write_output(Output.RELEASE, str(record.last))
    _answer("true")
    return 0


def _answer(proceed: str, stale: str = "false") -> None:
    """Outputs for later jobs; the last value of an output counts."""
    write_output(Output.PROCEED, proceed)
    write_output(Output.STALE, stale)


def _write(description: Description, record: Record) -> None:
    """Takes the record over. Once that is tried, rollback must run, even if this job ends here."""
    _answer("")
    try:
        write_record(description, record)
    except Failure:
        _answer("false")
        raise


def _open(description: Description, record: Record, in_flight: InFlight) -> None:
    """Makes a release the one in flight, owned by this run."""
    _inherit(record, in_flight)
    record.last, record.in_flight = in_flight.release, in_flight
    record.state, record.owner = IN_FLIGHT, this_run()
    _write(description, record)


def _demand_not_held(record: Record, forced: bool, go_back: int) -> None:
    """Raises `Failure` where a failed rollback or an operator holds releases back."""
    if record.state == ROLLBACK_FAILED and not forced:
        raise Failure(
            f"the rollback of release {record.last} failed. Check the cluster, then dispatch the "
            "watchdog to try again, or a release with `force` to continue from the current state. "
            "See docs/delivery-setup.md, When a rollback failed"
        )
    if record.state == HELD and not (forced or go_back):
        raise Failure(
            f"an operator went back to release {record.release}: automatic releases are held until "
            "a dispatch with `force`. See docs/delivery-setup.md, Going back to an older release"
        )


def _inherit(record: Record, in_flight: InFlight) -> None:
    """After a failed rollback, by `force`: this release also undoes what that one could not."""
    left = record.in_flight
    if left is None:
        in_flight.before = record.state
        return
    in_flight.before, in_flight.contracted = left.before, left.contracted
    in_flight.touching, in_flight.applied = left.touching, dict(left.applied)
    in_flight.created, in_flight.changed = list(left.created), list(left.changed)
    in_flight.leftovers = [*left.leftovers, left.release]
    in_flight.unknown = left.unknown


def _adopt(description: Description, images: dict[str, str]) -> Record:
    """The first record of an environment: what is live before it, if anything, is release 0."""
    services = [service for service in description.services.values() if service.deploy]
    objects = manifests.render(description, services, images, with_secrets=False)
    present = [manifests.clean(live) for live in kubectl.live(objects)]
    if not any(live["kind"] in ("Deployment", "StatefulSet", "DaemonSet") for live in present):
        log("first release: none of its workloads is live yet")
        return Record()
    manifests.leave_replicas(services, present)
    log(f"first release: {len(present)} objects are live already; they are release 0")
    stored.write(description, 0, present)
    return Record(release=0)


def _restore_unfinished(description: Description, record: Record, left: InFlight) -> None:
    """Undoes the release that another run, or an earlier attempt of this one, left in flight."""
    if not record.mine and not record.expired:
        raise Failure(
            f"release {left.release} of {record.owner} is `{record.state}`, and its lease runs for "
            f"another {record.lease - time.time():.0f} s. If that run has ended, the watchdog "
            "rolls the release back: re-run all jobs after that. Otherwise another repository "
            "releases to this environment"
        )
    log(f"{record.owner} left release {left.release} unfinished: rolling it back")
    record.owner = this_run()
    _write(description, record)
    if rollback.restore(description, record).restored == "failed":
        _answer("false")  # the record is `rollback-failed`, for the watchdog or a forced release
        raise Failure(f"the rollback of the unfinished release {left.release} failed")


def _stale(description: Description, record: Record, services: list[str], sha: str) -> str:
    """Why the release may not replace what is live; '' where it may."""
    for name in services:
        live = record.commit_of(name)
        if not live or live == sha:
            continue
        if description.preview:  # a branch may be rewritten, but not go back
            if git.is_ancestor(sha, live):
                return f"{name} is live with {live}, which is newer than {sha}"
        elif not git.is_ancestor(live, sha):
            return f"{name} is live with {live}, which {sha} does not contain"
    for failed in record.failed:
        if git.is_ancestor(failed.sha, sha) and _committed(sha) < failed.at:
            return f"{sha} contains {failed.sha} and was committed before that was rolled back"
    return ""


def _committed(sha: str) -> float:
    """When a commit was made, in seconds since the epoch; 0 where it is not known."""
    shown = git.run("show", "--no-patch", "--format=%ct", sha)
    return float(shown.stdout) if shown.returncode == 0 else 0.0


def _commit(record: Record) -> str:
    """The commit of the last known good release; '' where there is none."""
    past = record.find_release(record.release)
    return past.sha if past else ""
