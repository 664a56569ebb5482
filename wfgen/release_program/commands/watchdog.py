"""Undoes what an ended run left: one that was cancelled by force, or whose runner was lost."""

from __future__ import annotations

import os

from ..contract import load
from ..hosting.outputs import error, log, notice
from ..names import Variable
from ..state.record import read_record, write_record
from ..state.record_format import ROLLBACK_FAILED, repository, this_run
from . import rollback


def watchdog() -> int:
    """Rolls back a release whose owner has ended; when dispatched, also retries a failed rollback.

    The owner has ended when WFGEN_FINISHED_RUN names its run, or when its lease has run out.
    Exits 1 where it had to act, or where a rollback has failed.
    """
    description = load()
    record = read_record(description)
    if record is None or record.in_flight is None:
        log("no release is in flight")
        return 0
    release = record.in_flight.release
    if record.state == ROLLBACK_FAILED:
        if os.environ.get(Variable.EVENT_NAME) != "workflow_dispatch":
            error(
                f"the rollback of release {release} failed, and releases are refused. Check the "
                "cluster, then dispatch this workflow, or a release with `force`"
            )
            return 1
    elif not record.expired and record.owner != _finished():
        log(f"release {release} is in flight, owned by {record.owner}")
        return 0
    notice(f"{record.owner} left release {release} `{record.state}`: rolling it back")
    record.owner = this_run()
    write_record(description, record)
    result = rollback.restore(description, record)
    error(f"release {release} was left unfinished; restored: {result.restored}")
    return 1


def _finished() -> str:
    """The run whose end started this one, as the record names runs; no run on a schedule."""
    return f"{repository()}/{os.environ.get('WFGEN_FINISHED_RUN', '')}"
