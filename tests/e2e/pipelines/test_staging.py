"""staging.yml and staging-cleanup.yml under act: a preview from its creation to its deletion."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.act.github import NAME, REPOSITORY
from tests.act.run import Run
from tests.e2e.kube import Kube
from tests.e2e.pipelines.conftest import ObserveRun
from tests.e2e.pipelines.shop import DESCRIBED, PULL_REQUEST, Shop

pytestmark = pytest.mark.e2e
COMMENTS = f"issues/{PULL_REQUEST}/comments"


@pytest.mark.releases(15)
def test_previews(shop: Shop, observe_run: ObserveRun) -> None:
    """One test, because the sweep covers all previews of a repository in the cluster."""
    assert shop.push(shop.new_run()).failed == set()
    production = shop.production.kube.images()
    _open_pull_request(shop)
    shop.sample.git("checkout", "--quiet", "-b", "feature")

    sha = shop.change("two", "server")
    run = shop.pull_request(shop.new_run(), sha=sha, head="mallory/shop", author="mallory")
    assert run.built == {f"{shop.images.host or 'ghcr.io'}/acme/shop-server": False}
    assert _pushed(shop, sha) == set()
    assert shop.github.requests == []
    observe_run(
        "a pull request from a fork", run, says="pull request 12: built and tested, no preview",
        serves="nothing", record="none", of=shop.preview,
    )  # fmt: skip
    assert not _exists(shop.preview.kube)

    run = shop.pull_request(shop.new_run(), sha=sha, action="labeled")
    observe_run(
        "a pull request gets the preview label", run,
        says="staging, pull request 12: release 1 is live",
        serves={"server": "two", "client": "one"}, record="good, release 1", of=shop.preview,
    )  # fmt: skip
    live = shop.preview.kube.images()
    assert live["client"] == production["client"], "an unchanged service was built again"
    assert _pushed(shop, sha) == {f"{sha}-{shop.runs}-1"}
    digest = run.outputs["Build server/Build"]["digest"]
    assert live["server"].partition("@")[2] == digest
    assert "https://pr-12.preview.example.com" in _comment(shop)

    databases = shop.preview.pods("postgres", "redis")
    sha = shop.change("three", "client")
    run = shop.pull_request(shop.new_run(), sha=sha, action="synchronize")
    now = {"server": "two", "client": "three"}
    observe_run(
        "a commit is pushed to the pull request", run,
        says="staging, pull request 12: release 2 is live",
        serves=now, record="good, release 2", of=shop.preview,
    )  # fmt: skip
    assert shop.preview.pods("postgres", "redis") == databases

    sha = shop.change("four", "client", CRASH="0s")
    bad = shop.image("client")
    run = shop.pull_request(shop.new_run(), sha=sha, action="synchronize")
    assert "the preview stays up, for debugging" in run.texts["Release/Monitor: monitor"]
    assert "the preview failed" in _comment(shop)
    observe_run(
        "a bad commit is pushed: its pods stay up for debugging", run,
        failed=("Release / Monitor", "Gate"),
        says="staging, pull request 12: the preview failed",
        serves=now, record="good, release 2",
        of=shop.preview,
    )  # fmt: skip
    pods = shop.preview.kube.objects("pod")
    assert bad in {pod["spec"]["containers"][0]["image"] for pod in pods}

    run = _sweep(shop)
    observe_run(
        "the sweep deletes previews that have expired (13), whose pull request is closed (14) "
        "or has lost its label (15)", run,
        serves=now, record="good, release 2",
        of=shop.preview,
    )  # fmt: skip

    run = shop.pull_request(
        shop.new_run(), workflow="staging-cleanup.yml", sha=sha, action="closed"
    )
    # Deleting a namespace takes time: its pods end first.
    shop.preview.kube.wait(lambda: not _read_namespace(shop.preview.kube), 120)
    observe_run(
        "the pull request is closed", run, serves="nothing", record="none", of=shop.preview,
    )  # fmt: skip
    assert shop.production.kube.images() == production


def _pushed(shop: Shop, sha: str) -> set[str]:
    """The tags of the server's images of a commit, which have the run and its attempt."""
    return {path.name for path in shop.images.folder.glob(f"tags/acme/shop-server/{sha}*")}


def _sweep(shop: Shop) -> Run:
    """The scheduled cleanup, with empty previews of three more pull requests."""
    expired, closed, unlabeled = (_make_preview(shop, number) for number in ("13", "14", "15"))
    label = f"wfgen/expires={int(time.time()) - 60}"
    expired.run("label", "--overwrite", "namespace", expired.namespace, label)
    asked = [{"name": "preview"}]
    still_open = [
        {"number": int(PULL_REQUEST), "labels": asked},
        {"number": 13, "labels": asked},
        {"number": 15, "labels": []},
    ]
    shop.github.now("GET", f"{REPOSITORY}/pulls", still_open)
    run = shop.start("schedule", "staging-cleanup.yml", {}, shop.new_run())
    left = [k for k in (expired, closed, unlabeled, shop.preview.kube) if _exists(k)]
    assert left == [shop.preview.kube]
    return run


def _make_preview(shop: Shop, number: str) -> Kube:
    """Makes the namespace of another pull request with the release program."""
    action = shop.sample.root / ".github/actions/release"
    environment: dict[str, Any] = {
        "WFGEN_DESCRIPTION": str(shop.sample.root / DESCRIBED.format("staging")),
        "WFGEN_NUMBER": number,
        "WFGEN_SHA": shop.sample.head,
        "GITHUB_REPOSITORY": NAME,
        "KUBECONFIG": str(shop.place.kubeconfigs["shop-staging"]),
    }
    subprocess.run(
        [sys.executable, str(action / "release_program"), "namespace"],
        env={**os.environ, **environment}, check=True,
    )  # fmt: skip
    live = shop.production.kube
    return Kube(f"{live.namespace}-pr-{number}", live.folder)


def _read_namespace(kube: Kube) -> str:
    """A namespace as JSON; "" if there is none."""
    return kube.run("get", "namespace", kube.namespace, "--ignore-not-found", "-o", "json")


def _exists(kube: Kube) -> bool:
    """Whether a namespace exists and is not being deleted."""
    found = _read_namespace(kube)
    return bool(found) and "deletionTimestamp" not in found


def _open_pull_request(shop: Shop) -> None:
    """Adds the pull request to the stand-in of GitHub."""
    shop.github.on("GET", f"{REPOSITORY}/pulls/{PULL_REQUEST}", {"state": "open"})
    shop.github.on("GET", f"{REPOSITORY}/{COMMENTS}", [])
    shop.github.on("POST", f"{REPOSITORY}/{COMMENTS}", {}, status=201)


def _comment(shop: Shop) -> str:
    """The comment of the last run on the pull request."""
    (comment,) = shop.github.posted(COMMENTS)
    return str(comment["body"])
