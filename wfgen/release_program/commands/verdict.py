"""The end of a run in words for whoever is woken by it: `verdict`, and `gate` for previews."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .. import names
from ..contract import Description, load
from ..hosting.needs import Needs, run_address
from ..hosting.outputs import add_summary, error, log

LIVE, NOTHING, STALE = "live", "nothing", "stale"
UNTOUCHED, CUT_OFF, RESTORED, PARTLY, FAILED, BROKEN, UNKNOWN = (
    "untouched", "cut off", "restored", "partly", "failed", "broken", "unknown",
)  # fmt: skip
AFTER = frozenset(("release", "prune", "audit", "revert_pr", "notify", "comment", "verdict"))
"""Jobs that are no reason why a release did not begin."""


@dataclass(frozen=True)
class Verdict:
    """What became of a release: a word for programs, a line and a paragraph for people."""

    state: str
    title: str
    text: str

    @property
    def good(self) -> bool:
        """Whether the run may be green."""
        return self.state in (LIVE, NOTHING, STALE)

    @property
    def severity(self) -> str:
        """In PagerDuty's words; '' where nobody is to be woken, as nothing that runs is worse."""
        if self.state in (PARTLY, BROKEN, UNKNOWN):
            return "critical"
        return "error" if self.state == RESTORED else ""


def judge(description: Description, needs: Needs) -> Verdict:
    """What became of the release, from what the jobs told."""
    number = needs.output("plan", "number")
    where = description.environment + (f", pull request {number}" if number else "")
    state, headline, sentences = _judge_release(description, needs)
    if needs.result("audit") in ("failure", "cancelled"):
        sentences.append("Job audit failed: a tag or a GitHub deployment is missing; re-run it.")
    return Verdict(state, f"{where}: {headline}", " ".join(sentences))


def _judge_release(description: Description, needs: Needs) -> tuple[str, str, list[str]]:
    number = needs.output("release", "release")
    release = f"release {number}" if number else "the release"
    sha = needs.output("plan", "sha")[:12]
    what = f"{release[0].upper()}{release[1:]} (commit {sha}, services {', '.join(needs.services)})"
    restored = needs.output("release", "restored")
    if needs.output("release", "verified") == "true":
        return LIVE, f"{release} is live", [f"{what} was verified and is live."]
    if needs.output("release", "stale") == "true":
        text = f"Commit {sha} was not released: it is not newer than what is live, or contains a "
        text += "release that failed. To release it all the same, dispatch it with force."
        return STALE, "stale, nothing was done", [text]
    early = _judge_beginning(needs)
    if early:
        state, sentence = early
        headline = "nothing to release" if state == NOTHING else "not released, nothing was touched"
        return state, headline, [sentence]
    failure = f"{what} failed: {_reason(needs)}"
    if description.preview and restored != "failed":
        text = "The preview stays up as it is, for debugging. Push a fix to the pull request."
        return FAILED, "the preview failed", [failure, text]
    if restored == "nothing":
        text = "Nothing of it had been applied: the cluster is as it was before."
        return UNTOUCHED, f"{release} failed, nothing was touched", [failure, text, _next(needs)]
    if restored == "verified":
        text = f"{what} was verified before the run was cut off: the cluster is on it. Next: "
        text += "re-run the failed jobs, for the tag and the GitHub deployment."
        return CUT_OFF, f"{release} is live, but the run was cut off", [text]
    if restored == "taken over":
        text = "Another run, or another repository, has taken the environment over; job rollback "
        text += "names it. Nothing was undone here: what it does decides what the cluster is on."
        return UNKNOWN, f"{release} was taken over by another run", [failure, text]
    good = needs.output("release", "lkg_sha")[:12]
    back = f"the last known good release (commit {good})" if good else "what was there before it"
    if restored == "all":
        text = f"The cluster is on {back} again."
        return RESTORED, f"{release} failed and was rolled back", [failure, text, *_revert(needs)]
    if restored.startswith("except"):
        kept = restored.partition(":")[2].strip() or "some services"
        text = f"The cluster is on {back} again, except {kept}: rollback is never automatic there."
        text += f" Look at {kept} now; restore or repair by hand."
        return PARTLY, f"{release} restored except {kept}", [failure, text, *_revert(needs)]
    if restored == "failed":
        text = "The rollback failed as well: the cluster may run a mix of two releases, and further"
        text += " releases are refused. Act now: read job rollback, mend what it names, then run"
        text += " the watchdog workflow, which tries again, or release with force."
        text += " See docs/delivery-setup.md, When a rollback failed."
        return BROKEN, f"ROLLBACK OF {release.upper()} FAILED", [failure, text]
    text = "No job told what the cluster is on. The release record in the cluster is the truth; the"
    text += " watchdog workflow restores the last known good release from it. Start it by hand if"
    text += " it has not run within 15 minutes."
    return UNKNOWN, f"{release} ended without a word", [failure, text]


def _judge_beginning(needs: Needs) -> tuple[str, str] | None:
    """State and sentence for a release that never began; None for one that did."""
    sentence = ""
    failed = needs.failed(besides=AFTER)
    if failed:
        results = ", ".join(f"{job} ({needs.result(job)})" for job in failed)
        sentence = f"The release never began, because of: {results}."
    elif needs.result("plan") != "success":
        sentence = "Job plan did not run."
    elif needs.output("plan", "any") == "false":
        return NOTHING, "No service has changed since its last release."
    elif needs.output("plan", "any") != "true":
        sentence = "Job plan told nothing."
    elif needs.result("release") in ("skipped", ""):
        sentence = "The release never began: it was not approved, or its images are not complete."
    elif needs.output("release", "proceed") == "false":
        sentence = "Preflight refused the release; its log names the reason and the remedy."
    elif not needs.output("release", "proceed") and not needs.output("release", "restored"):
        sentence = "Preflight did not finish; its log says why. No manifest was applied."
    return (UNTOUCHED, f"{sentence} The cluster is as it was. {_next(needs)}") if sentence else None


def _reason(needs: Needs) -> str:
    """Why a release that began did not end well."""
    cause = needs.output("release", "cause")
    if cause == "app":
        return "it did not get well, and the change is to blame; job monitor has the first reason."
    if needs.result("release") == "cancelled":
        return "it was cancelled, or a job of it took longer than it may."
    if cause == "infra":
        return (
            "whether it is well could not be found out in time (the cluster, the network or the "
            "runner, not the change); job monitor says what was tried."
        )
    return "it ended before the monitor could judge it; the first red job below release says why."


def _next(needs: Needs) -> str:
    cancelled = "cancelled" in [needs.result(job) for job in needs.jobs]
    how = "re-run all jobs" if cancelled else "mend the cause, then push a fix or re-run all jobs"
    return f"Next: {how} (never the failed ones alone)."


def _revert(needs: Needs) -> list[str]:
    """What became of the code, after the cluster was restored; and what to do now."""
    if needs.output("release", "cause") != "app":
        return ["Nothing was reverted: no change is known to be bad.", _next(needs)]
    address = needs.output("revert_pr", "address")
    kind = needs.output("revert_pr", "reverted")
    if kind == "pull-request":
        return [f"{address} takes the change out of the default branch. Next: merge it, or fix."]
    still = "The default branch still has the bad change."
    if kind == "issue":
        return [f"{still} Next: {address} has the commands that revert it; run them, or fix."]
    if kind == "none":
        return [f"Nothing was reverted: {needs.output('revert_pr', 'reason')}. Next: push a fix."]
    return [f"{still} Next: see job revert_pr, then revert it or push a fix."]


def verdict() -> int:
    """Says in one paragraph what happened, what the cluster is on and what to do next.

    Exit code 0 only when the release was verified, or there was nothing to release, or the run was
    stale; 1 for everything else, whatever the jobs' colours say.

    Reads: WFGEN_DESCRIPTION, WFGEN_NEEDS (toJSON(needs): plan, builds, images, approve, release,
    audit, revert_pr). Writes the run's summary, no outputs.
    """
    return _say(judge(load(), Needs.load()))


def gate() -> int:
    """The one required check of a pull request: red if anything that ran is red.

    Green without a preview for forks and bots whose builds and tests are green, and for a pull
    request that nobody asked a preview for.

    Reads: WFGEN_DESCRIPTION, WFGEN_NEEDS (toJSON(needs): plan, builds, images, release).
    Writes the run's summary, no outputs.
    """
    return _say(judge_request(load(), Needs.load()))


def judge_request(description: Description, needs: Needs) -> Verdict:
    """What became of a pull request's builds and of its preview, from what the jobs told."""
    builds = [names.build_job(service) for service in needs.build]
    unbuilt = [job for job in builds if needs.result(job) != "success"]
    failed = sorted({*needs.failed(besides=("release",)), *unbuilt})
    if needs.result("plan") != "success" or failed:
        jobs = ", ".join(failed) or "plan"
        text = f"These jobs did not succeed: {jobs}. Mend what their logs name and push again."
        return Verdict(UNTOUCHED, f"{description.environment}: {jobs} failed", text)
    if needs.output("plan", "any") == "false":
        text = "What changed was built and tested. No preview: none was asked for, or the pull "
        text += "request is a fork's or a bot's and gets no credentials."
        return Verdict(NOTHING, f"{description.environment}: green without a preview", text)
    return judge(description, needs)


def _say(verdict: Verdict) -> int:
    run = run_address()
    add_summary(f"## {verdict.title}\n\n{verdict.text}" + (f"\n\n[This run]({run})" if run else ""))
    if verdict.good:
        log(f"{verdict.title}\n{verdict.text}")
        return 0
    error(f"{verdict.title}\n{verdict.text}")
    return 1


COMMANDS: dict[str, Callable[[], int]] = {"verdict": verdict, "gate": gate}
