"""Re-runs of production.yml under act: later attempts of the same run."""

from __future__ import annotations

import pytest

from tests.act.first import First
from tests.act.releases import applied, tag_facts
from tests.act.runner import Shop

pytestmark = pytest.mark.slow


def test_a_rerun_of_the_failed_job_completes_the_tag(shop: Shop) -> None:
    """GitHub refuses the tag of a release that is live; the re-run releases nothing again."""
    sha = shop.sample.change("client")
    shop.github.refuses_tags = True
    run = shop.push(run=2)
    assert run.failed == {"Finish"}
    assert "release 2 is live; tag missing" in run.texts["Finish: verdict"]
    assert shop.sample.tags == ["deploy/production/1"]
    live = shop.record
    assert (live["state"], live["release"]) == ("good", 2)

    shop.github.refuses_tags = False
    before = len(shop.cluster.requests)
    again = shop.push(run=2, attempt=2, failed=run)
    assert again.failed == set()
    assert again.ran == {"Finish: audit", "Finish: verdict"}
    assert len(shop.cluster.requests) == before
    assert shop.record == live
    assert shop.sample.tags == ["deploy/production/1", "deploy/production/2"]
    message = shop.sample.git("tag", "--list", "--format=%(contents)", "deploy/production/2")
    known = tag_facts(message)
    assert known["sha"] == sha
    images = {name: entry["image"] for name, entry in known["services"].items() if entry["image"]}
    assert images["client"] == shop.cluster.images("shop")["client"]


def test_a_rerun_of_all_jobs_builds_every_service_under_a_new_tag(shop: Shop, first: First) -> None:
    """What is live already is not released again; a pushed tag is never pushed twice."""
    run = shop.push(run=1, attempt=2)
    assert run.failed == set()
    tags = {line.partition(" push=")[0] for line in _built(run.logs["Build client/Build"])}
    assert tags.isdisjoint(_built(first.run.logs["Build client/Build"]))
    assert run.built == {"ghcr.io/acme/shop-client": True, "ghcr.io/acme/shop-server": True}
    assert applied(shop.cluster.requests) == []
    assert shop.record["release"] == 1
    assert "nothing to release" in run.texts["Finish: verdict"]


def _built(log: str) -> set[str]:
    """The images with their tags that a build made."""
    return {line.split()[1] for line in log.splitlines() if line.startswith("built ")}
