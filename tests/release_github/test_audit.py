"""`audit`: a release leaves one tag and GitHub deployments, however often the job runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.github_api import Api
from wfgen.release_program import commands
from wfgen.release_program.contract import load
from wfgen.release_program.state import tags
from wfgen.report import history

from .conftest import Describe, Repository, of_release

SHA, GOOD = "1" * 40, "2" * 40
IMAGE = "ghcr.io/acme/shop-server@sha256:" + "a" * 64
TOOLS = "ghcr.io/acme/shop-tools@sha256:" + "c" * 64
SHOP = "/repos/acme/shop"

Needs = Callable[..., None]


@pytest.fixture
def github(api: Api, describe: Describe) -> Api:
    """An API where everything works and nothing was made before."""
    api.on("POST", f"{SHOP}/git/tags", {"sha": "9" * 40}, 201)
    api.on("POST", f"{SHOP}/git/refs", {}, 201)
    api.on("GET", f"{SHOP}/deployments", [])
    api.on("POST", f"{SHOP}/deployments", {"id": 5}, 201)
    api.on("POST", f"{SHOP}/deployments/5/statuses", {}, 201)
    return api


def released(needs: Needs, attempt: int = 1, /, *, go_back: str = "0", **release: str) -> None:
    """Release 42 of redis and the server, with this end; the tools were built too."""
    images = json.dumps({"server": IMAGE, "evil": "x"})
    plan = {"proposed": "true", "sha": SHA, "services": '["client"]', "go_back": go_back}
    values = {
        "proceed": "true",
        "release": "42",
        "lkg_sha": GOOD,
        "sha": SHA,
        "services": '["redis", "server"]',
        "images": images,
        **release,
    }
    needs(
        plan=("success", plan),
        build_tools=("success", {"digest": TOOLS.partition("@")[2]}),
        build_client=("success", {"digest": TOOLS.partition("@")[2]}),
        release=("success", of_release(attempt, **values)),
    )


def test_good_release_is_tagged_with_what_plan_reads(
    github: Api, needs: Needs, repository: Repository, summary: Callable[[], str]
) -> None:
    released(needs, verified="true")
    assert commands.run("audit") == 0
    (tag,) = github.sent("POST", f"{SHOP}/git/tags")
    assert (tag["tag"], tag["object"], tag["type"]) == ("deploy/production/42", SHA, "commit")
    (ref,) = github.sent("POST", f"{SHOP}/git/refs")
    assert ref == {"ref": "refs/tags/deploy/production/42", "sha": "9" * 40}
    facts = json.loads(tag["message"].strip().splitlines()[-1])
    assert facts["run"] == "https://github.com/acme/shop/actions/runs/77"
    assert facts["actor"] == "ada"
    # The very message, in a repository, is what the next plan compares with.
    repository.git("tag", "-a", "--cleanup=verbatim", "-m", tag["message"], tag["tag"])
    (release,) = tags.releases(load(), "production")
    assert release.number == 42
    assert release.services == {
        "redis": tags.Recorded(SHA, None),
        "server": tags.Recorded(SHA, IMAGE),
        "tools": tags.Recorded(SHA, TOOLS),
    }
    assert f"| server | {IMAGE} |" in summary()
    assert "production: release 42 is live" in summary()
    assert "held" not in facts


def test_commit_and_services_are_those_of_the_release(github: Api, needs: Needs) -> None:
    """What deploy decided under the lock, not what plan proposed."""
    released(needs, verified="true", sha="3" * 40, services='["redis"]')
    assert commands.run("audit") == 0
    (tag,) = github.sent("POST", f"{SHOP}/git/tags")
    assert tag["object"] == "3" * 40
    facts = json.loads(tag["message"].strip().splitlines()[-1])
    assert facts["services"].keys() == {"redis", "tools"}


def test_release_that_went_back_is_held(github: Api, needs: Needs, repository: Repository) -> None:
    released(needs, go_back="40", verified="true")
    assert commands.run("audit") == 0
    (tag,) = github.sent("POST", f"{SHOP}/git/tags")
    repository.git("tag", "-a", "--cleanup=verbatim", "-m", tag["message"], tag["tag"])
    (release,) = tags.releases(load(), "production")
    assert release.held


def test_going_back_that_was_rolled_back_holds_nothing(github: Api, needs: Needs) -> None:
    released(needs, go_back="40", restored="all", cause="app")
    assert commands.run("audit") == 0
    (tag,) = github.sent("POST", f"{SHOP}/git/tags")
    assert "held" not in json.loads(tag["message"].strip().splitlines()[-1])


def test_release_whose_monitor_was_lost_after_the_commit_point_is_tagged(
    github: Api, needs: Needs
) -> None:
    """Its outputs never arrive; rollback finds the verified release in the record."""
    released(needs, restored="verified")
    assert commands.run("audit") == 0
    (tag,) = github.sent("POST", f"{SHOP}/git/tags")
    assert tag["tag"] == "deploy/production/42"
    assert github.sent("POST", f"{SHOP}/deployments/5/statuses")[0]["state"] == "success"


def test_run_of_finish_alone_in_a_later_attempt_completes_the_tag(
    github: Api, needs: Needs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")
    released(needs, 1, verified="true")
    assert commands.run("audit") == 0
    (ref,) = github.sent("POST", f"{SHOP}/git/refs")
    assert ref["ref"] == "refs/tags/deploy/production/42"


def test_old_outputs_of_another_attempt_make_no_tag(github: Api, needs: Needs) -> None:
    """Attempt 1 verified release 42; attempt 2 was rolled back, its monitor never ran."""
    first = of_release(1, verified="true", release="42", sha=SHA, services="[]", images="{}")
    second = of_release(2, restored="all", cause="app", release="43", lkg_sha=GOOD, sha=SHA)
    outputs = {**first, "rollback": second["rollback"]}
    needs(plan=("success", {"sha": SHA}), release=("failure", outputs))
    assert commands.run("audit") == 0
    (tag,) = github.sent("POST", f"{SHOP}/git/tags")
    assert tag["tag"] == "rollback/production/43"


def test_good_release_is_a_successful_deployment(github: Api, needs: Needs) -> None:
    released(needs, verified="true")
    commands.run("audit")
    (made,) = github.sent("POST", f"{SHOP}/deployments")
    assert made["ref"] == SHA
    assert (made["environment"], made["task"]) == ("production", "deploy")
    # Otherwise GitHub merges the default branch, or refuses for want of green checks.
    assert made["auto_merge"] is False
    assert made["required_contexts"] == []
    assert made["production_environment"] is True
    (status,) = github.sent("POST", f"{SHOP}/deployments/5/statuses")
    assert status["state"] == "success"
    assert status["environment_url"] == "https://shop.example.com"
    assert status["log_url"] == "https://github.com/acme/shop/actions/runs/77"


@pytest.mark.parametrize(("restored", "state"), [("all", "success"), ("except: redis", "failure")])
def test_rollback_is_a_deployment_of_the_good_commit_linked_with_the_bad(
    github: Api, needs: Needs, restored: str, state: str
) -> None:
    github.on("POST", f"{SHOP}/deployments", {"id": 6}, 201)
    github.on("POST", f"{SHOP}/deployments/6/statuses", {}, 201)
    released(needs, restored=restored, cause="app")
    assert commands.run("audit") == 0
    (tag,) = github.sent("POST", f"{SHOP}/git/tags")
    assert (tag["tag"], tag["object"]) == ("rollback/production/42", SHA)
    facts = json.loads(tag["message"].strip().splitlines()[-1])
    assert (facts["restored"], facts["restored_sha"], facts["cause"]) == (restored, GOOD, "app")
    bad, good = github.sent("POST", f"{SHOP}/deployments")
    assert (bad["ref"], bad["task"]) == (SHA, "deploy")
    assert (good["ref"], good["task"]) == (GOOD, "rollback")
    assert good["payload"]["failed_deployment"] == 5
    assert good["payload"]["failed_sha"] == SHA
    assert github.sent("POST", f"{SHOP}/deployments/5/statuses")[0]["state"] == "failure"
    assert github.sent("POST", f"{SHOP}/deployments/6/statuses")[0]["state"] == state


@pytest.mark.parametrize(("restored", "state"), [("failed", "error"), ("nothing", "failure")])
def test_release_that_was_not_undone_is_no_rollback(
    github: Api, needs: Needs, restored: str, state: str
) -> None:
    released(needs, restored=restored)
    assert commands.run("audit") == 0
    assert github.sent("POST", f"{SHOP}/git/tags") == []
    assert len(github.sent("POST", f"{SHOP}/deployments")) == 1
    assert github.sent("POST", f"{SHOP}/deployments/5/statuses")[0]["state"] == state


@pytest.mark.parametrize(
    "release",
    [
        {"proceed": "false", "decision": "stale", "release": "0"},
        {"proceed": "false", "restored": "nothing", "release": "0"},
        {"release": "none"},
        {"release": "x"},
    ],
)
def test_release_that_never_began_leaves_nothing(
    github: Api, needs: Needs, release: dict[str, str]
) -> None:
    released(needs, **release)
    assert commands.run("audit") == 0
    assert github.requests == []


def test_second_run_finds_what_the_first_made(github: Api, needs: Needs) -> None:
    released(needs, verified="true")
    commands.run("audit")
    (tag,) = github.sent("POST", f"{SHOP}/git/tags")
    (made,) = github.sent("POST", f"{SHOP}/deployments")
    github.now("POST", f"{SHOP}/git/refs", {"message": "Reference already exists"}, 422)
    present = {"object": {"type": "tag", "sha": "8" * 40}}
    github.now("GET", f"{SHOP}/git/ref/tags/deploy/production/42", present)
    # GitHub gives the message back without the last line end, and the payload as text.
    message = tag["message"].rstrip("\n").replace("is live", "is live (by another version)")
    said = {"message": message, "object": {"sha": SHA}}
    github.now("GET", f"{SHOP}/git/tags/{'8' * 40}", said)
    github.now("GET", f"{SHOP}/deployments", [{"id": 5, "payload": json.dumps(made["payload"])}])
    assert commands.run("audit") == 0
    assert len(github.sent("POST", f"{SHOP}/deployments")) == 1


@pytest.mark.parametrize(
    "present",
    [
        {"object": {"type": "commit", "sha": SHA}},
        {"object": {"type": "tag", "sha": "8" * 40}},
    ],
)
def test_tag_that_says_something_else_is_left_alone_and_told(
    api: Api,
    describe: Describe,
    needs: Needs,
    capsys: pytest.CaptureFixture[str],
    present: dict[str, Any],
) -> None:
    released(needs, verified="true")
    api.on("POST", f"{SHOP}/git/tags", {"sha": "9" * 40}, 201)
    api.on("POST", f"{SHOP}/git/refs", {"message": "Reference already exists"}, 422)
    api.on("GET", f"{SHOP}/git/ref/tags/deploy/production/42", present)
    api.on("GET", f"{SHOP}/git/tags/{'8' * 40}", {"message": "x", "object": {"sha": SHA}})
    api.on("GET", f"{SHOP}/deployments", [])
    api.on("POST", f"{SHOP}/deployments", {"id": 5}, 201)
    api.on("POST", f"{SHOP}/deployments/5/statuses", {}, 201)
    assert commands.run("audit") == 1
    assert "tag deploy/production/42 already exists with other contents" in capsys.readouterr().err
    # What can still be recorded is recorded.
    assert len(api.sent("POST", f"{SHOP}/deployments/5/statuses")) == 1


def test_refused_tag_names_the_permission_and_the_workflow_files(
    api: Api, describe: Describe, needs: Needs, capsys: pytest.CaptureFixture[str]
) -> None:
    released(needs, verified="true")
    refused = {"message": "Resource not accessible by integration"}
    api.on("POST", f"{SHOP}/git/tags", {"sha": "9" * 40}, 201)
    api.on("POST", f"{SHOP}/git/refs", refused, 403)
    api.on("GET", f"{SHOP}/deployments", refused, 403)
    assert commands.run("audit") == 1
    said = capsys.readouterr().err
    assert "`contents: write`" in said
    assert "only an App's token with `workflows: write`" in said
    assert "`deployments: write`" in said
    assert "secret-token" not in said


def test_ref_refused_by_a_rule_is_told_as_it_is(
    api: Api, describe: Describe, needs: Needs, capsys: pytest.CaptureFixture[str]
) -> None:
    released(needs, verified="true")
    api.on("POST", f"{SHOP}/git/tags", {"sha": "9" * 40}, 201)
    api.on("POST", f"{SHOP}/git/refs", {"message": "Repository rule violations found"}, 422)
    assert commands.run("audit") == 1
    assert "422 Repository rule violations found" in capsys.readouterr().err


def test_audit_needs_no_checkout(
    github: Api, needs: Needs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    released(needs, verified="true")
    assert commands.run("audit") == 0


def test_history_reads_what_audit_tagged(github: Api, needs: Needs, repository: Repository) -> None:
    head = repository.git("rev-parse", "HEAD")
    released(needs, verified="true")
    assert commands.run("audit") == 0
    released(needs, release="43", restored="except: redis", cause="app")
    assert commands.run("audit") == 0
    for tag in github.sent("POST", f"{SHOP}/git/tags"):
        message = ("--cleanup=verbatim", "-m", tag["message"])
        repository.git("tag", "--annotate", *message, tag["tag"], head)
    repository.git("tag", "deploy/production/44")
    repository.git("tag", "--annotate", "-m", "by hand", "deploy/production/5")
    bad, good, unknown = history.releases(repository.path, "production")
    assert (good.release, good.ended, good.commit) == (42, "live", SHA)
    assert (good.actor, good.run) == ("ada", "https://github.com/acme/shop/actions/runs/77")
    assert good.services == {"redis": None, "server": IMAGE, "tools": TOOLS}
    assert (bad.release, bad.ended) == (43, "rolled back (app), restored except: redis")
    assert (unknown.release, unknown.services) == (5, {})
    assert history.releases(repository.path, "elsewhere") == []
