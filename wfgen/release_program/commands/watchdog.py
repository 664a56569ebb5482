"""Undoes what an ended run left: one that was cancelled by force, or whose runner was lost.

The only evidence that a run has ended is GitHub's answer about the attempt that owns the release.
A lease that has run out is none: the runner may be slow, or cut off from the API server.
"""

from __future__ import annotations

import os
from typing import Any

from .. import names
from ..cluster.kubectl import KubectlError
from ..contract import Description, load
from ..failure import Failure
from ..hosting.github import GitHub, GitHubError
from ..hosting.needs import run_address
from ..hosting.outputs import error, log, notice, warning, write_output
from ..hosting.runs import attempt_has_ended
from ..names import Output, Step, Variable
from ..state.endings import UNKNOWN, UNTOUCHED
from ..state.outcome import Verdict
from ..state.record import read_record, take_over
from ..state.record_format import ROLLBACK_FAILED, Record
from . import rollback
from .notify import send_verdict

PERMISSION = "actions: read"
_GREEN = ("success", "skipped", "neutral")
_BY_FORCE = (
    "To restore the last known good release, check that nothing else releases to this environment, "
    "then dispatch this workflow with `force`"
)


def inspect() -> int:
    """Reports whether an ended run left a release in flight, which `restore` undoes; only reads.

    Exits 1 where a release in flight is overdue, or GitHub does not say whether its owner has
    ended, or a rollback has failed. Where the run whose end started this one failed without
    notifying anybody, this command notifies.
    """
    description = load()
    write_output(Output.LEFT, "false")  # holds if this command ends early: the last value counts
    try:
        record = read_record(description)
        left, problem = _judge(record)
        situation = _situation(record)
    except (Failure, KubectlError) as failure:
        left, problem = False, str(failure)
        situation = f"The release record cannot be read: {failure}."
    if left:
        write_output(Output.LEFT, "true")
    if problem:
        error(problem)
    notified = _notify_of_finished(description, situation)
    return 0 if notified and not problem else 1


def restore() -> int:
    """Restores the last known good release, where the owner of the release in flight has ended.

    Runs under the environment's lock, reads the record again and asks GitHub again. With `force` it
    needs no evidence and retries a failed rollback, but does nothing while the owner is known to
    run. Exits 1 where it had to act, or could not.
    """
    description = load()
    record = read_record(description)
    if record is None or record.in_flight is None:
        log("no release is in flight")
        return 0
    release, owner = record.in_flight.release, record.owner
    ended = attempt_has_ended(owner)
    if ended is False:
        problem = f"release {release} is `{record.state}`, and its owner {owner} still runs"
        if not _forced():
            log(problem)
            return 0
        error(f"{problem}: nothing was done. Cancel that run, or wait for its end")
        return 1
    if not _forced() and (ended is None or record.state == ROLLBACK_FAILED):
        error(_unproven(record))
        return 1
    notice(f"{owner} left release {release} `{record.state}`: rolling it back")
    result = rollback.restore(description, take_over(description, record))
    error(f"release {release} was left unfinished; restored: {result.restored}")
    return 1


def _forced() -> bool:
    return os.environ.get(Variable.FORCE) == "true"


def _judge(record: Record | None) -> tuple[bool, str]:
    """Whether a release was left behind, and what a person must do; '' for nothing."""
    if record is None or record.in_flight is None:
        log("no release is in flight")
        return False, ""
    release, owner = record.in_flight.release, record.owner
    if _forced():
        notice(f"release {release} of {owner} is `{record.state}`: restoring it by force")
        return True, ""
    ended = attempt_has_ended(owner)
    if ended is None or record.state == ROLLBACK_FAILED:
        return False, _unproven(record)
    if ended:
        notice(f"{owner} has ended and left release {release} `{record.state}`")
        return True, ""
    if record.expired:
        return False, (
            f"release {release} is `{record.state}` and overdue: its owner {owner} has been silent "
            "for too long, but still runs. Cancel that run. Where its rollback does not restore "
            "the last known good release, dispatch this workflow with `force`"
        )
    log(f"release {release} is `{record.state}`, owned by {owner}, which still runs")
    return False, ""


def _unproven(record: Record) -> str:
    """Why a release in flight is not restored without `force`."""
    assert record.in_flight is not None
    release = record.in_flight.release
    if record.state == ROLLBACK_FAILED:
        return f"the rollback of release {release} failed, and releases are refused. {_BY_FORCE}"
    return (
        f"release {release} is `{record.state}`, and whether its owner {record.owner} has ended is "
        f"unknown. {_BY_FORCE}"
    )


def _situation(record: Record | None) -> str:
    """What the environment is left with, in sentences; '' where no release is in flight."""
    if record is None or record.in_flight is None:
        return ""
    return (
        f"Release {record.in_flight.release} is `{record.state}`, owned by {record.owner}. The "
        "watchdog workflow restores the last known good release; see its run."
    )


def _notify_of_finished(description: Description, situation: str) -> bool:
    """Notifies of the run whose end started this one, where it failed and did not notify.

    False where that is not known, or a message could not be sent.
    """
    run = os.environ.get(Variable.FINISHED_RUN, "")
    attempt = os.environ.get(Variable.FINISHED_ATTEMPT, "")
    if not (run and attempt and description.notify):
        return True
    path = f"actions/runs/{run}/attempts/{attempt}"
    try:
        github = GitHub(os.environ.get(Variable.TOKEN, ""))
        finished = github.get(path, PERMISSION)
        if not _is_release_of(description, finished) or finished["conclusion"] in _GREEN:
            return True
        if any(map(_notified, github.pages(f"{path}/jobs", PERMISSION, "jobs"))):
            return True
    except (GitHubError, KeyError, TypeError, ValueError) as problem:
        warning(
            f"whether run {run}, attempt {attempt}, notified of its failure is unknown: {problem}"
        )
        return False
    log(f"run {run}, attempt {attempt}, failed and notified nobody")
    ended = f"{description.environment}: run {run}, attempt {attempt}, ended without a verdict"
    text = situation or "It left no release in flight. Next: see its log, then re-run all jobs."
    verdict = Verdict(UNKNOWN if situation else UNTOUCHED, ended, text)
    return send_verdict(description, verdict, f"{run_address(run)}/attempts/{attempt}")


def _is_release_of(description: Description, run: Any) -> bool:
    """Whether a run is one of a workflow that releases to the environment."""
    pipelines = [names.pipeline(description.environment, name) for name in description.services]
    paths = [names.workflow(name) for name in (names.pipeline(description.environment), *pipelines)]
    return str(run["path"]).partition("@")[0] in paths


def _notified(job: Any) -> bool:
    """Whether a job has a successful step that notifies."""
    return any(
        step["name"] == Step.NOTIFY and step["conclusion"] == "success"
        for step in job.get("steps") or ()
    )
