"""The approval of a release under act, with the stand-in of GitHub's API.

On GitHub, a job whose environment has required reviewers waits for one of them, and fails without
running if they reject it. act runs it at once, so that only the API says what the reviewers did.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.act.first import First
from tests.act.github import REVIEWER, review
from tests.act.releases import applied, tag_facts
from tests.act.runner import Shop

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "reviews",
    [[], [review("rejected")], [review("approved", "staging")]],
    ids=["nobody-was-asked", "rejected", "approved-for-another-environment"],
)
def test_without_approval_nothing_is_released(shop: Shop, reviews: list[dict[str, Any]]) -> None:
    shop.github.reviews = reviews
    shop.sample.change("client")
    run = shop.push(run=2)
    assert run.failed == {"Approve", "Finish"}
    assert run.ran == {
        "Plan: plan", "Build client/Build: build",
        "Finish: audit", "Finish: notify", "Finish: verdict",
    }  # fmt: skip
    assert "Add them in Settings, Environments, production-approval" in run.logs["Approve"]
    assert "did not succeed: approve (failed or was rejected)" in run.texts["Finish: verdict"]
    assert shop.cluster.requests == []


def test_a_tag_cannot_make_a_release_of_what_nobody_approved(shop: Shop, first: First) -> None:
    """A false tag says that the client's change is live, so the plan proposes the server alone.

    Under the lock, the record says that the client changed too.
    """
    older = shop.sample.change("client")
    _tag_falsely(shop, "client", older)
    shop.sample.change("server")
    run = shop.push(run=2)
    assert run.built == {"ghcr.io/acme/shop-server": True}
    assert REVIEWER in run.texts["Approve: approve"]
    assert run.failed == {"Release/Deploy", "Finish"}
    assert "client changed too" in run.texts["Release/Deploy: preflight"]
    assert "more changed than was approved" in run.texts["Finish: verdict"]
    assert applied(shop.cluster.requests) == []
    assert shop.cluster.images("shop") == first.images


def _tag_falsely(shop: Shop, service: str, sha: str) -> None:
    """Tags a release 2 that never was, in which a commit of a service is live."""
    message = shop.sample.git("tag", "--list", "--format=%(contents)", "deploy/production/1")
    known = tag_facts(message)
    known["release"] = 2
    known["services"][service]["sha"] = sha
    text = f"a false tag\n\n{json.dumps(known)}"
    shop.sample.git("tag", "--annotate", "deploy/production/2", "--message", text)
