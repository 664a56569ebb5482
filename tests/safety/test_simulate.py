"""`wfgen simulate` on this repository's pipelines: the rows of the README's table, and mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.terminal import Ran, Terminal

ROOT = Path(__file__).parents[2]
NEW = "the new release (commit 1f0e1c9d8b7a)"
GOOD = "the last known good release (commit 0a1b2c3d4e5f)"
AS_IT_WAS = "as it was"
MIX = "perhaps a mix of both releases: look at it"
PULL_REQUEST = "a pull request that reverts the change"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `wfgen simulate` in this repository."""
    terminal = Terminal(ROOT, capsys)

    def simulate(*arguments: str) -> Ran:
        return terminal.run("simulate", *arguments, "-C", str(ROOT))

    return simulate


def words(asked: str) -> list[str]:
    """A no-break space stands for a space within a word."""
    return [word.replace("\u00a0", " ") for word in asked.split(" ") if word]


# What was asked for; what the server is on; how the run ends; what the verdict says.
ROWS = {
    "all goes well": ("", NEW, "success", "live"),
    "nothing changed": ("--output plan.any=false", AS_IT_WAS, "success", "nothing"),
    "a build fails": ("--fail build_client/build", AS_IT_WAS, "failure", "untouched"),
    "approval is refused": ("--reject approve", AS_IT_WAS, "failure", "untouched"),
    "older than what is live": ("--output preflight.stale=true", AS_IT_WAS, "success", "stale"),
    "preflight refuses": ("--fail preflight", AS_IT_WAS, "failure", "untouched"),
    "a migration fails": ("--fail migrate", AS_IT_WAS, "failure", "untouched"),
    "an apply fails": ("--fail deploy", GOOD, "failure", "restored"),
    "the release is bad": ("--fail monitor", GOOD, "failure", "restored"),
    "the monitor errs": (
        "--fail monitor --output monitor.cause=infra", GOOD, "failure", "restored",
    ),
    "the monitor takes too long": ("--timeout monitor", GOOD, "failure", "restored"),
    "cancelled before all": ("--cancel run", AS_IT_WAS, "cancelled", "untouched"),
    "cancelled while building": (
        "--cancel build_server/build", AS_IT_WAS, "cancelled", "untouched",
    ),
    "cancelled during preflight": ("--cancel preflight", AS_IT_WAS, "cancelled", "untouched"),
    "cancelled during deploy": ("--cancel deploy", GOOD, "cancelled", "restored"),
    "cancelled during monitor": ("--cancel monitor", GOOD, "cancelled", "restored"),
    "cancelled after the commit point": ("--cancel audit", NEW, "cancelled", "live"),
    "cancelled during rollback": (
        "--fail deploy --cancel rollback", GOOD, "cancelled", "restored",
    ),
    "the rollback fails": ("--fail monitor --fail rollback", MIX, "failure", "broken"),
    "another repository took over": (
        "--fail monitor --fail rollback --output rollback.restored=taken\u00a0over",
        "whatever the run that took over makes of it", "failure", "unknown",
    ),
    "a database fails": (
        "--fail monitor --output rollback.restored=except:redis", GOOD, "failure", "partly",
    ),
    "failed jobs run again": ("--event rerun --fail monitor", AS_IT_WAS, "failure", "untouched"),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_a_row_of_the_table(row: str, run: Any) -> None:
    asked, on, conclusion, verdict = ROWS[row]
    told = json.loads(run("production", *words(asked), "--format", "json").out)
    found = (told["cluster"]["server"], told["conclusion"], told["verdict"]["state"])
    assert found == (on, conclusion, verdict)


@pytest.mark.parametrize(
    ("asked", "opened"),
    [
        ("--fail monitor", True),
        ("--fail monitor --output monitor.cause=infra", False),
        ("--timeout monitor", False),
        ("--fail monitor --event go_back", False),
        ("--fail monitor --output revert_pr.reverted=none", False),
        ("--fail monitor --fail revert_pr", False),
        ("--fail deploy", False),
    ],
)
def test_a_revert_is_opened_where_the_change_is_to_blame(
    asked: str, opened: bool, run: Any
) -> None:
    told = json.loads(run("production", *asked.split(), "--format", "json").out)
    assert (PULL_REQUEST in told["opened"]) == opened


def test_people_are_told_of_a_failure(run: Any) -> None:
    told = json.loads(run("production", "--fail", "monitor", "--format", "json").out)
    assert told["notified"] == ["Slack: production: release 2 failed and was rolled back"]
    silent = json.loads(run("production", "--format", "json").out)
    assert silent["notified"] == []
    lost = ("--fail", "monitor", "--fail", "notify")
    told = json.loads(run("production", *lost, "--format", "json").out)
    assert told["notified"] == ["nobody: job notify did not succeed"]


def test_each_job_says_why(run: Any) -> None:
    told = json.loads(run("production", "--fail", "deploy", "--format", "json").out)
    jobs = {each["job"]: each for each in told["jobs"]}
    assert jobs["release/monitor"]["result"] == "skipped"
    assert "needs.deploy.result ['failure'] == 'success'" in jobs["release/monitor"]["why"]
    assert jobs["release/rollback"]["result"] == "success"
    assert told["green"] is False


def test_a_skipped_job_is_as_if_its_condition_were_false(run: Any) -> None:
    told = json.loads(run("production", "--skip", "approve", "--format", "json").out)
    results = {each["job"]: each["result"] for each in told["jobs"]}
    assert (results["approve"], results["release"]) == ("skipped", "skipped")


def test_a_preview_that_fails_stays_up(run: Any) -> None:
    told = json.loads(run("staging", "--fail", "monitor", "--format", "json").out)
    assert told["cluster"]["client"] == "the failed release: a preview stays up for debugging"
    assert told["verdict"]["state"] == "failed"


def test_a_stranger_gets_no_preview(run: Any) -> None:
    for event in ("fork", "dependabot"):
        told = json.loads(run("staging", "--event", event, "--format", "json").out)
        results = {each["job"]: each["result"] for each in told["jobs"]}
        assert results["build_server/build"] == "success"
        assert results["release"] == "skipped"
        assert (results["gate"], told["green"]) == ("success", True)


def test_a_closed_request_takes_its_preview_along(run: Any) -> None:
    assert "the preview  gone" in run("staging-cleanup", "--event", "closed").out
    assert "the preview  gone" in run("staging-cleanup", "--event", "label_removed").out
    assert "the preview" not in run("staging-cleanup", "--event", "closed_fork").out


def test_text_is_for_people(run: Any) -> None:
    out = run("production", "--timeout", "monitor", "--reject", "approve").err
    assert "nothing can happen to release/monitor: it does not run" in out
    out = run("production", "--timeout", "monitor").out
    assert out.startswith(".github/workflows/production.yml: a push to the branch\n--timeout rel")
    assert "release/monitor     cancelled (timed out)  !cancelled() [true] && needs" in out
    assert "\nthe run is red (failure)\nthe cluster is on\n  postgres  the last known good" in out
    assert "\nverdict: production: release 2 failed and was rolled back\n" in out
    assert max(map(len, out.splitlines())) <= 120


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("prodution", "no workflow prodution; did you mean `production`?"),
        ("production --fail monitr", "production has no job monitr; did you mean `monitor`?"),
        ("production --fail release", "release calls a workflow; name one of release/preflight"),
        ("production --fail monitor:clutser", "no step clutser; did you mean `cluster`?"),
        ("production --fail build", "job build is one of several: build_server/build, build_cl"),
        ("production --output monitor.caus=app", "has no such output; did you mean `cause`?"),
        ("production --output monitor", "--output monitor: expected JOB.NAME=VALUE"),
        ("production --reject plan", "plan has no environment whose reviewers could reject it"),
        ("production --cancel plan --cancel deploy", "a run is cancelled once; name one job"),
        ("production --event pull_request", "--event pull_request does not start production"),
        ("production --format github", "--format github: expected text or json"),
        ("_deploy", "nothing starts _deploy but a workflow that calls it"),
    ],
)
def test_what_cannot_be_is_refused_with_the_nearest(asked: str, said: str, run: Any) -> None:
    ran = run(*asked.split())
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
