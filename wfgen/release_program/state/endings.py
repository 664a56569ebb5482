"""How a release that started can end without being verified, by what its rollback restored; and the
phrases of all verdicts.
"""

from __future__ import annotations

from typing import NamedTuple

from ..contract import Description
from ..hosting.needs import Needs
from ..names import Job, Output

UNTOUCHED, CANCELLED, CUT_OFF, RESTORED, PARTLY, FAILED, BROKEN, UNKNOWN = (
    "untouched", "cancelled", "cut off", "restored", "partly", "failed", "broken", "unknown",
)  # fmt: skip


class Ending(NamedTuple):
    """A state, the second half of a title, and the sentences of a text."""

    state: str
    headline: str
    sentences: list[str]


def failed_release(description: Description, needs: Needs) -> Ending:
    """The ending of a release that started and was not verified."""
    restored = needs.output(Job.RELEASE, Output.RESTORED).partition(":")[0]
    if description.preview and restored != "failed":
        text = "The preview stays up for debugging. Next: push a fix to the pull request."
        return Ending(FAILED, "the preview failed", [_failure(needs), text])
    endings = {
        "nothing": _untouched,
        "taken over": _taken_over,
        "all": _restored,
        "except": _partly_restored,
        "failed": _not_restored,
    }
    return endings.get(restored, _unknown)(needs)


def _untouched(needs: Needs) -> Ending:
    text = "No manifest was applied; the cluster is unchanged."
    headline = f"{release(needs)} failed, nothing was touched"
    return Ending(UNTOUCHED, headline, [_failure(needs), text, next_step(needs)])


def _taken_over(needs: Needs) -> Ending:
    text = (
        "Another run, possibly of another repository, has taken over the environment; job "
        "`rollback` names it. This run undid nothing: what the cluster runs depends on that run."
    )
    headline = f"{release(needs)} was taken over by another run"
    return Ending(UNKNOWN, headline, [_failure(needs), text])


def _restored(needs: Needs) -> Ending:
    text = f"The cluster runs {_good(needs)} again."
    headline = f"{release(needs)} failed and was rolled back"
    return Ending(RESTORED, headline, [_failure(needs), text, *_revert(needs)])


def _partly_restored(needs: Needs) -> Ending:
    kept = needs.output(Job.RELEASE, Output.RESTORED).partition(":")[2].strip() or "some services"
    text = (
        f"The cluster runs {_good(needs)} again, except {kept}: no automatic rollback there. "
        f"Check {kept} now, and restore or repair by hand."
    )
    headline = f"{release(needs)} failed and was rolled back, except {kept}"
    return Ending(PARTLY, headline, [_failure(needs), text, *_revert(needs)])


def _not_restored(needs: Needs) -> Ending:
    text = (
        "The rollback failed too: the cluster may run a mix of two releases, and further releases "
        "are refused. Act now: read the log of job `rollback`, fix what it reports, then dispatch "
        "the watchdog workflow with `force`, which retries the rollback, or a release with "
        "`force`. See docs/delivery-setup.md, When a rollback failed."
    )
    headline = f"ROLLBACK OF {release(needs).upper()} FAILED"
    return Ending(BROKEN, headline, [_failure(needs), text])


def _unknown(needs: Needs) -> Ending:
    text = (
        "No job reported what the cluster runs. The release record in the cluster is "
        "authoritative; the watchdog workflow restores the last known good release from it. "
        "If it has not run a few minutes after the end of this run, dispatch it."
    )
    headline = f"{release(needs)} ended in an unknown state"
    return Ending(UNKNOWN, headline, [_failure(needs), text])


def release(needs: Needs) -> str:
    """The release, with its number where one was given out."""
    number = needs.output(Job.RELEASE, Output.RELEASE)
    return f"release {number}" if number else "the release"


def sha(needs: Needs) -> str:
    """The commit that is released, else the proposed one."""
    return needs.output(Job.RELEASE, Output.SHA) or needs.output(Job.PLAN, Output.SHA)


def subject(needs: Needs) -> str:
    """The release at the beginning of a sentence, with its commit and services."""
    name = release(needs)
    services = ", ".join(needs.released or needs.services) or "none"
    return f"{name[0].upper()}{name[1:]} (commit {sha(needs)[:12]}, services {services})"


def next_step(needs: Needs) -> str:
    """What to do after a release that changed nothing."""
    cancelled = "cancelled" in [needs.result(job) for job in needs.jobs]
    how = "re-run all jobs" if cancelled else "fix the cause, then push a fix or re-run all jobs"
    return f"Next: {how} (not only the failed ones)."


def _good(needs: Needs) -> str:
    """What a rollback restored."""
    commit = needs.output(Job.RELEASE, Output.LKG_SHA)[:12]
    return f"the last known good release (commit {commit})" if commit else "what it ran before"


def _failure(needs: Needs) -> str:
    """Why a release that started was not verified."""
    cause = needs.output(Job.RELEASE, Output.CAUSE)
    if cause == "app":
        reason = "health checks failed after this change"
    elif needs.result(Job.RELEASE) == "cancelled":
        return f"{subject(needs)} failed: it was cancelled, or one of its jobs timed out."
    elif cause == "infra":
        reason = (
            "its health could not be determined in time, because of the cluster, the network or "
            "the runner rather than the change"
        )
    else:
        reason = "it ended before its health was known"
    return f"{subject(needs)} failed: {reason}; see the first failed job below `release`."


def _revert(needs: Needs) -> list[str]:
    """What became of the change in the default branch after a rollback, and what to do next."""
    if needs.output(Job.RELEASE, Output.CAUSE) != "app":
        text = "Nothing was reverted: the change is not known to have caused the failure."
        return [text, next_step(needs)]
    address = needs.output(Job.REVERT, Output.ADDRESS)
    reverted = needs.output(Job.REVERT, Output.REVERTED)
    if reverted == "pull-request":
        text = f"{address} reverts the change in the default branch."
        return [text, "Next: merge the revert, or push a fix."]
    if reason := needs.output(Job.REVERT, Output.REASON):
        return [f"Nothing was reverted: {reason}. Next: push a fix."]
    still = "The default branch still contains the bad change."
    if reverted == "issue":
        return [f"{still} Next: run the commands in {address}, which revert it, or push a fix."]
    return [f"{still} Next: see job `revert_pr`, then revert the change or push a fix."]
