"""Before anything is touched: may this release go on, and what does it go back to if it fails?"""

from __future__ import annotations

import json
import os
import time

from ..cluster import kubectl, manifests
from ..contract import Description, load
from ..failure import Failure
from ..hosting.git import run as git
from ..hosting.outputs import add_summary, log, notice, write_output
from ..state import record, stored
from ..state.record import HELD, IN_FLIGHT, ROLLBACK_FAILED, InFlight, Record
from . import _conditions as conditions
from . import rollback


def preflight() -> int:
    """Refuses what is stale, restores what a dead run left, and opens the release's record."""
    description = load()
    # Until the record is written there is nothing to roll back, whatever ends this.
    _answer("false")
    names: list[str] = json.loads(os.environ["WFGEN_SERVICES"])
    services = [s for s in description.in_order(names) if s.deploy]
    images: dict[str, str] = json.loads(os.environ["WFGEN_IMAGES"])
    sha, forced = os.environ["WFGEN_SHA"], os.environ.get("WFGEN_FORCE") == "true"
    go_back = int(os.environ.get("WFGEN_GO_BACK") or 0)

    found = record.read(description) or _adopt(description, images)
    write_output("lkg_sha", _commit(found))
    if found.in_flight is not None and found.state != ROLLBACK_FAILED:
        found = _restore_unfinished(description, found)
    if found.state == ROLLBACK_FAILED and not forced:
        raise Failure(
            f"the rollback of release {found.last} failed: look at the cluster, then dispatch "
            "the watchdog, which tries again, or a release with `force`, which goes on from here. "
            "See docs/delivery-setup.md, When a rollback failed"
        )
    if found.state == HELD and not (forced or go_back):
        raise Failure(
            f"somebody went back to release {found.release}: automatic releases are held until a "
            "dispatch with `force`. See docs/delivery-setup.md, Going back to an older release"
        )
    reason = (
        "" if forced or go_back else _stale(description, found, [s.name for s in services], sha)
    )
    if reason:
        _answer("false", stale="true")
        notice(f"stale, nothing was done: {reason}")
        add_summary(f"**Stale**: {reason}. Dispatch the workflow with `force` to release anyway.")
        return 0
    if go_back:
        conditions.demand_release(description, go_back, services)
    else:
        conditions.demand_manifests(description, services, images)
    flying = InFlight(found.last + 1, sha, [s.name for s in services], images, go_back=go_back)
    _inherit(found, flying)
    found.last, found.in_flight = flying.release, flying
    found.state, found.owner = IN_FLIGHT, record.this_run()
    _write(description, found)
    log(f"release {found.last} of {description.environment}: {', '.join(names)} at {sha}")
    write_output("release", str(found.last))
    _answer("true")
    return 0


def _answer(proceed: str, stale: str = "false") -> None:
    """What later jobs hear; the last answer counts."""
    write_output("proceed", proceed)
    write_output("stale", stale)


def _write(description: Description, found: Record) -> None:
    """Makes the record ours. Once that is tried, the rollback must look, even if this dies."""
    _answer("")
    try:
        record.write(description, found)
    except Failure:
        _answer("false")
        raise


def _inherit(found: Record, flying: InFlight) -> None:
    """Forced past a rollback that failed: what that one could not undo is this one's now."""
    left = found.in_flight
    if left is None:
        flying.before = found.state
        return
    flying.before, flying.contracted = left.before, left.contracted
    flying.touching, flying.applied = left.touching, dict(left.applied)
    flying.created, flying.changed = list(left.created), list(left.changed)
    flying.leftovers = [*left.leftovers, left.release]


def _adopt(description: Description, images: dict[str, str]) -> Record:
    """The record of a place that has none: what is live there, if anything, is release 0."""
    services = [service for service in description.services.values() if service.deploy]
    objects = manifests.render(description, services, images, with_secrets=False)
    present = [manifests.clean(thing) for thing in kubectl.live(objects)]
    if not any(thing["kind"] in ("Deployment", "StatefulSet", "DaemonSet") for thing in present):
        log("the first release: nothing of it is live yet")
        return Record()
    manifests.leave_replicas(services, present)
    log(f"adopting {len(present)} objects that are live: they are release 0")
    stored.write(description, 0, present)
    return Record(release=0)


def _restore_unfinished(description: Description, found: Record) -> Record:
    """The release that another run, or an earlier attempt of this one, left in flight."""
    assert found.in_flight is not None
    if not found.mine and not found.expired:
        raise Failure(
            f"release {found.in_flight.release} of {found.owner} is {found.state}; its lease runs "
            f"for {found.lease - time.time():.0f} s more. If that run has ended, the watchdog "
            "undoes it: re-run all jobs then. Else another repository releases here"
        )
    log(f"{found.owner} left release {found.in_flight.release} unfinished: restoring the last")
    found.owner = record.this_run()
    _write(description, found)
    done = rollback.restore(description, found)
    if done.outcome == "failed":
        _answer("false")  # the record says what is to be done, and by whom
        raise Failure("what an unfinished release left could not be undone")
    return found


def _stale(description: Description, found: Record, services: list[str], sha: str) -> str:
    """Why the release may not replace what is live; '' where it may."""
    for name in services:
        live = found.commit_of(name)
        if not live or live == sha:
            continue
        if description.preview:  # a branch may be rewritten, but not put back
            if _contains(live, sha):
                return f"{name} is live with {live}, which is newer than {sha}"
        elif not _contains(sha, live):
            return f"{name} is live with {live}, which {sha} does not contain"
    for failed in found.failed:
        if _contains(sha, failed["sha"]) and _committed(sha) < float(failed["at"]):
            return f"{sha} was committed before {failed['sha']}, which it contains, was rolled back"
    return ""


def _contains(later: str, earlier: str) -> bool:
    return git("merge-base", "--is-ancestor", earlier, later).returncode == 0


def _committed(sha: str) -> float:
    """When a commit was made, in seconds since the epoch; 0 where it is not known."""
    shown = git("show", "--no-patch", "--format=%ct", sha)
    return float(shown.stdout) if shown.returncode == 0 else 0.0


def _commit(found: Record) -> str:
    """The commit of the last known good release."""
    known = found.known(found.release)
    return str(known["sha"]) if known else ""
