"""What became of a release, judged from the results and outputs of the run's jobs: a state for
programs, and a title and a text for whoever is on call.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..contract import Description
from ..hosting.needs import Needs, Steps
from ..names import Job, Output, Step, build_job
from .endings import (
    BROKEN,
    CANCELLED,
    CUT_OFF,
    PARTLY,
    RESTORED,
    UNKNOWN,
    UNTOUCHED,
    Ending,
    failed_release,
    next_step,
    release,
    sha,
    subject,
)

LIVE, UNTAGGED, NOTHING, STALE = "live", "untagged", "nothing", "stale"
AFTER = frozenset((Job.RELEASE, Job.REVERT, Job.FINISH))
"""Jobs whose failure does not keep a release from starting."""

_REFUSALS = {
    "held": (
        "held, nothing was released",
        "An operator went back to a release, which is held.",
        "Next: to end that, dispatch the workflow with `force`, which releases this commit.",
    ),
    "refused": (
        "refused, the same content has failed before",
        "What this commit releases failed before and was rolled back.",
        "Next: push a fix, or dispatch the workflow with `force`.",
    ),
    "unapproved": (
        "not released, more changed than was approved",
        "Under the lock the release had services that nobody approved.",
        "Next: re-run all jobs (not only the failed ones), which asks for approval again.",
    ),
    "unbuilt": (
        "not released, an image is missing",
        "The release needs an image that neither this run built nor the record has.",
        "Next: re-run all jobs (not only the failed ones), which builds every service.",
    ),
    "stale": (
        "not released, the live commit is not contained",
        "This commit and the live one have different histories.",
        "Next: release a commit that contains the live one, or dispatch the workflow with `force`.",
    ),
}
"""By decision of `preflight`: a headline, what happened, and what to do next."""


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
    def live(self) -> bool:
        """Whether the cluster runs this release, verified."""
        return self.state in (LIVE, UNTAGGED, CUT_OFF)

    @property
    def severity(self) -> str:
        """PagerDuty's severity; '' if the cluster runs what it ran before, or better."""
        if self.state in (PARTLY, BROKEN, UNKNOWN):
            return "critical"
        return "error" if self.state == RESTORED else ""


def judge(description: Description, needs: Needs, steps: Steps | None = None) -> Verdict:
    """The verdict on a release; `steps` are those before, where `audit` is one of them."""
    number = needs.output(Job.PLAN, Output.NUMBER)
    where = description.environment + (f", pull request {number}" if number else "")
    state, headline, sentences = (
        _judge_start(needs)
        or _judge_success(needs)
        or _judge_decision(needs)
        or failed_release(description, needs)
    )
    if state in (LIVE, NOTHING, STALE) and (failed := needs.failed(besides=AFTER)):
        sentences.append(f"These jobs did not succeed: {', '.join(failed)}.")
        state = CUT_OFF if state == LIVE else UNTOUCHED
    approved = needs.output(Job.APPROVE, Output.APPROVED_BY)
    if approved and needs.result(Job.APPROVE) == "success":
        sentences.append(f"The run was approved by {approved}.")
    if steps and (audit := steps.outcome(Step.AUDIT)) != "success":
        sentences.append(
            f"Step `audit` did not succeed ({audit or 'it did not run'}): the tag or the GitHub "
            "deployment is missing. Next: re-run the failed jobs, which completes them."
        )
        if state == LIVE:
            state, headline = UNTAGGED, f"{headline}; tag missing"
        elif state in (NOTHING, STALE):
            state = UNTOUCHED
    return Verdict(state, f"{where}: {headline}", " ".join(sentences))


def judge_request(description: Description, needs: Needs) -> Verdict:
    """The verdict on a pull request or merge group: its builds, its tests and its preview."""
    number = needs.output(Job.PLAN, Output.NUMBER)
    planned = needs.result(Job.PLAN) == "success"
    where = f"pull request {number}" if number else "merge group" if planned else "request"
    builds = [build_job(service) for service in needs.build]
    unbuilt = [job for job in builds if needs.result(job) != "success"]
    failed = sorted({*needs.failed(besides=(Job.RELEASE,)), *unbuilt})
    proposed = needs.output(Job.PLAN, Output.PROPOSED)
    if not planned or failed or proposed not in ("true", "false"):
        jobs = ", ".join(failed) or Job.PLAN
        text = f"These jobs did not succeed: {jobs}. Fix what their logs report and push again."
        return Verdict(UNTOUCHED, f"{where}: {jobs} failed", text)
    if proposed == "true":
        return judge(description, needs)
    if needs.result(Job.RELEASE) not in ("skipped", ""):
        text = f"Job `release` ran ({needs.result(Job.RELEASE)}) although nothing was proposed."
        return Verdict(UNKNOWN, f"{where}: a release that nobody proposed", text)
    reasons = {
        "merge group": "a merge group gets none",
        "pull request": "none was requested by this event, or the environment has none",
        "untrusted": "the pull request comes from a fork or a bot, or is closed: no credentials",
    }
    trusted = needs.output(Job.PLAN, Output.TRUSTED) == "true"
    reason = reasons["merge group" if not number else "pull request" if trusted else "untrusted"]
    services = ", ".join(needs.build) or "none changed"
    text = f"What the request changes was built and tested ({services}). No preview: {reason}."
    return Verdict(NOTHING, f"{where}: built and tested, no preview", text)


def _judge_start(needs: Needs) -> Ending | None:
    """The ending of a run whose release did not start; None where it did."""
    sentence = ""
    if failed := needs.failed(besides=AFTER):
        results = ", ".join(f"{job} ({_result(needs, job)})" for job in failed)
        sentence = f"The release did not start because these jobs did not succeed: {results}."
    elif needs.result(Job.PLAN) != "success":
        sentence = "Job `plan` did not run."
    elif needs.output(Job.PLAN, Output.PROPOSED) not in ("true", "false"):
        sentence = "Job `plan` wrote no outputs."
    if needs.result(Job.RELEASE) not in ("skipped", ""):
        return None  # it ran: its own outputs are evidence, whatever the others report
    sentence = sentence or "The release did not start: it was not approved, or was skipped."
    sentences = [sentence, "The cluster is unchanged.", next_step(needs)]
    return Ending(UNTOUCHED, "not released, nothing was touched", sentences)


def _judge_success(needs: Needs) -> Ending | None:
    """The ending of a release that was verified; None for any other."""
    restored = needs.output(Job.RELEASE, Output.RESTORED)
    verified = needs.output(Job.RELEASE, Output.VERIFIED) == "true"
    if restored not in ("", "verified") or not (verified or restored):
        return None
    if not verified and needs.output(Job.RELEASE, Output.PROCEED) == "false":
        return None  # an earlier attempt of this run was verified, and this one was refused
    if verified and needs.result(Job.RELEASE) == "success":
        sentences = [f"{subject(needs)} was verified and is live."]
        if needs.output(Job.PLAN, Output.GO_BACK):
            text = "The environment is held: pushes release nothing until a dispatch with `force`."
            sentences.append(text)
        return Ending(LIVE, f"{release(needs)} is live", sentences)
    text = (
        f"{subject(needs)} was verified and is live, but a job of the run was cut off "
        f"({needs.result(Job.RELEASE)}). Next: re-run all jobs, which checks what is live."
    )
    return Ending(CUT_OFF, f"{release(needs)} is live, but the run was cut off", [text])


def _judge_decision(needs: Needs) -> Ending | None:
    """The ending of a run that `preflight` did not let release; None for any other."""
    restored = needs.output(Job.RELEASE, Output.RESTORED)
    if restored not in ("", "nothing", "verified", "taken over"):
        return None  # what an earlier attempt of this run had left was undone
    result, decision = needs.result(Job.RELEASE), needs.output(Job.RELEASE, Output.DECISION)
    proceed = needs.output(Job.RELEASE, Output.PROCEED)
    if not proceed and not restored and result == "cancelled":
        text = (
            "The run was cancelled before a job of the release reported anything, for instance "
            "while it waited for the lock. The watchdog workflow checks the environment."
        )
        return Ending(CANCELLED, "cancelled, no release was reported", [text, next_step(needs)])
    if proceed != "false":
        return None
    reason = needs.output(Job.RELEASE, Output.REASON).rstrip(".")
    reasons = [f"{reason[0].upper()}{reason[1:]}."] if reason else []
    untouched = "The cluster is unchanged."
    if result == "success" and decision == "nothing":
        text = f"Everything that commit {sha(needs)[:12]} changes is live already."
        return Ending(NOTHING, "nothing to release", [text, *reasons])
    if result == "success" and decision == "stale":
        text = (
            f"Commit {sha(needs)[:12]} was not released: what is live contains it already. To "
            "release it anyway, dispatch the workflow with `force`."
        )
        return Ending(STALE, "stale, nothing was done", [text, *reasons])
    if decision in _REFUSALS and result != "cancelled":
        headline, text, following = _REFUSALS[decision]
        return Ending(UNTOUCHED, headline, [text, *reasons, untouched, following])
    text = (
        f"Step `preflight` did not let the release start ({result}); see the log of job `deploy`."
    )
    sentences = [text, *reasons, untouched, next_step(needs)]
    return Ending(UNTOUCHED, "not released, nothing was touched", sentences)


def _result(needs: Needs, job: str) -> str:
    """The result of a job that did not succeed; GitHub reports a rejected approval as a failure."""
    result = needs.result(job)
    return "failed or was rejected" if (job, result) == (Job.APPROVE, "failure") else result
