"""REST calls: what is retried, what is said, what is kept secret."""

from __future__ import annotations

import time

import pytest

from tests.github_api import Api
from wfgen.release_program.hosting import github
from wfgen.release_program.hosting.github import GitHub, GitHubError


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (500, {"message": "Server Error"}, {}),
        (502, "<html>Bad Gateway</html>", {}),
        (429, {"message": "Too many requests"}, {"Retry_After": "3"}),
        (403, {"message": "You have exceeded a secondary rate limit"}, {}),
        (403, {"message": "slow down"}, {"Retry_After": "3"}),
    ],
)
def test_answers_that_say_later_are_asked_again(
    api: Api, status: int, body: object, headers: dict[str, str]
) -> None:
    api.on("POST", "/repos/acme/shop/git/refs", body, status, **headers)
    api.on("POST", "/repos/acme/shop/git/refs", {"ref": "x"}, 201)
    assert GitHub("t").post("git/refs", {"a": 1}, "contents: write") == {"ref": "x"}
    assert api.sent("POST", "/repos/acme/shop/git/refs") == [{"a": 1}, {"a": 1}]


def test_wait_is_what_the_server_asks_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(github, "sleep", waits.append)
    before = time.time()
    soon = int(before) + 20
    api.on("GET", "/repos/acme/shop/x", {}, 429, Retry_After="7")
    limit = {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(soon)}
    api.on("GET", "/repos/acme/shop/x", {}, 403, **limit)
    api.on("GET", "/repos/acme/shop/x", {}, 500)
    api.on("GET", "/repos/acme/shop/x", {})
    GitHub("t").get("x", "")
    assert waits[0] == 7
    assert soon - time.time() <= waits[1] <= soon - before
    assert waits[2] == 4


def test_limit_that_lifts_in_an_hour_is_an_error_at_once(api: Api) -> None:
    late = str(int(time.time()) + 3600)
    limit = {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": late}
    api.on("GET", "/repos/acme/shop/x", {"message": "API rate limit exceeded"}, 403, **limit)
    with pytest.raises(GitHubError, match="rate limit is exceeded; re-run this job later"):
        GitHub("t").get("x", "contents: read")
    assert len(api.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_refusals_are_not_repeated(api: Api, status: int) -> None:
    api.on("POST", "/repos/acme/shop/x", {"message": "no"}, status)
    with pytest.raises(GitHubError) as refusal:
        GitHub("t").post("x", {}, "contents: write")
    assert refusal.value.status == status
    assert len(api.requests) == 1


def test_missing_permission_is_named(api: Api) -> None:
    refused = {"message": "Resource not accessible by integration"}
    accepted = {"X_Accepted_GitHub_Permissions": "contents=write; contents=write,workflows=write"}
    api.on("POST", "/repos/acme/shop/git/refs", refused, 403, **accepted)
    with pytest.raises(GitHubError) as refusal:
        GitHub("t").post("git/refs", {}, "contents: write")
    assert str(refusal.value) == (
        "GitHub, POST /repos/acme/shop/git/refs: 403 Resource not accessible by integration. "
        "The job (or the App) needs the permission `contents: write` "
        "(GitHub accepts: contents=write; contents=write,workflows=write)"
    )


def test_details_of_a_refusal_are_told(api: Api) -> None:
    body = {"message": "Validation Failed", "errors": [{"code": "invalid"}, {"message": "no base"}]}
    api.on("POST", "/repos/acme/shop/pulls", body, 422)
    with pytest.raises(GitHubError, match="422 Validation Failed; invalid; no base"):
        GitHub("t").post("pulls", {}, "")


def test_server_that_stays_down_is_an_error_with_its_status(api: Api) -> None:
    api.on("GET", "/repos/acme/shop/x", "<html>", 503)
    with pytest.raises(GitHubError, match="503 the response is not JSON"):
        GitHub("t").get("x", "")
    assert len(api.requests) == github.ATTEMPTS


def test_server_that_is_not_there_is_an_error(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    with pytest.raises(GitHubError, match=r"no answer after 5 attempts: .*refused"):
        GitHub("t").get("x", "")


def test_all_pages_are_read(api: Api) -> None:
    path = "/repos/acme/shop/pulls"
    following = f'<{api.url}{path}?page=2>; rel="next", <{api.url}{path}?page=9>; rel="last"'
    api.on("GET", path, [1, 2], Link=following)
    api.on("GET", path, [3], Link=f'<{api.url}{path}?page=1>; rel="prev"')
    assert list(GitHub("t").pages("pulls?state=open", "")) == [1, 2, 3]
    assert api.requests[0].query == {"state": ["open"], "per_page": ["100"]}
    assert api.requests[1].query == {"page": ["2"]}


def test_list_in_a_member_is_read_over_all_pages(api: Api) -> None:
    """https://docs.github.com/en/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run-attempt"""
    path = "/repos/acme/shop/actions/runs/7/attempts/2/jobs"
    following = f'<{api.url}{path}?page=2>; rel="next"'
    api.on("GET", path, {"total_count": 3, "jobs": [1, 2]}, Link=following)
    api.on("GET", path, {"total_count": 3, "jobs": [3]})
    found = GitHub("t").pages("actions/runs/7/attempts/2/jobs", "actions: read", "jobs")
    assert list(found) == [1, 2, 3]


def test_token_goes_to_no_other_host(api: Api) -> None:
    api.on("GET", "/repos/acme/shop/pulls", [1], Link='<https://evil.example.com/>; rel="next"')
    with pytest.raises(GitHubError, match="another host"):
        list(GitHub("t").pages("pulls", ""))
    # To another name of the same machine, which is another host to HTTP.
    elsewhere = api.url.replace("127.0.0.1", "localhost")
    api.on("GET", "/repos/acme/shop/moved", None, 301, Location=f"{elsewhere}/new")
    api.on("GET", "/new", {"a": 1})
    assert GitHub("t").get("moved", "") == {"a": 1}
    assert api.requests[-2].headers["authorization"] == "Bearer t"
    assert "authorization" not in api.requests[-1].headers


def test_errors_of_graphql_are_errors(api: Api) -> None:
    api.on("POST", "/graphql", {"data": None, "errors": [{"message": "Auto merge is not allowed"}]})
    with pytest.raises(GitHubError, match="Auto merge is not allowed"):
        GitHub("t").graphql("query", {})


@pytest.mark.parametrize("repository", ["", "acme", "acme/shop/../../x", "a b/c"])
def test_repository_must_be_owner_and_name(
    monkeypatch: pytest.MonkeyPatch, repository: str
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", repository)
    with pytest.raises(GitHubError, match="GITHUB_REPOSITORY"):
        GitHub("t")


def test_missing_token_is_named() -> None:
    with pytest.raises(GitHubError, match="GITHUB_TOKEN is empty"):
        GitHub("")


def test_pull_request_is_asked_for_its_state_now(api: Api) -> None:
    api.on("GET", "/repos/acme/shop/pulls/12", {"state": "open"})
    api.on("GET", "/repos/acme/shop/pulls/12", {"state": "closed"})
    assert github.pull_request_is_open("12")
    assert not github.pull_request_is_open("12")
