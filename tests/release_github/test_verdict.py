"""`verdict` and `gate`: the colour of the run, and what it says, for each way a run can end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest

from wfgen.release_program import commands
from wfgen.release_program.contract import load
from wfgen.release_program.hosting import needs as read_needs
from wfgen.release_program.state.outcome import judge

from .conftest import Describe, of_release

Needs = Callable[..., None]
Job = str | tuple[str, Mapping[str, str]]

SHA = "1234567890abcdef" + "0" * 24
PLAN = {
    "proposed": "true",
    "sha": SHA,
    "scope": '["redis", "server", "client"]',
    "services": '["server", "client"]',
    "build": '["server"]',
    "number": "0",
    "go_back": "0",
}
BEGUN = {
    "proceed": "true",
    "decision": "release",
    "reason": "1 service changed",
    "release": "42",
    "lkg_sha": "fedcba0987654321",
    "sha": SHA,
    "services": '["server", "client"]',
    "images": "{}",
}
AUDITED = {"audit": {"outcome": "success", "conclusion": "success"}}
PULL = "https://github.com/acme/shop/pull/7"


def ended(result: str, **outputs: str) -> tuple[str, Mapping[str, str]]:
    """A release that started."""
    return result, of_release(1, **{**BEGUN, **outputs})


def refused(result: str, decision: str, reason: str = "because of that.", **outputs: str) -> Job:
    """A release that `preflight` did not start."""
    none = {"release": "0", "lkg_sha": "none", "services": "none", "images": "none", "sha": SHA}
    values = {"proceed": "false", "decision": decision, "reason": reason, **none, **outputs}
    return result, of_release(1, **values)


CASES: dict[str, tuple[dict[str, Job], int, list[str]]] = {
    "verified": (
        {"release": ended("success", verified="true")},
        0,
        ["production: release 42 is live", "commit 1234567890ab, services server, client"],
    ),
    "verified, of what deploy found rather than of what plan proposed": (
        {"release": ended("success", verified="true", services='["redis"]', sha="a" * 40)},
        0,
        ["commit aaaaaaaaaaaa, services redis) was verified"],
    ),
    "went back": (
        {
            "plan": ("success", {**PLAN, "go_back": "40"}),
            "release": ended("success", verified="true"),
        },
        0,
        ["is live", "The environment is held: pushes release nothing until a dispatch"],
    ),
    "verified, and what comes after it failed": (
        {"release": ended("failure", verified="true")},
        1,
        ["release 42 is live, but the run was cut off", "re-run all jobs"],
    ),
    "cancelled after the commit point": (
        {"release": ended("cancelled", verified="true")},
        1,
        ["release 42 is live, but the run was cut off"],
    ),
    "cut off between the commit point and its word": (
        {"release": ended("cancelled", restored="verified")},
        1,
        ["release 42 is live, but the run was cut off", "re-run all jobs"],
    ),
    "verified although a build failed": (
        {"build_server": "failure", "release": ended("success", verified="true")},
        1,
        ["These jobs did not succeed: build_server"],
    ),
    "taken over by another run": (
        {"release": ended("failure", restored="taken over")},
        1,
        ["taken over by another run", "job `rollback` names it"],
    ),
    "refused while another run has a release in flight": (
        {"release": refused("failure", "failed", restored="taken over")},
        1,
        ["not released, nothing was touched", "Because of that.", "re-run all jobs"],
    ),
    "nothing changed": (
        {
            "plan": ("success", {**PLAN, "proposed": "false", "services": "[]", "build": "[]"}),
            "build_server": "skipped",
            "approve": "skipped",
            "release": refused("success", "nothing"),
        },
        0,
        ["nothing to release", "Because of that."],
    ),
    "nothing changed, as deploy found": (
        {"release": refused("success", "nothing")},
        0,
        ["Everything that commit 1234567890ab changes is live already"],
    ),
    "stale": (
        {"release": refused("success", "stale")},
        0,
        ["stale, nothing was done", "dispatch the workflow with `force`"],
    ),
    "nothing proposed, and the release did not run": (
        {"plan": ("success", {**PLAN, "proposed": "false"}), "release": "skipped"},
        1,
        ["nothing was touched", "it was not approved, or was skipped"],
    ),
    "nothing to release, but the job failed": (
        {"release": refused("failure", "nothing", restored="nothing")},
        1,
        ["Step `preflight` did not let the release start (failure)"],
    ),
    "nothing to release, but the job was cancelled": (
        {"release": refused("cancelled", "stale", restored="nothing")},
        1,
        ["not released", "re-run all jobs"],
    ),
    "not contained in what is live": (
        {"release": refused("failure", "stale", restored="nothing")},
        1,
        ["the live commit is not contained", "Because of that.", "with `force`"],
    ),
    "held": (
        {"release": refused("failure", "held", restored="nothing")},
        1,
        ["held, nothing was released", "dispatch the workflow with `force`"],
    ),
    "content that failed before": (
        {"release": refused("failure", "refused", restored="nothing")},
        1,
        ["refused, the same content has failed before", "push a fix, or dispatch the workflow"],
    ),
    "more than was approved": (
        {"release": refused("failure", "unapproved", restored="nothing")},
        1,
        ["more changed than was approved", "re-run all jobs", "asks for approval again"],
    ),
    "an image was not built": (
        {"release": refused("failure", "unbuilt", restored="nothing")},
        1,
        ["an image is missing", "re-run all jobs", "The cluster is unchanged"],
    ),
    "preflight failed": (
        {"release": refused("failure", "failed", restored="nothing")},
        1,
        ["not released, nothing was touched", "Because of that.", "see the log of job `deploy`"],
    ),
    "refused, where an earlier attempt of the run is live": (
        {"release": refused("failure", "failed", restored="verified", release="41")},
        1,
        ["not released, nothing was touched"],
    ),
    "refused, and an earlier attempt of the run was undone": (
        {"release": refused("failure", "failed", restored="all", release="41")},
        1,
        ["release 41 failed and was rolled back"],
    ),
    "a decision that nobody knows": (
        {"release": refused("success", "unheard-of")},
        1,
        ["did not let the release start"],
    ),
    "nothing to release, but a build failed": (
        {
            "plan": ("success", {**PLAN, "proposed": "false"}),
            "build_server": "failure",
            "release": "skipped",
        },
        1,
        ["build_server (failure)", "The cluster is unchanged"],
    ),
    "plan failed": (
        {"plan": "failure", "build_server": "skipped", "release": "skipped"},
        1,
        ["plan (failure)", "nothing was touched"],
    ),
    "plan was skipped": (
        {"plan": "skipped", "build_server": "skipped", "release": "skipped"},
        1,
        ["Job `plan` did not run"],
    ),
    "plan wrote nothing": (
        {"plan": ("success", {}), "release": "skipped"},
        1,
        ["Job `plan` wrote no outputs", "The cluster is unchanged"],
    ),
    "a build failed": (
        {"build_server": "failure", "release": "skipped"},
        1,
        ["build_server (failure)", "The cluster is unchanged", "push a fix"],
    ),
    "cancelled while building": (
        {"build_server": "cancelled", "release": "skipped"},
        1,
        ["build_server (cancelled)", "re-run all jobs"],
    ),
    "approval rejected": (
        {"approve": "failure", "release": "skipped"},
        1,
        ["approve (failed or was rejected)", "The cluster is unchanged"],
    ),
    "release skipped with the outputs of a former attempt": (
        {"build_server": "failure", "release": ended("skipped", verified="true")},
        1,
        ["build_server (failure)", "nothing was touched"],
    ),
    "cancelled while queued": (
        {"release": ("cancelled", of_release(1))},
        1,
        ["cancelled, no release was reported", "re-run all jobs"],
    ),
    "nothing reported at all": (
        {"release": ("success", of_release(1))},
        1,
        ["ended in an unknown state"],
    ),
    "cut off before the release had a number": (
        {"release": ("failure", of_release(1, restored="nothing", release="0"))},
        1,
        ["production: the release failed, nothing was touched", "The release (commit 1234567890ab"],
    ),
    "migration failed": (
        {"release": ended("failure", restored="nothing")},
        1,
        ["No manifest was applied", "the first failed job below `release`"],
    ),
    "restored, pull request": (
        {
            "release": ended("failure", restored="all", cause="app"),
            "revert_pr": ("success", {"reverted": "pull-request", "address": PULL}),
        },
        1,
        [
            "release 42 failed and was rolled back",
            "health checks failed after this change",
            "runs the last known good release (commit fedcba098765) again",
            f"{PULL} reverts the change in the default branch. Next: merge the revert",
        ],
    ),
    "restored, issue": (
        {
            "release": ended("failure", restored="all", cause="app"),
            "revert_pr": ("success", {"reverted": "issue", "address": PULL, "reason": "none"}),
        },
        1,
        ["The default branch still contains the bad change", f"run the commands in {PULL}"],
    ),
    "the revert's own release failed": (
        {
            "release": ended("failure", restored="all", cause="app"),
            "revert_pr": ("success", {"reverted": "none", "reason": "it is our own revert"}),
        },
        1,
        ["Nothing was reverted: it is our own revert", "push a fix"],
    ),
    "restored, revert failed": (
        {"release": ended("failure", restored="all", cause="app"), "revert_pr": "failure"},
        1,
        ["still contains the bad change", "see job `revert_pr`"],
    ),
    "infrastructure": (
        {"release": ended("failure", restored="all", cause="infra"), "revert_pr": "skipped"},
        1,
        ["could not be determined in time", "Nothing was reverted", "re-run all jobs"],
    ),
    "cancelled while deploying": (
        {"release": ended("cancelled", restored="all", cause="infra"), "revert_pr": "skipped"},
        1,
        ["it was cancelled", "Nothing was reverted"],
    ),
    "first release": (
        {"release": ended("failure", restored="all", cause="app", lkg_sha="none")},
        1,
        ["The cluster runs what it ran before again"],
    ),
    "restored except a database": (
        {"release": ended("failure", restored="except: redis, postgres", cause="app")},
        1,
        ["rolled back, except redis, postgres", "repair by hand", "(commit fedcba098765)"],
    ),
    "rollback failed": (
        {"release": ended("failure", restored="failed", cause="app")},
        1,
        [
            "ROLLBACK OF RELEASE 42 FAILED",
            "a mix of two releases",
            "watchdog workflow with `force`",
        ],
    ),
    "nothing reported": (
        {"release": ended("failure")},
        1,
        [
            "ended in an unknown state",
            "The release record in the cluster is authoritative",
            "watchdog",
        ],
    ),
}
SEVERITIES = {
    "taken over by another run": "critical",
    "refused, and an earlier attempt of the run was undone": "error",
    "nothing reported at all": "critical",
    "restored, pull request": "error",
    "restored, issue": "error",
    "the revert's own release failed": "error",
    "restored, revert failed": "error",
    "infrastructure": "error",
    "cancelled while deploying": "error",
    "first release": "error",
    "restored except a database": "critical",
    "rollback failed": "critical",
    "nothing reported": "critical",
}
"""Of all others: nobody is woken, since the cluster runs what it ran before, or better."""


@pytest.fixture
def judged(
    describe: Describe, needs: Needs, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Sets a case up: the results of the jobs, and a step `audit` that succeeded."""

    def set_up(case: str) -> None:
        needs(**{"plan": ("success", PLAN), **CASES[case][0]})
        monkeypatch.setenv("WFGEN_STEPS", json.dumps(AUDITED))

    return set_up


@pytest.mark.parametrize("case", CASES)
def test_every_end_has_its_colour_and_its_words(
    judged: Callable[[str], None],
    summary: Callable[[], str],
    capsys: pytest.CaptureFixture[str],
    case: str,
) -> None:
    _, code, words = CASES[case]
    judged(case)
    assert commands.run("verdict") == code
    said = capsys.readouterr()
    for word in words:
        assert word in summary()
        assert word in said.out + said.err
    assert "https://github.com/acme/shop/actions/runs/77" in summary()


@pytest.mark.parametrize("case", CASES)
def test_nobody_is_woken_where_what_runs_is_no_worse(
    judged: Callable[[str], None], case: str
) -> None:
    judged(case)
    found = judge(load(), read_needs.Needs.load(), read_needs.Steps.load())
    assert found.severity == SEVERITIES.get(case, "")
    assert found.good == (CASES[case][1] == 0)


@pytest.mark.parametrize("outcome", ["failure", "cancelled", "skipped", ""])
def test_release_without_its_tag_is_live_and_red(
    describe: Describe,
    needs: Needs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    outcome: str,
) -> None:
    needs(plan=("success", PLAN), release=ended("success", verified="true"))
    steps = {"audit": {"outcome": outcome}} if outcome else {}
    monkeypatch.setenv("WFGEN_STEPS", json.dumps(steps))
    assert commands.run("verdict") == 1
    said = capsys.readouterr().err
    assert "production: release 42 is live; tag missing" in said
    assert "re-run the failed jobs, which completes them" in said
    found = judge(load(), read_needs.Needs.load(), read_needs.Steps.load())
    assert (found.live, found.severity) == (True, "")


def test_rollback_without_its_tag_is_still_a_rollback(
    describe: Describe, needs: Needs, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(plan=("success", PLAN), release=ended("failure", restored="all", cause="app"))
    monkeypatch.setenv("WFGEN_STEPS", json.dumps({"audit": {"outcome": "failure"}}))
    found = judge(load(), read_needs.Needs.load(), read_needs.Steps.load())
    assert (found.state, found.severity) == ("restored", "error")
    assert "Step `audit` did not succeed (failure)" in found.text


@pytest.mark.parametrize("people", ["ada", "ada, bob", "nobody"])
def test_verdict_has_who_approved_the_run(describe: Describe, needs: Needs, people: str) -> None:
    approve = ("success", {"approved_by": people})
    needs(plan=("success", PLAN), approve=approve, release=ended("success", verified="true"))
    assert f"approved by {people}" in judge(load(), read_needs.Needs.load()).text
    needs(
        plan=("success", PLAN),
        approve=("skipped", {"approved_by": people}),
        release=ended("success", verified="true"),
    )
    found = judge(load(), read_needs.Needs.load())
    assert "approved" not in found.text, "an output of an earlier attempt"


def test_old_outputs_of_another_attempt_are_not_this_one_s(
    describe: Describe, needs: Needs
) -> None:
    """`monitor` of attempt 1 verified; attempt 2 lost its runner, and its rollback restored."""
    first = of_release(1, **BEGUN, verified="true")
    second = of_release(2, **{**BEGUN, "release": "43"}, restored="all", cause="infra")
    outputs = {**first, "rollback": second["rollback"]}
    needs(plan=("success", PLAN), release=("failure", outputs))
    assert judge(load(), read_needs.Needs.load()).title == (
        "production: release 43 failed and was rolled back"
    )


NO_PREVIEW = {**PLAN, "proposed": "false", "services": "[]", "number": "12", "trusted": "true"}
FORK = ("success", {**NO_PREVIEW, "trusted": "false"})
GROUP = ("success", {**NO_PREVIEW, "trusted": "false", "number": "0"})
GATES: dict[str, tuple[dict[str, Job], int, str]] = {
    "verified": ({"release": ended("success", verified="true")}, 0, "release 42 is live"),
    "failed": ({"release": ended("failure", verified="false", cause="app")}, 1, "the preview"),
    "refused": ({"release": refused("failure", "failed")}, 1, "not released"),
    "stale": ({"release": refused("success", "stale", verified="false")}, 0, "stale"),
    "no label": (
        {"plan": ("success", NO_PREVIEW), "release": "skipped"},
        0,
        "pull request 12: built and tested, no preview",
    ),
    "no previews at all": ({"plan": ("success", NO_PREVIEW)}, 0, "pull request 12: built and"),
    "fork": ({"plan": FORK, "release": "skipped"}, 0, "from a fork or a bot"),
    "fork whose build failed": (
        {"plan": FORK, "build_server": "failure", "release": "skipped"},
        1,
        "build_server failed",
    ),
    "fork whose build was skipped": (
        {"plan": FORK, "build_server": "skipped", "release": "skipped"},
        1,
        "build_server failed",
    ),
    "fork whose test failed": (
        {"plan": FORK, "test": "failure", "release": "skipped"},
        1,
        "test failed",
    ),
    "fork that was deployed": (
        {"plan": FORK, "release": ended("success", verified="true")},
        1,
        "a release that nobody proposed",
    ),
    "merge group": ({"plan": GROUP}, 0, "merge group: built and tested, no preview"),
    "merge group whose build failed": (
        {"plan": GROUP, "build_server": "failure"},
        1,
        "merge group: build_server failed",
    ),
    "cancelled build": ({"build_server": "cancelled", "release": "skipped"}, 1, "build_server"),
    "plan skipped": (
        {"plan": "skipped", "build_server": "skipped", "release": "skipped"},
        1,
        "plan failed",
    ),
    "plan failed": ({"plan": "failure", "build_server": "skipped"}, 1, "plan failed"),
    "release skipped for no reason": ({"release": "skipped"}, 1, "nothing was touched"),
    "preview proposed, and no job to release it": ({}, 1, "nothing was touched"),
    "nothing written": ({"plan": ("success", {}), "release": "skipped"}, 1, "plan failed"),
}


@pytest.mark.parametrize("case", GATES)
def test_gate_is_green_only_where_all_that_ran_is(
    describe: Describe, needs: Needs, summary: Callable[[], str], case: str
) -> None:
    describe(preview=True, environment="staging")
    jobs, code, words = GATES[case]
    plan = {**PLAN, "number": "12", "trusted": "true"}
    needs(**{"plan": ("success", plan), "build_server": "success", **jobs})
    assert commands.run("gate") == code
    assert words in summary()
