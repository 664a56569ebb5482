"""staging.yml under act: a preview per pull request, but not for untrusted authors."""

from __future__ import annotations

import pytest

from tests.act.first import First
from tests.act.github import REPOSITORY
from tests.act.runner import Shop

pytestmark = pytest.mark.slow


def test_a_preview_is_created_and_deleted(shop: Shop, first: First) -> None:
    _open_pull_request(shop)
    shop.sample.git("checkout", "--quiet", "-b", "feature")
    sha = shop.sample.change("client")
    run = shop.pull_request(run=2, sha=sha)
    assert run.failed == set()
    assert run.ran == {
        "Plan", "Build client/Build", "Images", "Release/Preflight", "Release/Migrate",
        "Release/Deploy", "Release/Monitor", "Gate",
    }  # fmt: skip
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
    assert closed.ran == {"Tear down"}
    assert "shop-pr-12" not in shop.cluster.names("Namespace")
    assert shop.cluster.images("shop") == first.images


def test_a_preview_that_fails_stays_up_for_debugging(shop: Shop, first: First) -> None:
    _open_pull_request(shop)
    bad = "bad0" * 16
    shop.cluster.behave(bad, crash_loop=True)
    shop.sample.git("checkout", "--quiet", "-b", "feature")
    sha = shop.sample.change("client", digest=bad)
    run = shop.pull_request(run=2, sha=sha)
    assert run.failed == {"Release/Monitor", "Gate"}
    assert run.ran >= {"Release/Monitor", "Release/Roll back", "Gate"}
    assert bad in shop.cluster.images("shop-pr-12")["client"]
    assert shop.cluster.images("shop") == first.images
    (comment,) = shop.github.posted("issues/12/comments")
    assert "the preview failed" in comment["body"]


@pytest.mark.parametrize(
    ("head", "author", "label"),
    [
        ("mallory/shop", "mallory", "preview"),
        ("acme/shop", "dependabot[bot]", "preview"),
        ("acme/shop", "ada", "bug"),
    ],
    ids=["fork", "dependabot", "without-the-label"],
)
def test_a_pull_request_without_preview_is_built_and_tested_without_credentials(
    shop: Shop, head: str, author: str, label: str
) -> None:
    shop.sample.git("checkout", "--quiet", "-b", "feature")
    sha = shop.sample.change("server")
    run = shop.pull_request(run=2, sha=sha, head=head, author=author, label=label)
    assert run.failed == set()
    assert run.ran == {"Plan", "Build server/Build", "Gate"}
    assert run.results.keys() == run.ran, "another job started"
    assert run.built == {"ghcr.io/acme/shop-server": False}
    assert "Build server/Build: Test" in run.steps
    assert "Build server/Build: Log in to GitHub's container registry" not in run.steps
    assert shop.cluster.requests == []
    assert shop.github.requests == []


def test_the_gate_fails_if_a_test_fails(shop: Shop) -> None:
    shop.sample.git("checkout", "--quiet", "-b", "feature")
    (shop.sample.root / "app/server/server/visits.py").write_text("def\n", "utf-8")
    sha = shop.sample.commit("break the server")
    run = shop.pull_request(run=2, sha=sha, head="mallory/shop", author="mallory")
    assert run.failed == {"Build server/Build", "Gate"}
    assert run.built == {}
    assert "Gate" in run.ran
    assert shop.cluster.requests == []


def _open_pull_request(shop: Shop) -> None:
    """Adds the pull request to the stand-in of GitHub."""
    shop.github.on("GET", f"{REPOSITORY}/pulls/12", {"state": "open"})
    shop.github.on("GET", f"{REPOSITORY}/issues/12/comments", [])
    shop.github.on("POST", f"{REPOSITORY}/issues/12/comments", {}, status=201)
