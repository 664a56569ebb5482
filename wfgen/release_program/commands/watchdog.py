"""Undoes what a run left that is gone: cancelled by force, or its runner lost."""

from __future__ import annotations

import os

from ..contract import load
from ..hosting.outputs import error, log, notice
from ..state import record
from ..state.record import ROLLBACK_FAILED
from . import rollback


def watchdog() -> int:
    """Rolls back a release whose owner is gone; dispatched, also one that could not be undone.

    The owner is gone when its run has ended (WFGEN_FINISHED_RUN) or its lease has run out.
    Exits 1 where it had to act or a rollback has failed, so that somebody looks.
    """
    description = load()
    found = record.read(description)
    if found is None or found.in_flight is None:
        log("nothing is in flight")
        return 0
    flying = found.in_flight
    if found.state == ROLLBACK_FAILED:
        if os.environ.get("GITHUB_EVENT_NAME") != "workflow_dispatch":
            error(
                f"the rollback of release {flying.release} failed, and releases are refused: look "
                "at the cluster, then dispatch this workflow, or a release with `force`"
            )
            return 1
    elif not found.expired and found.owner != _finished():
        log(f"release {flying.release} is in flight, and {found.owner} owns it")
        return 0
    notice(f"{found.owner} left release {flying.release} {found.state}; now it is undone")
    found.owner = record.this_run()
    record.write(description, found)
    done = rollback.restore(description, found)
    error(f"release {flying.release} was left half done; restored: {done.outcome}")
    return 1


def _finished() -> str:
    """The run whose end started this one, as records name it; nobody's name on a schedule."""
    repository = os.environ.get("GITHUB_REPOSITORY", "by-hand")
    return f"{repository}/{os.environ.get('WFGEN_FINISHED_RUN', '')}"
