"""Restores the last known good release from its stored manifests, never "one revision back"."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ..cluster import jobs, rollout
from ..cluster.kubectl import KubectlError
from ..contract import Description, load
from ..failure import Failure
from ..hosting.outputs import add_summary, error, log, notice, write_output
from ..names import NONE, Output
from ..state.fence import Fence
from ..state.record import read_record, take_over, write_record
from ..state.record_format import (
    KEPT_FAILURES,
    ROLLBACK_FAILED,
    ROLLING_BACK,
    FailedCommit,
    InFlight,
    Record,
)
from ._facts import Facts, is_of_run, of_run
from ._restore import restore_services, title

ATTEMPTS = 3


@dataclass(frozen=True)
class RollbackResult:
    """How a rollback ended."""

    restored: str
    """Services that were restored: all, `except: a, b`, nothing, or failed."""
    cause: str = ""
    """What failed before: app or infra."""


def rollback() -> int:
    """Restores the last known good release of what this run's release applied.

    Acts only where this attempt, or an earlier one of this run, has a release in flight; running it
    twice is the same as once. Stops the release's Jobs first, and clears the record after their
    end. Services with `rollback: never` are left unchanged. A preview stays up, for debugging.
    Exits 1 where the rollback failed, or where another run owns the release in flight.
    """
    description = load()
    write_output(Output.RESTORED, "failed")  # holds if this job ends early: the last value counts
    write_output(Output.CAUSE, "infra")
    Facts().write()  # without them, a re-run would keep those of an earlier attempt
    record = read_record(description) or Record()
    of_run(record).write()
    if not record.mine:
        write_output(Output.CAUSE, NONE)
        write_output(Output.RESTORED, _nothing(record))
        return 1 if record.in_flight else 0
    result = restore(description, take_over(description, record))
    write_output(Output.RESTORED, result.restored)
    write_output(Output.CAUSE, result.cause)
    return 1 if result.restored == "failed" else 0


def _nothing(record: Record) -> str:
    """Why this run has nothing to roll back, as value of `restored`; reports it too."""
    if record.in_flight:
        error(
            f"nothing was done: release {record.in_flight.release} is `{record.state}`, owned by "
            f"{record.owner}. Two runs, or two repositories, release to this environment"
        )
        return "taken over"
    newest = record.releases[-1] if record.releases else None
    if newest is not None and is_of_run(newest):
        notice(f"release {newest.release} of this run was verified and is live")
        return "verified"
    log("no release of this run is in flight: nothing to roll back")
    return "nothing"


def restore(description: Description, record: Record) -> RollbackResult:
    """Rolls back the release in flight, which this run must own by the record just read.

    Whoever takes it from another owner calls `state.record.take_over` before. Raises `KubectlError`
    or `Unanswered` where the API server does not answer: the next attempt or the watchdog
    continues.
    """
    started = time.time()
    in_flight = record.demand_own()
    cause = in_flight.cause or "infra"
    record.state = ROLLING_BACK
    write_record(description, record)
    fence = Fence(description, record)
    try:
        with fence.closing():
            left = _try(description, fence, in_flight)
    except (Failure, KubectlError) as problem:
        if rollout.is_unanswered(problem):
            raise
        _give_up(description, record, str(problem))
        return RollbackResult("failed", cause)
    if description.preview or not in_flight.touching:
        log("the preview stays up, for debugging" if in_flight.touching else "nothing was applied")
        _finish(description, record, cause if in_flight.touching else "")
        return RollbackResult("nothing", cause)
    _finish(description, record, cause)
    names = ", ".join(left)
    text = f"Release {in_flight.release} was rolled back to {title(record)}"
    more = f", except {names} (`rollback: never`, or no manifests recorded)" if left else ""
    add_summary(f"**{text}**{more}, in {time.time() - started:.0f} s.")
    notice(text + more)
    return RollbackResult(f"except: {names}" if left else "all", cause)


def _try(description: Description, fence: Fence, in_flight: InFlight) -> list[str]:
    """Stops the release's Jobs and restores the services, in at most `ATTEMPTS` attempts.

    Returns names of services that changed and may not be restored. Raises what ended the last
    attempt.
    """
    releases = [*in_flight.leftovers, in_flight.release]
    for attempt in range(1, ATTEMPTS + 1):
        try:
            jobs.stop(description, releases, fence)
            if in_flight.contracted and not description.preview:
                jobs.wait_until_stopped(description, releases, fence)
                raise _ContractedError(
                    "after the contracting migration of this release the one before it cannot run"
                )
            left = []
            if in_flight.touching and not description.preview:
                left = restore_services(description, fence, in_flight)
            jobs.wait_until_stopped(description, releases, fence)
            return left
        except (Failure, KubectlError) as problem:
            error(f"rollback, attempt {attempt} of {ATTEMPTS}: {problem}")
            if attempt == ATTEMPTS or isinstance(problem, _ContractedError):
                raise
        time.sleep(rollout.poll_seconds())
        fence.renew()
    raise AssertionError("unreachable")


class _ContractedError(Failure):
    """The last known good release can no longer run."""


def _finish(description: Description, record: Record, cause: str) -> None:
    """Closes the release in flight; its commit counts as failed where the application failed."""
    in_flight = record.demand_own()
    if cause == "app":
        failed = FailedCommit(in_flight.sha, time.time(), list(in_flight.now.blamed))
        record.failed = [*record.failed, failed][-KEPT_FAILURES:]
    record.state, record.in_flight = in_flight.before, None
    write_record(description, record)


def _give_up(description: Description, record: Record, reason: str) -> None:
    """Keeps the release in flight: when dispatched, the watchdog tries again."""
    error(f"the rollback failed, and further releases are refused: {reason}")
    add_summary(
        f"**The rollback failed**: {reason}. What to do: see docs/delivery-setup.md, "
        "When a rollback failed."
    )
    record.state = ROLLBACK_FAILED
    write_record(description, record)
