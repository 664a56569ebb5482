"""`wfgen simulate` on this repository's pipelines: the rows of the README's table, and mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import case
from tests.terminal import Ran, Terminal

ROOT = Path(__file__).parents[2]
NEW = "the new release (commit 1f0e1c9d8b7a)"
GOOD = "the last known good release (commit 0a1b2c3d4e5f)"
UNCHANGED = "unchanged"
MIX = "possibly a mix of both releases: check it"
PULL_REQUEST = "a pull request that reverts the change"
ISSUE = "an issue with the commands that revert the change"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `wfgen simulate` in this repository."""
    terminal = Terminal(ROOT, capsys)

    def simulate(*arguments: str) -> Ran:
        return terminal.run("simulate", *arguments, "-C", str(ROOT))

    return simulate


def words(options: str) -> list[str]:
    """A no-break space stands for a space within a word."""
    return [word.replace("\u00a0", " ") for word in options.split(" ") if word]


# The options; what the server runs; the run's conclusion; the verdict's state.
ROWS = {
    "no job fails": ("", NEW, "success", "live"),
    "nothing changed": ("--output plan.proposed=false", UNCHANGED, "success", "nothing"),
    "nothing changed under the lock": (
        "--output preflight.decision=nothing", UNCHANGED, "success", "nothing",
    ),
    "more changed than the plan saw": (
        "--output plan.proposed=false --output preflight.decision=unapproved --fail preflight",
        UNCHANGED, "failure", "untouched",
    ),
    "a build fails": ("--fail build_client/build", UNCHANGED, "failure", "untouched"),
    "the approval is rejected": ("--reject approve", UNCHANGED, "failure", "untouched"),
    "older than what is live": (
        "--output preflight.decision=stale", UNCHANGED, "success", "stale",
    ),
    "the live commit is not contained": (
        "--fail preflight --output preflight.decision=stale", UNCHANGED, "failure", "untouched",
    ),
    "the environment is held": (
        "--fail preflight --output preflight.decision=held", UNCHANGED, "failure", "untouched",
    ),
    "preflight fails": ("--fail preflight", UNCHANGED, "failure", "untouched"),
    "a migration fails": ("--fail migrate", UNCHANGED, "failure", "untouched"),
    "a step named with its job fails": (
        "--fail release/deploy:migrate", UNCHANGED, "failure", "untouched",
    ),
    "an apply fails": ("--fail deploy", GOOD, "failure", "restored"),
    "the release is bad": ("--fail monitor", GOOD, "failure", "restored"),
    "the monitor cannot reach the cluster": (
        "--fail monitor --output monitor.cause=infra", GOOD, "failure", "restored",
    ),
    "the monitor takes too long": ("--timeout monitor", GOOD, "failure", "restored"),
    "cancelled before any job": ("--cancel run", UNCHANGED, "cancelled", "untouched"),
    "cancelled while building": (
        "--cancel build_server/build", UNCHANGED, "cancelled", "untouched",
    ),
    "cancelled during preflight": ("--cancel preflight", UNCHANGED, "cancelled", "untouched"),
    "cancelled during deploy": ("--cancel deploy", GOOD, "cancelled", "restored"),
    "cancelled during monitor": ("--cancel monitor", GOOD, "cancelled", "restored"),
    "cancelled after the commit point": ("--cancel finish", NEW, "cancelled", "live"),
    "the tag cannot be pushed": ("--fail audit", NEW, "failure", "untagged"),
    "old objects cannot be deleted": ("--fail prune", NEW, "success", "live"),
    "cancelled during rollback": (
        "--fail deploy --cancel rollback", GOOD, "cancelled", "restored",
    ),
    "the rollback fails": ("--fail monitor --fail rollback", MIX, "failure", "broken"),
    "another repository took over": (
        "--fail monitor --fail rollback --output rollback.restored=taken\u00a0over",
        "decided by the run that took over", "failure", "unknown",
    ),
    "a database fails": (
        "--fail monitor --output rollback.restored=except:redis", GOOD, "failure", "partly",
    ),
    "failed jobs are re-run": ("--event rerun", UNCHANGED, "failure", "untouched"),
    "failed jobs of a lost run are re-run": (
        "--event rerun --output rollback.restored=all", GOOD, "failure", "restored",
    ),
    "all jobs are re-run": ("--event rerun_all", NEW, "success", "live"),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_a_row_of_the_table(row: str, run: Any) -> None:
    options, state, conclusion, verdict = ROWS[row]
    shown = json.loads(run("production", *words(options), "--format", "json").out)
    assert shown["cluster"]["server"] == state
    assert (shown["conclusion"], shown["verdict"]["state"]) == (conclusion, verdict)


@pytest.mark.parametrize(
    ("options", "opened"),
    [
        ("--fail monitor", True),
        ("--fail monitor --output monitor.cause=infra", False),
        ("--timeout monitor", False),
        ("--fail monitor --event go_back", False),
        ("--fail monitor --output revert_pr.reverted=none", False),
        ("--fail monitor --fail revert_pr", False),
        ("--event rerun --output rollback.restored=all --output rollback.cause=app", True),
        ("--fail deploy", False),
    ],
)
def test_a_revert_is_opened_where_the_change_caused_the_failure(
    options: str, opened: bool, run: Any
) -> None:
    shown = json.loads(run("production", *options.split(), "--format", "json").out)
    assert (PULL_REQUEST in shown["opened"]) == opened


@pytest.mark.parametrize("reverted", ["", "issue"])
def test_without_an_app_the_revert_is_an_issue(
    reverted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = case.write(tmp_path, case.BASE)
    case.write(root, {file.path: file.text for file in case.rendered(root)})
    terminal = Terminal(root, capsys)
    output = ["--output", f"revert_pr.reverted={reverted}"] if reverted else []
    options = ["--fail", "monitor", *output, "--format", "json", "-C", str(root)]
    shown = json.loads(terminal.run("simulate", "production", *options).out)
    assert ISSUE in shown["opened"]
    assert "https://github.com/acme/shop/issues/8" in shown["verdict"]["text"]


def test_with_an_app_the_revert_may_be_an_issue(run: Any) -> None:
    output = "revert_pr.reverted=issue"
    ran = run("production", "--fail", "monitor", "--output", output, "--format", "json")
    shown = json.loads(ran.out)
    assert ISSUE in shown["opened"]
    assert "https://github.com/acme/shop/issues/8" in shown["verdict"]["text"]


def test_a_failure_is_notified(run: Any) -> None:
    shown = json.loads(run("production", "--fail", "monitor", "--format", "json").out)
    assert shown["notified"] == ["Slack: production: release 2 failed and was rolled back"]
    silent = json.loads(run("production", "--format", "json").out)
    assert silent["notified"] == []
    lost = ("--fail", "monitor", "--fail", "notify")
    shown = json.loads(run("production", *lost, "--format", "json").out)
    assert shown["notified"] == ["nobody: step `notify` of job finish did not succeed"]


def test_each_job_has_a_reason(run: Any) -> None:
    shown = json.loads(run("production", "--fail", "deploy", "--format", "json").out)
    jobs = {job["job"]: job for job in shown["jobs"]}
    assert jobs["release/monitor"]["result"] == "skipped"
    assert "needs.deploy.result ['failure'] == 'success'" in jobs["release/monitor"]["why"]
    assert jobs["release/rollback"]["result"] == "success"
    assert shown["green"] is False


def test_skip_makes_the_condition_false(run: Any) -> None:
    shown = json.loads(run("production", "--skip", "approve", "--format", "json").out)
    results = {job["job"]: job["result"] for job in shown["jobs"]}
    assert (results["approve"], results["release"]) == ("skipped", "skipped")


def test_a_preview_that_fails_stays_up(run: Any) -> None:
    shown = json.loads(run("staging", "--fail", "monitor", "--format", "json").out)
    assert shown["cluster"]["client"] == "the failed release: a preview stays up for debugging"
    assert shown["verdict"]["state"] == "failed"


def test_untrusted_code_gets_no_preview(run: Any) -> None:
    for event in ("fork", "dependabot"):
        shown = json.loads(run("staging", "--event", event, "--format", "json").out)
        results = {job["job"]: job["result"] for job in shown["jobs"]}
        assert (results["build_server/build"], results["build_server/check"]) == (
            "skipped",
            "success",
        )
        assert results["release"] == "skipped"
        assert (results["finish"], shown["green"]) == ("success", True)


@pytest.mark.parametrize("event", ["unlabelled", "other_label", "merge_group"])
def test_a_request_without_the_label_is_built_and_tested_only(event: str, run: Any) -> None:
    shown = json.loads(run("staging", "--event", event, "--format", "json").out)
    results = {job["job"]: job["result"] for job in shown["jobs"]}
    assert (results["build_client/check"], results["release"]) == ("success", "skipped")
    assert (shown["verdict"]["state"], shown["green"]) == ("nothing", True)
    started = json.loads(run("staging", "--event", "label_added", "--format", "json").out)
    assert {job["job"]: job["result"] for job in started["jobs"]}["release"] == "success"


def test_a_closed_request_deletes_its_preview(run: Any) -> None:
    assert "the preview  deleted" in run("staging-cleanup", "--event", "closed").out
    assert "the preview  deleted" in run("staging-cleanup", "--event", "label_removed").out
    assert "the preview" not in run("staging-cleanup", "--event", "closed_fork").out


def test_the_text(run: Any) -> None:
    out = run("production", "--timeout", "monitor", "--reject", "approve").err
    assert "job release/monitor does not run in this scenario" in out
    out = run("production", "--timeout", "monitor").out
    assert out.startswith(".github/workflows/production.yml: a push to `main`\n--timeout release/")
    assert "release/monitor     cancelled (timed out)  always() [true] && (inputs.number" in out
    assert (
        "\n[...]: the value of the expression before it\n\nresult: failure\nthe cluster runs\n"
        in out
    )
    assert "\nverdict: production: release 2 failed and was rolled back\n" in out
    assert max(map(len, out.splitlines())) <= 120


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("prodution", "unknown workflow `prodution`; did you mean `production`?"),
        ("prod", "unknown workflow `prod`; did you mean `production`?"),
        ("other", "unknown workflow `other`; expected one of `ci`, `production`, `pub"),
        ("production --fail monitr", "production has no job `monitr`; did you mean `monitor`?"),
        ("production --fail release", "release calls a workflow; name one of `release/deploy`"),
        ("production --fail monitor:clutser", "no step `clutser`; did you mean `cluster`?"),
        (
            "production --fail build",
            "job name `build` is ambiguous; use one of `build_server/build`, `build_cl",
        ),
        ("production --fail deploy:migrat", "no step `migrat`; did you mean `migrate`?"),
        (
            "production --output monitor.caus=app",
            "unknown output of job release/monitor; did you mean `cause`?",
        ),
        ("production --output monitor", "--output monitor: expected JOB.NAME=VALUE"),
        ("production --reject plan", "plan has no environment whose reviewers could reject it"),
        ("production --cancel plan --cancel deploy", "a run is cancelled once; name one job"),
        ("production --event pull_request", "--event pull_request does not start production"),
        ("production --format github", "--format github: expected text or json"),
        ("_deploy", "no event starts _deploy: only another workflow calls it"),
    ],
)
def test_a_scenario_that_is_not_possible_is_refused(options: str, message: str, run: Any) -> None:
    ran = run(*options.split())
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
