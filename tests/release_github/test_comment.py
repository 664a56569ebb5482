"""`comment` and `closed`: one comment for ever, and no preview torn down by mistake."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from tests.github_api import Api
from wfgen.release_program import commands
from wfgen.release_program.hosting.github import GitHubError

from .conftest import Describe, of_release

COMMENTS = "/repos/acme/shop/issues/12/comments"
MARKER = "<!-- wfgen:preview:staging -->"
SHA = "1" * 40
IMAGE = "ghcr.io/acme/shop-server@sha256:" + "a" * 64
Needs = Callable[..., None]


@pytest.fixture
def previewed(describe: Describe, needs: Needs) -> Callable[..., None]:
    """The end of a preview's release."""
    describe(preview=True, environment="staging", url="https://pr-{number}.preview.example.com")

    def end(trusted: str = "true", proposed: str = "true", **release: str) -> None:
        plan = {"proposed": proposed, "sha": SHA, "services": '["server"]', "number": "12"}
        images = json.dumps({"server": IMAGE, "client": "evil"})
        end = {"proceed": "true", "release": "1", "sha": SHA, "images": images, **release}
        needs(
            plan=("success", {**plan, "trusted": trusted}),
            release=("success", of_release(1, **end)),
        )

    return end


Previewed = Callable[..., None]


def test_first_comment_has_address_and_result(api: Api, previewed: Previewed) -> None:
    previewed(verified="true")
    api.on("GET", COMMENTS, [])
    api.on("POST", COMMENTS, {}, 201)
    assert commands.run("comment") == 0
    (made,) = api.sent("POST", COMMENTS)
    assert made["body"].startswith(MARKER)
    assert "**https://pr-12.preview.example.com**" in made["body"]
    assert "staging, pull request 12: release 1 is live" in made["body"]
    assert SHA in made["body"]
    assert f"| server | `{IMAGE}` |" in made["body"]


def test_failed_preview_says_that_it_stays_up(api: Api, previewed: Previewed) -> None:
    previewed(verified="false", cause="app")
    api.on("GET", COMMENTS, [])
    api.on("POST", COMMENTS, {}, 201)
    commands.run("comment")
    assert "stays up for debugging" in api.sent("POST", COMMENTS)[0]["body"]


def test_comment_is_changed_in_place(api: Api, previewed: Previewed) -> None:
    previewed(verified="true")
    following = f'<{api.url}{COMMENTS}?page=2>; rel="next"'
    # A person's comment that quotes ours is not ours.
    quoted = {"id": 1, "body": f"{MARKER} see", "user": {"type": "User"}}
    other = {"id": 2, "body": "lint", "user": {"type": "Bot"}}
    ours = {"id": 3, "body": f"{MARKER}\n\nold", "user": {"type": "Bot"}}
    api.on("GET", COMMENTS, [quoted, other], Link=following)
    api.on("GET", COMMENTS, [ours])
    api.on("PATCH", "/repos/acme/shop/issues/comments/3", {})
    assert commands.run("comment") == 0
    assert [r.path for r in api.requests if r.method != "GET"] == [
        "/repos/acme/shop/issues/comments/3"
    ]


def test_untrusted_pull_request_gets_no_comment(api: Api, previewed: Previewed) -> None:
    previewed(trusted="false", verified="true")
    assert commands.run("comment") == 0
    assert api.requests == []


def test_run_without_a_preview_leaves_the_comment_of_the_preview(
    api: Api, previewed: Previewed
) -> None:
    """Such as one for the label `bug`, while the preview of an earlier run is up."""
    previewed(proposed="false")
    assert commands.run("comment") == 0
    assert api.requests == []


def test_merge_group_gets_no_comment(api: Api, describe: Describe, needs: Needs) -> None:
    describe(preview=True)
    needs(plan=("success", {"proposed": "false", "number": "0", "trusted": "false"}))
    assert commands.run("comment") == 0
    assert api.requests == []


def test_previews_that_nobody_asks_for_or_past_their_time_are_listed(
    api: Api,
    describe: Describe,
    outputs: Callable[[], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = int(time.time())
    previews = [
        {"number": "1", "expires": str(now + 3600), "run": "7"},
        {"number": "2", "expires": str(now + 3600), "run": "7"},
        {"number": "3", "expires": str(now - 1), "run": "7"},
        {"number": "4", "expires": "0", "run": "7"},
        {"number": "5", "expires": "0", "run": "7"},
    ]
    monkeypatch.setenv("WFGEN_NAMESPACES", json.dumps(previews))
    following = f'<{api.url}/repos/acme/shop/pulls?page=2>; rel="next"'
    asked_for = {"labels": [{"name": "bug"}, {"name": "preview"}]}
    first = [{"number": 1, **asked_for}, {"number": 3, **asked_for}]
    api.on("GET", "/repos/acme/shop/pulls", first, Link=following)
    second = [{"number": 4, **asked_for}, {"number": 5, "labels": []}]
    api.on("GET", "/repos/acme/shop/pulls", second)
    describe(preview=True, label="preview")
    assert commands.run("closed") == 0
    assert json.loads(outputs()["numbers"]) == ["2", "3", "5"]
    assert api.requests[0].query["state"] == ["open"]


def test_nothing_is_torn_down_where_the_token_sees_no_pull_requests(
    api: Api,
    describe: Describe,
    outputs: Callable[[], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WFGEN_NAMESPACES", '[{"number": "1", "expires": "0"}]')
    api.on("GET", "/repos/acme/shop/pulls", {"message": "Not Found"}, 404)
    with pytest.raises(GitHubError, match="`pull-requests: read`"):
        commands.run("closed")
    assert "numbers" not in outputs()


def test_no_previews_are_no_failure(
    api: Api, describe: Describe, outputs: Callable[[], dict[str, str]]
) -> None:
    api.on("GET", "/repos/acme/shop/pulls", [])
    assert commands.run("closed") == 0
    assert outputs()["numbers"] == "[]"
