"""What became of a release, judged from the results and outputs of the run's jobs: a state for
programs, and a title and a text for whoever is on call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ..contract import Description
from ..hosting.needs import Needs
from ..names import Job, Output, build_job

LIVE, NOTHING, STALE = "live", "nothing", "stale"
UNTOUCHED, CUT_OFF, RESTORED, PARTLY, FAILED, BROKEN, UNKNOWN = (
    "untouched", "cut off", "restored", "partly", "failed", "broken", "unknown",
)  # fmt: skip
AFTER = frozenset(
    (Job.RELEASE, Job.PRUNE, Job.AUDIT, Job.REVERT, Job.NOTIFY, Job.COMMENT, Job.VERDICT)
)
"""Jobs whose failure does not keep a release from starting."""


@dataclass(frozen=True)
class Verdict:
    """How a release ended."""

    state: str
    title: str
    """One line: environment, release, outcome."""
    text: str
    """One paragraph: what happened, what the cluster runs, what to do next."""

    @property
    def good(self) -> bool:
        """Whether the run may be green."""
        return self.state in (LIVE, NOTHING, STALE)

    @property
    def severity(self) -> str:
        """PagerDuty's severity; '' if the cluster runs what it ran before, or better."""
        if self.state in (PARTLY, BROKEN, UNKNOWN):
            return "critical"
        return "error" if self.state == RESTORED else ""


class _Ending(NamedTuple):
    state: str
    headline: str
    sentences: list[str]


def judge(description: Description, needs: Needs) -> Verdict:
    """The verdict on a release."""
    number = needs.output(Job.PLAN, Output.NUMBER)
    where = description.environment + (f", pull request {number}" if number else "")
    state, headline, sentences = (
        _judge_success(needs) or _judge_start(needs) or _judge_failure(description, needs)
    )
    if needs.result(Job.AUDIT) in ("failure", "cancelled"):
        sentences.append("Job `audit` failed: a tag or a GitHub deployment is missing. Re-run it.")
    return Verdict(state, f"{where}: {headline}", " ".join(sentences))


def judge_request(description: Description, needs: Needs) -> Verdict:
    """The verdict on a pull request: its builds, its tests and its preview."""
    builds = [build_job(service) for service in needs.build]
    unbuilt = [job for job in builds if needs.result(job) != "success"]
    failed = sorted({*needs.failed(besides=(Job.RELEASE,)), *unbuilt})
    if needs.result(Job.PLAN) != "success" or failed:
        jobs = ", ".join(failed) or Job.PLAN
        text = f"These jobs did not succeed: {jobs}. Fix what their logs report and push again."
        return Verdict(UNTOUCHED, f"{description.environment}: {jobs} failed", text)
    if needs.output(Job.PLAN, Output.ANY) == "false":
        text = (
            "The changes were built and tested. There is no preview: none was requested, or the "
            "pull request comes from a fork or a bot, which get no credentials."
        )
        return Verdict(NOTHING, f"{description.environment}: green without a preview", text)
    return judge(description, needs)


def _judge_success(needs: Needs) -> _Ending | None:
    """The ending of a release that was verified, or refused as stale; None for any other."""
    if needs.output(Job.RELEASE, Output.VERIFIED) == "true":
        text = f"{_subject(needs)} was verified and is live."
        return _Ending(LIVE, f"{_release(needs)} is live", [text])
    if needs.output(Job.RELEASE, Output.STALE) == "true":
        text = (
            f"Commit {_sha(needs)} was not released: it is not newer than the live commit, or it "
            "contains a release that failed. To release it anyway, start the workflow with `force`."
        )
        return _Ending(STALE, "stale, nothing was done", [text])
    return None


def _judge_start(needs: Needs) -> _Ending | None:
    """The ending of a release that did not start; None for one that did."""
    sentence = ""
    proceed = needs.output(Job.RELEASE, Output.PROCEED)
    if failed := needs.failed(besides=AFTER):
        results = ", ".join(f"{job} ({_result(needs, job)})" for job in failed)
        sentence = f"The release did not start because these jobs did not succeed: {results}."
    elif needs.result(Job.PLAN) != "success":
        sentence = "Job `plan` did not run."
    elif needs.output(Job.PLAN, Output.ANY) == "false":
        text = "No service has changed since its last release."
        return _Ending(NOTHING, "nothing to release", [text])
    elif needs.output(Job.PLAN, Output.ANY) != "true":
        sentence = "Job `plan` wrote no outputs."
    elif needs.result(Job.RELEASE) in ("skipped", ""):
        sentence = "The release did not start: it was not approved, or an image is missing."
    elif proceed == "false":
        sentence = "Job `preflight` refused the release; see its log for the reason and the fix."
    elif not proceed and not needs.output(Job.RELEASE, Output.RESTORED):
        sentence = "Job `preflight` did not finish; see its log. No manifest was applied."
    if not sentence:
        return None
    sentences = [sentence, "The cluster is unchanged.", _next(needs)]
    return _Ending(UNTOUCHED, "not released, nothing was touched", sentences)


def _judge_failure(description: Description, needs: Needs) -> _Ending:
    """The ending of a release that started and was not verified, by what the rollback restored."""
    restored = needs.output(Job.RELEASE, Output.RESTORED).partition(":")[0]
    if description.preview and restored != "failed":
        text = "The preview stays up for debugging. Next: push a fix to the pull request."
        return _Ending(FAILED, "the preview failed", [_failure(needs), text])
    endings = {
        "nothing": _untouched,
        "verified": _cut_off,
        "taken over": _taken_over,
        "all": _restored,
        "except": _partly_restored,
        "failed": _not_restored,
    }
    return endings.get(restored, _unknown)(needs)


def _untouched(needs: Needs) -> _Ending:
    text = "No manifest was applied; the cluster is unchanged."
    headline = f"{_release(needs)} failed, nothing was touched"
    return _Ending(UNTOUCHED, headline, [_failure(needs), text, _next(needs)])


def _cut_off(needs: Needs) -> _Ending:
    text = (
        f"{_subject(needs)} was verified before the run was cut off, and is live. Next: re-run the "
        "failed jobs, which record the tag and the GitHub deployment."
    )
    return _Ending(CUT_OFF, f"{_release(needs)} is live, but the run was cut off", [text])


def _taken_over(needs: Needs) -> _Ending:
    text = (
        "Another run, possibly of another repository, has taken over the environment; job "
        "`rollback` names it. This run undid nothing: what the cluster runs depends on that run."
    )
    headline = f"{_release(needs)} was taken over by another run"
    return _Ending(UNKNOWN, headline, [_failure(needs), text])


def _restored(needs: Needs) -> _Ending:
    text = f"The cluster runs {_good(needs)} again."
    headline = f"{_release(needs)} failed and was rolled back"
    return _Ending(RESTORED, headline, [_failure(needs), text, *_revert(needs)])


def _partly_restored(needs: Needs) -> _Ending:
    kept = needs.output(Job.RELEASE, Output.RESTORED).partition(":")[2].strip() or "some services"
    text = (
        f"The cluster runs {_good(needs)} again, except {kept}: no automatic rollback there. "
        f"Check {kept} now, and restore or repair by hand."
    )
    headline = f"{_release(needs)} failed and was rolled back, except {kept}"
    return _Ending(PARTLY, headline, [_failure(needs), text, *_revert(needs)])


def _not_restored(needs: Needs) -> _Ending:
    text = (
        "The rollback failed too: the cluster may run a mix of two releases, and further releases "
        "are refused. Act now: read the log of job `rollback`, fix what it reports, then run the "
        "watchdog workflow, which retries the rollback, or release with `force`. "
        "See docs/delivery-setup.md, When a rollback failed."
    )
    headline = f"ROLLBACK OF {_release(needs).upper()} FAILED"
    return _Ending(BROKEN, headline, [_failure(needs), text])


def _unknown(needs: Needs) -> _Ending:
    text = (
        "No job reported what the cluster runs. The release record in the cluster is "
        "authoritative; the watchdog workflow restores the last known good release from it. "
        "If it has not run within 15 minutes, start it by hand."
    )
    headline = f"{_release(needs)} ended in an unknown state"
    return _Ending(UNKNOWN, headline, [_failure(needs), text])


def _release(needs: Needs) -> str:
    number = needs.output(Job.RELEASE, Output.RELEASE)
    return f"release {number}" if number else "the release"


def _result(needs: Needs, job: str) -> str:
    """The result of a job that did not succeed; GitHub reports a rejected approval as a failure."""
    result = needs.result(job)
    return "failed or was rejected" if (job, result) == (Job.APPROVE, "failure") else result


def _sha(needs: Needs) -> str:
    return needs.output(Job.PLAN, Output.SHA)[:12]


def _subject(needs: Needs) -> str:
    """The release at the beginning of a sentence, with its commit and services."""
    release = _release(needs)
    services = ", ".join(needs.services)
    return f"{release[0].upper()}{release[1:]} (commit {_sha(needs)}, services {services})"


def _good(needs: Needs) -> str:
    """What a rollback restored."""
    sha = needs.output(Job.RELEASE, Output.LKG_SHA)[:12]
    return f"the last known good release (commit {sha})" if sha else "what it ran before"


def _failure(needs: Needs) -> str:
    """Why a release that started was not verified."""
    cause = needs.output(Job.RELEASE, Output.CAUSE)
    if cause == "app":
        reason = "health checks failed after this change"
    elif needs.result(Job.RELEASE) == "cancelled":
        return f"{_subject(needs)} failed: it was cancelled, or one of its jobs timed out."
    elif cause == "infra":
        reason = (
            "its health could not be determined in time, because of the cluster, the network or "
            "the runner rather than the change"
        )
    else:
        reason = "it ended before its health was known"
    return f"{_subject(needs)} failed: {reason}; see the first failed job below `release`."


def _next(needs: Needs) -> str:
    cancelled = "cancelled" in [needs.result(job) for job in needs.jobs]
    how = "re-run all jobs" if cancelled else "fix the cause, then push a fix or re-run all jobs"
    return f"Next: {how} (not only the failed ones)."


def _revert(needs: Needs) -> list[str]:
    """What became of the change in the default branch after a rollback, and what to do next."""
    if needs.output(Job.RELEASE, Output.CAUSE) != "app":
        text = "Nothing was reverted: the change is not known to have caused the failure."
        return [text, _next(needs)]
    address = needs.output(Job.REVERT, Output.ADDRESS)
    reverted = needs.output(Job.REVERT, Output.REVERTED)
    if reverted == "pull-request":
        text = f"{address} reverts the change in the default branch."
        return [text, "Next: merge the revert, or push a fix."]
    if reverted == "none":
        reason = needs.output(Job.REVERT, Output.REASON)
        return [f"Nothing was reverted: {reason}. Next: push a fix."]
    still = "The default branch still contains the bad change."
    if reverted == "issue":
        return [f"{still} Next: run the commands in {address}, which revert it, or push a fix."]
    return [f"{still} Next: see job `revert_pr`, then revert the change or push a fix."]
