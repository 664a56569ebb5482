"""Who owns a release: a run and its attempt, and what GitHub says about its end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.github_api import Api
from wfgen.release_program.failure import Failure
from wfgen.release_program.hosting.runs import attempt_has_ended, split_owner, this_attempt
from wfgen.release_program.state.record_format import IN_FLIGHT, InFlight, Record


@pytest.fixture
def github(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """GitHub's API for attempt 2 of run 7, without an answer yet."""
    api.clear()
    monkeypatch.setattr("wfgen.release_program.hosting.github.sleep", lambda _: None)
    values = {
        "GITHUB_REPOSITORY": "acme/shop", "GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "2",
        "GITHUB_API_URL": api.url, "GITHUB_TOKEN": "token",
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return api


@pytest.mark.parametrize(
    ("status", "body", "ended"),
    [
        (200, {"status": "completed", "conclusion": "failure"}, True),
        (200, {"status": "in_progress"}, False),
        (200, {"status": "queued"}, False),
        (200, {}, None),
        (200, "not JSON", None),
        (404, {"message": "Not Found"}, None),
        (403, {"message": "Resource not accessible by integration"}, None),
        (500, {"message": "Server Error"}, None),
    ],
)
def test_only_githubs_word_is_evidence(
    github: Api, status: int, body: Any, ended: bool | None
) -> None:
    github.on("GET", "/repos/acme/shop/actions/runs/5/attempts/3", body, status)
    assert attempt_has_ended("acme/shop/5/3") is ended
    assert github.requests


def test_an_owner_of_an_older_version_has_no_attempt(github: Api) -> None:
    github.on("GET", "/repos/acme/shop/actions/runs/5", {"status": "completed"})
    assert attempt_has_ended("acme/shop/5") is True


@pytest.mark.parametrize(
    "owner", ["other/shop/5/1", "acme/shop", "", "by-hand/0/1", "acme/shop/x/1"]
)
def test_of_another_repository_nothing_is_known_and_nothing_is_asked(
    github: Api, owner: str
) -> None:
    assert attempt_has_ended(owner) is None
    assert github.requests == []


def test_without_a_token_nothing_is_known(github: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "")
    assert attempt_has_ended("acme/shop/5/1") is None


@pytest.mark.parametrize(
    ("owner", "run", "attempt"),
    [
        ("acme/shop/5/3", "acme/shop/5", 3),
        ("acme/shop/5", "acme/shop/5", 0),
        ("by-hand/0/1", "by-hand/0", 1),
        ("by-hand/0", "by-hand/0", 0),
        ("nobody", "nobody", 0),
    ],
)
def test_an_owner_is_a_run_and_an_attempt(owner: str, run: str, attempt: int) -> None:
    assert split_owner(owner) == (run, attempt)


@pytest.mark.parametrize(
    ("owner", "mine", "advances"),
    [
        ("acme/shop/7/2", True, True),
        ("acme/shop/7/1", True, False),
        ("acme/shop/7", True, False),
        ("acme/shop/7/3", False, False),  # a later attempt took it over
        ("acme/shop/8/1", False, False),
        ("other/shop/7/1", False, False),
    ],
)
def test_a_later_attempt_owns_what_an_earlier_one_left_and_cannot_advance_it(
    github: Api, owner: str, mine: bool, advances: bool
) -> None:
    assert this_attempt() == "acme/shop/7/2"
    record = Record(owner=owner, state=IN_FLIGHT, in_flight=InFlight(3, "1" * 40, [], {}))
    assert record.mine is mine
    if advances:
        assert record.demand_advancing() is record.in_flight
        return
    with pytest.raises(Failure, match="Re-run all jobs, not only failed jobs"):
        record.demand_advancing()
