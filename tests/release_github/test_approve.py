"""`approve`: who approved this run, as GitHub says; without an approval the run is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.github_api import Api
from wfgen.release_program import commands
from wfgen.release_program.failure import Failure
from wfgen.release_program.hosting.github import GitHubError

from .conftest import Describe

APPROVALS = "/repos/acme/shop/actions/runs/77/approvals"
Outputs = Callable[[], dict[str, str]]


def review(login: str | None, *environments: str, state: str = "approved") -> dict[str, Any]:
    """An entry of the review history.

    https://docs.github.com/en/rest/actions/workflow-runs#get-the-review-history-for-a-workflow-run
    """
    return {
        "state": state,
        "comment": "Ship it!",
        "environments": [{"id": 5, "name": name} for name in environments],
        "user": {"login": login, "id": 1, "type": "User"} if login else None,
    }


@pytest.fixture
def approved(api: Api, describe: Describe, needs: Callable[..., None]) -> Callable[..., int]:
    """Runs `approve` where GitHub has these reviews of the run."""

    def run(*reviews: dict[str, Any], approval: str = "demand") -> int:
        describe(approval=approval)
        needs(plan=("success", {"sha": "1" * 40, "services": '["redis", "server"]'}))
        api.now("GET", APPROVALS, list(reviews))
        return commands.run("approve")

    return run


Approved = Callable[..., int]


def test_one_person(
    approved: Approved,
    outputs: Outputs,
    summary: Callable[[], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert approved(review("ada", "production-approval")) == 0
    assert outputs()["approved_by"] == "ada"
    text = f"pproved by ada: production, commit {'1' * 40}, services redis, server"
    assert f"A{text}" in summary()
    assert f"a{text}" in capsys.readouterr().out


def test_two_people_each_once(approved: Approved, outputs: Outputs) -> None:
    reviews = [review(who, "production-approval") for who in ("bob", "ada", "bob")]
    assert approved(*reviews) == 0
    assert outputs()["approved_by"] == "bob, ada"


def test_account_that_was_deleted(approved: Approved, outputs: Outputs) -> None:
    assert approved(review(None, "production-approval")) == 0
    assert outputs()["approved_by"] == "ghost"


def test_names_of_environments_have_no_case(approved: Approved, outputs: Outputs) -> None:
    assert approved(review("ada", "staging", "Production-Approval")) == 0
    assert outputs()["approved_by"] == "ada"


UNASKED = [
    pytest.param([], id="nobody"),
    pytest.param([review("ada", "staging-approval")], id="another environment"),
    pytest.param([review("ada", "production")], id="the environment without the suffix"),
    pytest.param([review("ada", "production-approval", state="rejected")], id="rejected"),
    pytest.param([review("ada", "production-approval", state="pending")], id="pending"),
]


@pytest.mark.parametrize("reviews", UNASKED)
@pytest.mark.parametrize("approval", ["demand", ""])
def test_run_that_nobody_approved_is_refused_with_a_remedy(
    approved: Approved, outputs: Outputs, reviews: list[dict[str, Any]], approval: str
) -> None:
    with pytest.raises(Failure) as refusal:
        approved(*reviews, approval=approval)
    text = str(refusal.value)
    assert "production-approval has no required reviewers" in text
    assert "Settings, Environments, production-approval, then re-run all jobs" in text
    assert "on Free, Pro and Team, set `approval: {unasked: report}`" in text
    assert outputs()["approved_by"] == "nobody"


@pytest.mark.parametrize("reviews", UNASKED)
def test_run_that_nobody_approved_is_reported_where_the_spec_says_so(
    approved: Approved,
    outputs: Outputs,
    summary: Callable[[], str],
    capsys: pytest.CaptureFixture[str],
    reviews: list[dict[str, Any]],
) -> None:
    assert approved(*reviews, approval="report") == 0
    assert outputs()["approved_by"] == "nobody"
    assert "Approved by nobody" in summary()
    assert "warning: GitHub asked nobody to approve this run" in capsys.readouterr().err


@pytest.mark.parametrize("approval", ["demand", "report"])
@pytest.mark.parametrize("status", [403, 404])
def test_answer_that_does_not_come_approves_nothing(
    api: Api,
    describe: Describe,
    needs: Callable[..., None],
    outputs: Outputs,
    approval: str,
    status: int,
) -> None:
    """Also where the spec lets an unasked run go on: whether somebody was asked is not known."""
    describe(approval=approval)
    needs(plan=("success", {"sha": "1" * 40}))
    api.on("GET", APPROVALS, {"message": "Resource not accessible by integration"}, status)
    with pytest.raises(GitHubError, match="`actions: read`"):
        commands.run("approve")
    assert "approved_by" not in outputs()
