"""production.yml under act: what is released, what is not, and what is then live."""

from __future__ import annotations

import pytest

from tests.act.first import First
from tests.act.github import REVIEWER
from tests.act.releases import (
    applied,
    assert_on_last_known_good,
    pods,
    release_bad,
    tag_facts,
)
from tests.act.runner import Shop

pytestmark = pytest.mark.slow

DECIDED = {"Plan: plan", "Approve: approve", "Release/Deploy: preflight"}
RELEASED = DECIDED | {
    "Release/Deploy: migrate", "Release/Deploy: deploy", "Release/Monitor: monitor",
    "Release/Monitor: prune", "Finish: audit", "Finish: verdict",
}  # fmt: skip
"""The work of every good release, without `notify`, which prints nothing then."""
UNDONE = {"Release/Roll back: rollback", "Finish: audit", "Finish: notify", "Finish: verdict"}
"""The work after a release that failed."""
BUILDS = {"Build client/Build: build", "Build server/Build: build"}


def test_the_first_release_of_all_services(first: First) -> None:
    run = first.run
    assert run.ran == RELEASED | BUILDS
    assert run.works.keys() - run.ran == {"Finish: notify"}
    assert run.failed == set()
    assert run.built == {"ghcr.io/acme/shop-client": True, "ghcr.io/acme/shop-server": True}
    order = list(dict.fromkeys(applied(first.writes)))
    dependents = [order.index(f"deployments/{name}") for name in ("server", "client")]
    assert dependents == sorted(dependents)
    assert order.index("statefulsets/postgres") < dependents[0]
    assert order.index("statefulsets/redis") < dependents[0]
    tag, reference, deployment, status = (r.body for r in first.requests if r.method == "POST")
    assert reference["ref"] == "refs/tags/deploy/production/1"
    known = tag_facts(tag["message"])["services"]
    images = {name: entry["image"] for name, entry in known.items() if entry["image"]}
    assert images == {name: first.images[name] for name in ("client", "server")}
    assert (deployment["ref"], status["state"]) == (tag["object"], "success")
    assert f"approved by {REVIEWER}" in run.texts["Approve: approve"]
    assert f"approved by {REVIEWER}" in run.texts["Finish: verdict"]


def test_a_service_is_released_although_another_did_not_change(shop: Shop, first: First) -> None:
    """GitHub and act skip jobs that need a skipped one, such as the build of the server."""
    before = pods(shop, "server")
    sha = shop.sample.change("client")
    run = shop.push(run=2)
    assert run.ran == RELEASED - {"Release/Deploy: migrate"} | {"Build client/Build: build"}
    assert "Build server/Build" not in run.results
    assert run.failed == set()
    client = shop.cluster.images("shop")["client"]
    assert shop.cluster.images("shop") == {**first.images, "client": client}
    assert client != first.images["client"]
    assert pods(shop, "server") == before, "an unchanged server was restarted"
    assert shop.record["release"] == 2
    assert shop.record["services"]["client"]["sha"] == sha
    message = shop.sample.git("tag", "--list", "--format=%(contents)", "deploy/production/2")
    assert tag_facts(message)["services"] == {"client": {"sha": sha, "image": client}}


def test_a_run_that_changes_no_service_records_that_it_saw_what_is_live(shop: Shop) -> None:
    """It enters the lock, for which nobody is asked, and changes only the record."""
    (shop.sample.root / "README.md").write_text("a shop\n", "utf-8")
    sha = shop.sample.commit("describe the shop")
    run = shop.push(run=2)
    assert run.results.keys() == {"Plan", "Release/Deploy", "Finish"}
    assert run.failed == set()
    assert run.ran == {
        "Plan: plan", "Release/Deploy: preflight", "Finish: audit", "Finish: verdict",
    }  # fmt: skip
    changed = {write["path"] for write in shop.cluster.requests if not write["dry_run"]}
    assert changed == {"/api/v1/namespaces/shop/configmaps/wfgen-release-production"}
    assert shop.record["release"] == 1
    services = shop.record["services"]
    assert {services[name]["seen"] for name in ("client", "server")} == {sha}
    assert "nothing to release" in run.texts["Finish: verdict"]
    assert shop.github.written == []


def test_a_change_that_a_newer_commit_reverts_is_not_released(shop: Shop, first: First) -> None:
    """The run of the revert finds that nothing changed, and ends first: the older one waits longer,
    for instance for its approval.
    """
    older = shop.sample.change("client")
    shop.sample.git("revert", "--no-edit", "HEAD")
    assert shop.push(run=3).failed == set()
    run = shop.push(run=2, sha=older)
    assert run.ran == DECIDED | {"Build client/Build: build", "Finish: audit", "Finish: verdict"}
    assert run.failed == set()
    assert "stale" in run.texts["Finish: verdict"]
    assert applied(shop.cluster.requests) == []
    assert shop.cluster.images("shop") == first.images
    assert shop.record["services"]["client"]["seen"] == shop.sample.head


def test_a_build_that_fails_stops_the_release_of_all_services(shop: Shop) -> None:
    shop.sample.change("client")
    shop.sample.break_build("server")
    run = shop.push(run=2)
    assert run.ran == {
        "Plan: plan", "Build client/Build: build",
        "Finish: audit", "Finish: notify", "Finish: verdict",
    }  # fmt: skip
    assert run.failed == {"Build server/Build", "Finish"}
    assert shop.cluster.requests == []
    assert shop.github.messages == ["production: not released, nothing was touched"]


def test_a_deploy_that_fails_halfway_is_rolled_back(shop: Shop, first: First) -> None:
    shop.cluster.fault("PATCH", r"^(?!.*dryRun).*/deployments/client", status=403)
    shop.sample.change("server", "client")
    run = shop.push(run=2)
    assert run.failed == {"Release/Deploy", "Finish"}
    assert run.ran >= UNDONE
    assert "Release/Monitor" not in run.results
    # The deploy applied the server, and the rollback applied it again.
    assert applied(shop.cluster.requests).count("deployments/server") == 2
    assert_on_last_known_good(shop, first)
    assert shop.sample.tags == ["deploy/production/1", "rollback/production/2"]
    assert "Revert" not in run.results, "a change was reverted that may not have caused the failure"
    assert shop.github.messages == ["production: release 2 failed and was rolled back"]


def test_a_release_that_fails_is_rolled_back_and_reverted(shop: Shop, first: First) -> None:
    good = shop.sample.head
    run = release_bad(shop)
    assert_on_last_known_good(shop, first)
    assert run.failed == {"Release/Monitor", "Finish"}
    assert run.ran >= UNDONE | {"Release/Monitor: monitor", "Revert: revert"}
    assert "Release/Monitor: prune" not in run.works
    assert "restarted" in run.logs["Release/Monitor"]
    assert shop.sample.tags == ["deploy/production/1", "rollback/production/2"]
    made = [(d["task"], d["ref"]) for d in shop.github.posted("deployments")]
    assert made == [("deploy", shop.sample.head), ("rollback", good)]
    states = [body["state"] for body in shop.github.posted("deployments/1/statuses")]
    assert states == ["failure", "success"]
    (request,) = shop.github.posted("pulls")
    assert request["base"] == "main"
    reverted = shop.sample.git("rev-parse", f"{request['head']}^{{tree}}")
    assert reverted == shop.sample.git("rev-parse", f"{good}^{{tree}}")
    assert shop.github.messages == ["production: release 2 failed and was rolled back"]


def test_a_rollback_that_does_nothing_is_reported(shop: Shop, first: First) -> None:
    """The results of all jobs are those of the test above, so the test inspects the cluster.

    The record is then that of a killed run, which the watchdog rolls back: see `test_watchdog`.
    """
    run = release_bad(shop, undone=False)
    assert run.results["Release/Roll back"] == "success"
    assert "Release/Roll back: rollback" in run.unmarked
    assert run.failed == {"Release/Monitor", "Finish"}
    assert "watchdog workflow" in " ".join(run.texts["Finish: verdict"].split())
    assert "Revert" not in run.results
    with pytest.raises(AssertionError, match="not on the images of the last known good release"):
        assert_on_last_known_good(shop, first)
