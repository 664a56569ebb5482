"""Undoes what a run left that is gone: cancelled by force, or its runner lost."""

from __future__ import annotations

import os

from . import record, rollback
from .description import load
from .outputs import error, log, notice


def watchdog() -> int:
    """Rolls back a release whose owner is gone.

    The owner is gone when its run has ended (WFGEN_FINISHED_RUN) or its lease has run out.

    Reads: WFGEN_DESCRIPTION, KUBECONFIG, GITHUB_REPOSITORY, GITHUB_RUN_ID, WFGEN_FINISHED_RUN.
    Writes nothing. Exits 1 where it had to act, so that somebody looks.
    """
    description = load()
    found = record.read(description)
    if found is None or found.in_flight is None:
        log("nothing is in flight")
        return 0
    finished = os.environ.get("WFGEN_FINISHED_RUN", "")
    repository = os.environ.get("GITHUB_REPOSITORY", "by-hand")
    if not found.expired and found.owner != f"{repository}/{finished}":
        log(f"release {found.in_flight.release} is in flight, and {found.owner} owns it")
        return 0
    notice(f"{found.owner} is gone and left release {found.in_flight.release} {found.state}")
    found.owner = record.this_run()
    record.write(description, found)
    done = rollback.restore(description)
    error(f"a run died in the middle of a release; restored: {done.outcome}")
    return 1


COMMANDS = {"watchdog": watchdog}
