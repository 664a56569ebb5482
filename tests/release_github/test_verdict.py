"""`verdict` and `gate`: the colour of the run, and what it says, for each way a run can end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest

from wfgen.release_program import commands
from wfgen.release_program.contract import load
from wfgen.release_program.hosting import needs as read_needs
from wfgen.release_program.state.outcome import judge

from .conftest import Describe

Needs = Callable[..., None]
Job = str | tuple[str, Mapping[str, str]]

PLAN = {
    "any": "true",
    "sha": "1234567890abcdef",
    "services": '["server", "client"]',
    "build": '["server"]',
}
BEGUN = {"proceed": "true", "release": "42", "lkg_sha": "fedcba0987654321"}
PULL = "https://github.com/acme/shop/pull/7"


def ended(result: str, **outputs: str) -> tuple[str, Mapping[str, str]]:
    return result, {**BEGUN, **outputs}


CASES: dict[str, tuple[dict[str, Job], int, list[str]]] = {
    "verified": (
        {"release": ended("success", verified="true")},
        0,
        ["production: release 42 is live", "commit 1234567890ab, services server, client"],
    ),
    "cancelled after the commit point": (
        {"release": ended("cancelled", verified="true")},
        0,
        ["release 42 is live"],
    ),
    "cut off between the commit point and its word": (
        {"release": ended("cancelled", restored="verified", cause="infra")},
        1,
        ["release 42 is live, but the run was cut off", "re-run the failed jobs"],
    ),
    "taken over by another run": (
        {"release": ended("failure", restored="taken over")},
        1,
        ["taken over by another run", "job `rollback` names it"],
    ),
    "verified without a tag": (
        {"release": ended("success", verified="true"), "audit": "failure"},
        0,
        ["is live", "Job `audit` failed"],
    ),
    "stale": (
        {"release": ("success", {"proceed": "false", "stale": "true"})},
        0,
        ["stale, nothing was done", "start the workflow with `force`"],
    ),
    "nothing changed": (
        {
            "plan": ("success", {"any": "false"}),
            "images": "skipped",
            "build_server": "skipped",
            "release": "skipped",
        },
        0,
        ["nothing to release"],
    ),
    "nothing to release, but a build failed": (
        {"plan": ("success", {"any": "false"}), "build_server": "failure", "release": "skipped"},
        1,
        ["build_server (failure)", "The cluster is unchanged"],
    ),
    "plan failed": (
        {"plan": "failure", "build_server": "skipped", "images": "skipped", "release": "skipped"},
        1,
        ["plan (failure)", "nothing was touched"],
    ),
    "plan wrote nothing": (
        {"plan": ("success", {}), "release": "skipped"},
        1,
        ["Job `plan` wrote no outputs", "The cluster is unchanged"],
    ),
    "a build failed": (
        {"build_server": "failure", "images": "skipped", "release": "skipped"},
        1,
        ["build_server (failure)", "The cluster is unchanged", "push a fix"],
    ),
    "cancelled while building": (
        {"build_server": "cancelled", "images": "skipped", "release": "skipped"},
        1,
        ["build_server (cancelled)", "re-run all jobs"],
    ),
    "approval rejected": (
        {"approve": "failure", "release": "skipped"},
        1,
        ["approve (failed or was rejected)", "The cluster is unchanged"],
    ),
    "approval rejected, and approve not among the needs": (
        {"release": "skipped"},
        1,
        ["it was not approved", "The cluster is unchanged"],
    ),
    "refused by preflight": (
        {"release": ("failure", {"proceed": "false", "stale": "false"})},
        1,
        ["Job `preflight` refused", "The cluster is unchanged"],
    ),
    "cancelled while queued": (
        {"release": ("cancelled", {})},
        1,
        ["Job `preflight` did not finish", "re-run all jobs"],
    ),
    "cut off before the release had a number": (
        {"release": ("failure", {"proceed": "", "restored": "nothing"})},
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
            "revert_pr": ("success", {"reverted": "issue", "address": PULL}),
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
        {
            "release": ended("failure", restored="all", cause="app"),
            "revert_pr": "failure",
        },
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
        {"release": ended("failure", restored="all", cause="app", lkg_sha="")},
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
        ["ROLLBACK OF RELEASE 42 FAILED", "a mix of two releases", "release with `force`"],
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


@pytest.mark.parametrize("case", CASES)
def test_every_end_has_its_colour_and_its_words(
    describe: Describe,
    needs: Needs,
    summary: Callable[[], str],
    capsys: pytest.CaptureFixture[str],
    case: str,
) -> None:
    jobs, code, words = CASES[case]
    needs(**{"plan": ("success", PLAN), "images": "success", **jobs})
    assert commands.run("verdict") == code
    said = capsys.readouterr()
    for word in words:
        assert word in summary()
        assert word in said.out + said.err
    assert "https://github.com/acme/shop/actions/runs/77" in summary()


@pytest.mark.parametrize("case", CASES)
def test_nobody_is_woken_where_what_runs_is_no_worse(
    describe: Describe, needs: Needs, case: str
) -> None:
    jobs = CASES[case][0]
    needs(**{"plan": ("success", PLAN), "images": "success", **jobs})
    found = judge(load(), read_needs.Needs.load())
    touched = jobs.get("release", ("", {}))[1]
    restored = touched.get("restored", "") if isinstance(touched, dict) else ""
    expected = {"all": "error", "": "", "nothing": "", "verified": ""}.get(restored, "critical")
    assert found.severity == ("critical" if case == "nothing reported" else expected)


GATES: dict[str, tuple[dict[str, Job], int]] = {
    "verified": ({"release": ended("success", verified="true")}, 0),
    "failed": ({"release": ended("failure", cause="app")}, 1),
    "refused": ({"release": ("failure", {"proceed": "false"})}, 1),
    "no label": (
        {"plan": ("success", {**PLAN, "any": "false", "trusted": "true"}), "release": "skipped"},
        0,
    ),
    "fork": (
        {
            "plan": ("success", {**PLAN, "any": "false", "trusted": "false"}),
            "images": "skipped",
            "release": "skipped",
        },
        0,
    ),
    "fork whose build failed": (
        {
            "plan": ("success", {**PLAN, "any": "false", "trusted": "false"}),
            "build_server": "failure",
            "images": "skipped",
            "release": "skipped",
        },
        1,
    ),
    "fork whose build was skipped": (
        {
            "plan": ("success", {**PLAN, "any": "false", "trusted": "false"}),
            "build_server": "skipped",
            "images": "skipped",
            "release": "skipped",
        },
        1,
    ),
    "fork whose test failed": (
        {
            "plan": ("success", {**PLAN, "any": "false", "trusted": "false"}),
            "test": "failure",
            "release": "skipped",
        },
        1,
    ),
    "cancelled build": ({"build_server": "cancelled", "release": "skipped"}, 1),
    "plan skipped": ({"plan": "skipped", "build_server": "skipped", "release": "skipped"}, 1),
    "release skipped for no reason": ({"release": "skipped"}, 1),
    "nothing written": ({"plan": ("success", {}), "release": "skipped"}, 1),
}


@pytest.mark.parametrize("case", GATES)
def test_gate_is_green_only_where_all_that_ran_is(
    describe: Describe, needs: Needs, case: str
) -> None:
    describe(preview=True, environment="staging")
    jobs, code = GATES[case]
    needs(**{"plan": ("success", PLAN), "build_server": "success", "images": "success", **jobs})
    assert commands.run("gate") == code


def test_services_come_from_plan(describe: Describe, needs: Needs) -> None:
    needs(plan=("success", {**PLAN, "services": json.dumps(["redis"])}), release=ended("failure"))
    found = judge(load(), read_needs.Needs.load())
    assert "services redis)" in found.text
