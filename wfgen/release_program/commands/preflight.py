"""Before anything is touched: what the run releases, and what its rollback restores."""

from __future__ import annotations

import os
from dataclasses import replace

from ..cluster import kubectl, manifests
from ..cluster.kubectl import KubectlError, Object
from ..contract import Description, load
from ..failure import Failure
from ..hosting.outputs import add_summary, error, log, notice, write_output
from ..hosting.runs import attempt_has_ended, this_attempt
from ..names import Output, Variable
from ..state import stored
from ..state.fence import Fence
from ..state.record import read_record, take_over, write_record
from ..state.record_format import GOOD, IN_FLIGHT, ROLLBACK_FAILED, InFlight, Progress, Record
from . import _conditions as conditions
from . import _objects, rollback
from ._clone import Clone
from ._decide import FAILED, NOTHING, RELEASE, STALE, Decision, decide
from ._facts import Facts, lkg_sha, of_run
from ._inputs import RunInputs


def preflight() -> int:
    """Decides under the lock what to release, tries it out, and opens the release's record.

    Compares the commit with what the record says to be live, for each service, and takes images
    that this run built or the record names. Undoes first what an ended run left. Makes a dry run
    of everything that the release applies, before any migration; applies nothing. Exits 0 without
    a release only where everything that the commit changes is live already, or was seen; every
    other refusal exits 1.
    """
    description = load()
    sha = os.environ.get(Variable.SHA, "")
    # Until the release is opened there is none, however this command ends.
    _answer("false", FAILED, "preflight did not finish; see its log")
    Facts(sha=sha).write()
    try:
        return _preflight(description)
    except (Failure, KubectlError) as problem:
        _answer("false", FAILED, str(problem))
        raise


def _preflight(description: Description) -> int:
    inputs, clone = RunInputs.load(description), Clone(description)
    record = _find_record(description)
    if record.in_flight is not None and record.state != ROLLBACK_FAILED:
        record = _undo(description, record, inputs.forced)
    Facts(sha=inputs.sha, lkg_sha=lkg_sha(record)).write()
    if record.state == ROLLBACK_FAILED and inputs.forced:
        _demand_ended(record, forced=True)
    elif record.state == ROLLBACK_FAILED:
        raise Failure(
            f"the rollback of release {record.last} failed. Check the cluster, then dispatch the "
            "watchdog with `force` to try again, or a release with `force` to continue from here. "
            "See docs/delivery-setup.md, When a rollback failed"
        )
    decision = decide(description, record, inputs, clone)
    if decision.name != RELEASE:
        return _refuse(description, record, decision)
    _open(description, record, decision, inputs, clone)
    of_run(record).write()
    log(f"release {record.last} of {description.environment}: {decision.reason}")
    _answer("true", RELEASE, decision.reason)
    return 0


def _answer(proceed: str, decision: str, reason: str) -> None:
    """Outputs for later jobs; the last value of an output counts."""
    write_output(Output.PROCEED, proceed)
    write_output(Output.DECISION, decision)
    write_output(Output.REASON, " ".join(reason.split())[:1000] or "no reason was given")


def _refuse(description: Description, record: Record, decision: Decision) -> int:
    """Reports why nothing is released; records what was seen where the run is green."""
    _answer("false", decision.name, decision.reason)
    title = {NOTHING: "Nothing to release", STALE: "Stale"}.get(decision.name, "Not released")
    add_summary(f"**{title}**: {decision.reason}.")
    if not decision.green:
        error(f"{decision.name}, nothing was done: {decision.reason}")
        return 1
    if decision.equal and record.config_map and record.state == GOOD:
        for name in decision.equal:
            record.services[name] = replace(record.services[name], seen=decision.sha)
        write_record(description, record)
    notice(f"{decision.name}, nothing was done: {decision.reason}")
    return 0


def _find_record(description: Description) -> Record:
    """The record; a new one where nothing was ever released here.

    What is live before the first release, if anything, is release 0.
    """
    record = read_record(description) or Record()
    if record.last or record.release >= 0 or record.in_flight is not None:
        return record
    services = [service for service in description.services.values() if service.deploy]
    objects = manifests.render(description, services, {}, with_secrets=False)
    present = [manifests.clean(live) for live in kubectl.live(objects)]
    if not any(live["kind"] in ("Deployment", "StatefulSet", "DaemonSet") for live in present):
        log("first release: none of its workloads is live yet")
        return record
    manifests.leave_replicas(services, present)
    log(f"first release: {len(present)} objects are live already; they are release 0")
    # The record first: of two runs that begin at once, one stores the objects.
    record.owner = this_attempt()
    stored.write(description, 0, present, Fence(description, record))
    record.release = 0
    write_record(description, record)
    return record


def _undo(description: Description, record: Record, forced: bool) -> Record:
    """Rolls back the release that another run, or an earlier attempt of this one, left in flight.

    Returns the record then. Raises `Failure` where the release stays in flight.
    """
    assert record.in_flight is not None
    release, owner = record.in_flight.release, record.owner
    _demand_ended(record, forced)
    notice(f"{owner} left release {release} unfinished: rolling it back")
    taken = take_over(description, record)
    if rollback.restore(description, taken).restored == "failed":
        raise Failure(f"the rollback of the unfinished release {release} failed")
    return read_record(description) or Record()


def _demand_ended(record: Record, forced: bool) -> None:
    """Raises `Failure` unless the owner of the release in flight has ended.

    An earlier attempt of this run has. Of another run, GitHub knows; where it does not answer, the
    operator decides, by force.
    """
    assert record.in_flight is not None
    if record.mine:
        return
    release, owner = record.in_flight.release, record.owner
    ended = attempt_has_ended(owner)
    if ended is False:
        raise Failure(
            f"release {release} is `{record.state}`, and {owner}, which owns it, still runs. "
            "Re-run all jobs after its end"
        )
    if ended is None and not forced:
        raise Failure(
            f"release {release} is `{record.state}`, and whether {owner}, which owns it, has ended "
            "is unknown. Possibly another repository releases to this environment. Check that it "
            "has ended, then dispatch this workflow, or the watchdog, with `force`"
        )


def _open(
    description: Description, record: Record, decision: Decision, inputs: RunInputs, clone: Clone
) -> None:
    """Makes the decided release the one in flight, owned by this attempt; applies nothing.

    Raises `Failure` or `KubectlError` where it cannot be released.
    """
    conditions.demand_no_jobs(description)
    number = max(record.last, clone.highest_number()) + 1
    in_flight, objects = _try_out(description, record, decision, inputs, number)
    record.last, record.in_flight = number, in_flight
    record.state, record.owner = IN_FLIGHT, this_attempt()
    write_record(description, record)
    # Only the owner of the number stores manifests under it.
    fence = Fence(description, record)
    try:
        with fence.closing():
            stored.write(description, number, objects, fence)
            if in_flight.go_back:
                conditions.demand_images(description, in_flight, objects, fence)
    except Failure:
        rollback.restore(description, record)
        raise


def _try_out(
    description: Description, record: Record, decision: Decision, inputs: RunInputs, number: int
) -> tuple[InFlight, list[Object]]:
    """The release as the record will have it, and its objects, after a dry run of all of them."""
    names = [service.name for service in decision.services]
    in_flight = InFlight(number, decision.sha, names, dict(decision.images), go_back=inputs.go_back)
    _inherit(record, in_flight)
    objects = _objects.of_release(description, in_flight)
    conditions.demand_manifests(description, list(decision.services), objects)
    left = _objects.unchanged_databases(description, record, in_flight, objects)
    in_flight.services = [name for name in names if name not in left]
    objects = [m for m in objects if manifests.owner(description, m) not in left]
    effect = _objects.try_out(objects)
    in_flight.created = sorted({*in_flight.created, *effect.created})
    in_flight.changed = sorted({*in_flight.changed, *effect.changed})
    seen = [] if inputs.forced or inputs.go_back else [n for n in left if n in record.services]
    in_flight.progress = Progress(
        number, equal=[*decision.equal, *seen], overridden=list(decision.overridden)
    )
    return in_flight, objects


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
