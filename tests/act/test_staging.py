"""staging.yml under act: a preview per pull request, but not for untrusted authors."""

from __future__ import annotations

import json

import pytest

from tests.act.first import First
from tests.act.github import REPOSITORY
from tests.act.run import Run
from tests.act.runner import Shop

pytestmark = pytest.mark.slow

BAD = "bad0" * 16
"""The digest of a bad image."""
UNPUSHED = "Build server/Build without pushing"
"""The job that builds untrusted code; `Log in` begins the name of each step with credentials."""


def test_a_preview_is_created_and_deleted(shop: Shop, first: First) -> None:
    _open_pull_request(shop)
    shop.sample.git("checkout", "--quiet", "-b", "feature")
    sha = shop.sample.change("client")
    run = shop.pull_request(run=2, sha=sha)
    assert run.failed == set()
    assert run.ran == {
        "Plan: plan", "Build client/Build: build", "Release/Deploy: namespace",
        "Release/Deploy: preflight", "Release/Deploy: migrate", "Release/Deploy: deploy",
        "Release/Monitor: monitor", "Gate: comment", "Gate: gate",
    }  # fmt: skip
    assert run.unmarked == set()
    assert run.built == {"ghcr.io/acme/shop-client": True}
    images = shop.cluster.images("shop-pr-12")
    assert images.keys() == first.images.keys(), "the preview shares a database or cache"
    assert images["server"] == first.images["server"], "an unchanged service was built again"
    assert images["client"] != first.images["client"]
    assert shop.cluster.images("shop") == first.images
    (comment,) = shop.github.posted("issues/12/comments")
    assert "https://pr-12.preview.example.com" in comment["body"]

    closed = shop.pull_request(run=3, workflow="staging-cleanup.yml", sha=sha, action="closed")
    assert closed.failed == set()
    assert closed.ran == {"Tear down: teardown"}
    assert "shop-pr-12" not in shop.cluster.names("Namespace")
    assert shop.cluster.images("shop") == first.images


def test_a_preview_that_fails_stays_up_for_debugging(shop: Shop, first: First) -> None:
    _open_pull_request(shop)
    shop.cluster.behave(BAD, crash_loop=True)
    shop.sample.git("checkout", "--quiet", "-b", "feature")
    sha = shop.sample.change("client", digest=BAD)
    run = shop.pull_request(run=2, sha=sha)
    assert run.failed == {"Release/Monitor", "Gate"}
    assert run.ran >= {"Release/Monitor: monitor", "Gate: comment", "Gate: gate"}
    assert "Release/Roll back" not in run.results
    _assert_closed(shop)
    assert BAD in shop.cluster.images("shop-pr-12")["client"]
    assert shop.cluster.images("shop") == first.images
    (comment,) = shop.github.posted("issues/12/comments")
    assert "the preview failed" in comment["body"]


def test_a_preview_that_is_not_fully_deployed_does_not_block_the_next_one(shop: Shop) -> None:
    """There is no rollback job in previews: the monitor runs after a failed deploy too."""
    _open_pull_request(shop)
    shop.cluster.fault("PATCH", r"^(?!.*dryRun).*/deployments/client", status=403)
    shop.sample.git("checkout", "--quiet", "-b", "feature")
    run = shop.pull_request(run=2, sha=shop.sample.change("client"))
    assert run.failed == {"Release/Deploy", "Release/Monitor", "Gate"}
    assert "Release/Roll back" not in run.results
    _assert_closed(shop)


@pytest.mark.parametrize(
    "event",
    [
        {"head": "mallory/shop", "author": "mallory"},
        {"author": "dependabot[bot]"},
        {"label": "bug"},
        {"action": "labeled", "added": "bug"},
    ],
    ids=["fork", "dependabot", "without-the-label", "gets-another-label"],
)
def test_a_pull_request_without_preview_is_built_and_tested_without_credentials(
    shop: Shop, event: dict[str, str]
) -> None:
    shop.sample.git("checkout", "--quiet", "-b", "feature")
    sha = shop.sample.change("server")
    _assert_only_built(shop, shop.pull_request(run=2, sha=sha, **event))


def test_a_merge_group_is_built_and_tested_without_credentials(shop: Shop) -> None:
    """The queue waits for the required check, which a pull request has and a merge group needs."""
    shop.sample.git("checkout", "--quiet", "-b", "gh-readonly-queue/main/pr-12")
    _assert_only_built(shop, shop.merge_group(run=2, sha=shop.sample.change("server")))


def _assert_only_built(shop: Shop, run: Run) -> None:
    """Asserts that a run built and tested the server, wrote the check, and used no credentials."""
    assert run.failed == set()
    assert run.ran == {"Plan: plan", f"{UNPUSHED}: build", "Gate: gate"}
    assert run.unmarked == set()
    assert run.results.keys() == {"Plan", UNPUSHED, "Gate"}, "another job started"
    assert run.built == {"ghcr.io/acme/shop-server": False}
    assert run.steps[f"{UNPUSHED}: Test"] == "success"
    assert not [step for step in run.steps if "Log in" in step]
    assert shop.cluster.requests == []
    assert shop.github.requests == []


def test_the_gate_fails_if_a_test_fails(shop: Shop) -> None:
    shop.sample.git("checkout", "--quiet", "-b", "feature")
    (shop.sample.root / "app/server/server/visits.py").write_text("def\n", "utf-8")
    sha = shop.sample.commit("break the server")
    run = shop.pull_request(run=2, sha=sha, head="mallory/shop", author="mallory")
    assert run.failed == {UNPUSHED, "Gate"}
    assert run.built == {}
    assert "Gate: gate" in run.ran
    assert shop.cluster.requests == []


def _open_pull_request(shop: Shop) -> None:
    """Adds the pull request to the stand-in of GitHub."""
    shop.github.on("GET", f"{REPOSITORY}/pulls/12", {"state": "open"})
    shop.github.on("GET", f"{REPOSITORY}/issues/12/comments", [])
    shop.github.on("POST", f"{REPOSITORY}/issues/12/comments", {}, status=201)


def _assert_closed(shop: Shop) -> None:
    """Asserts that the preview's record is closed: an open one refuses the next run."""
    stored = shop.cluster.find("ConfigMap", "wfgen-release-staging", "shop-pr-12")
    assert stored is not None
    assert json.loads(stored["data"]["record.json"])["in_flight"] is None
