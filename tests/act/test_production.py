"""production.yml under act: what is released, what is not, and what is then live."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import pytest

from tests.act.first import First
from tests.act.run import Run
from tests.act.runner import Shop

pytestmark = pytest.mark.slow

BAD = "bad0" * 16
"""The digest of a bad image."""
RELEASED = {
    "Plan", "Images", "Approve", "Release/Preflight", "Release/Migrate", "Release/Deploy",
    "Release/Monitor", "Prune", "Audit", "Verdict",
}  # fmt: skip
"""Jobs of every good release, without Notify, which prints nothing then."""
BUILDS = {"Build client/Build", "Build server/Build"}


def test_the_first_release_of_all_services(first: First) -> None:
    run = first.run
    assert run.ran == RELEASED | BUILDS
    assert run.results.keys() - run.ran == {"Notify"}
    assert run.failed == set()
    assert run.built == {"ghcr.io/acme/shop-client": True, "ghcr.io/acme/shop-server": True}
    order = list(dict.fromkeys(_applied(first.writes)))
    dependents = [order.index(f"deployments/{name}") for name in ("server", "client")]
    assert dependents == sorted(dependents)
    assert order.index("statefulsets/postgres") < dependents[0]
    assert order.index("statefulsets/redis") < dependents[0]
    tag, reference, deployment, status = (r.body for r in first.requests if r.method == "POST")
    assert reference["ref"] == "refs/tags/deploy/production/1"
    images = {n: e["image"] for n, e in _facts(tag["message"])["services"].items() if e["image"]}
    assert images == {name: first.images[name] for name in ("client", "server")}
    assert (deployment["ref"], status["state"]) == (tag["object"], "success")


def test_a_service_is_released_although_another_did_not_change(shop: Shop, first: First) -> None:
    """GitHub and act skip jobs that need a skipped one, such as the build of the server."""
    pods = _pods(shop, "server")
    sha = shop.sample.change("client")
    run = shop.push(run=2)
    assert run.ran == RELEASED - {"Release/Migrate"} | {"Build client/Build"}
    assert "Build server/Build" not in run.results
    assert run.failed == set()
    assert shop.cluster.images("shop") == {**first.images, "client": _client(shop)}
    assert _client(shop) != first.images["client"]
    assert _pods(shop, "server") == pods, "an unchanged server was restarted"
    assert shop.record["release"] == 2
    assert shop.record["services"]["client"]["sha"] == sha
    message = shop.sample.git("tag", "--list", "--format=%(contents)", "deploy/production/2")
    assert _facts(message)["services"]["server"]["image"] == first.images["server"]


def test_nothing_is_released_if_no_service_changed(shop: Shop) -> None:
    (shop.sample.root / "README.md").write_text("a shop\n", "utf-8")
    shop.sample.commit("describe the shop")
    run = shop.push(run=2)
    assert run.ran == {"Plan", "Verdict"}
    assert run.results.keys() == {"Plan", "Notify", "Verdict"}
    assert run.failed == set()
    assert shop.cluster.requests == []
    assert shop.github.requests == []


def test_a_build_that_fails_stops_the_release_of_all_services(shop: Shop) -> None:
    shop.sample.change("client")
    shop.sample.break_build("server")
    run = shop.push(run=2)
    assert run.ran == {"Plan", "Build client/Build", "Notify", "Verdict"}
    assert run.failed == {"Build server/Build", "Verdict"}
    assert shop.cluster.requests == []
    assert shop.github.messages == ["production: not released, nothing was touched"]


def test_without_approval_nothing_is_released(shop: Shop) -> None:
    shop.sample.refuse_approval()
    shop.sample.change("client")
    run = shop.push(run=2)
    assert run.ran == {"Plan", "Build client/Build", "Images", "Notify", "Verdict"}
    assert run.failed == {"Approve", "Verdict"}
    assert "did not succeed: approve (failed or was rejected)" in run.logs["Verdict"]
    assert shop.cluster.requests == []


def test_a_deploy_that_fails_halfway_is_rolled_back(shop: Shop, first: First) -> None:
    shop.cluster.fault("PATCH", r"^(?!.*dryRun).*/deployments/client", status=403)
    shop.sample.change("server", "client")
    run = shop.push(run=2)
    assert run.failed == {"Release/Deploy", "Verdict"}
    assert run.ran >= {"Release/Roll back", "Audit", "Notify", "Verdict"}
    assert not run.results.keys() & {"Release/Monitor", "Prune"}
    # The deploy applied the server, and the rollback applied it again.
    assert _applied(shop.cluster.requests).count("deployments/server") == 2
    _assert_on_last_known_good(shop, first)
    assert shop.sample.tags == ["deploy/production/1", "rollback/production/2"]
    assert "Revert" not in run.results, "a change was reverted that may not have caused the failure"
    assert shop.github.messages == ["production: release 2 failed and was rolled back"]


def test_a_release_that_fails_is_rolled_back_and_reverted(shop: Shop, first: First) -> None:
    good = shop.sample.head
    run = _release_bad(shop)
    _assert_on_last_known_good(shop, first)
    assert run.failed == {"Release/Monitor", "Verdict"}
    assert run.ran >= {"Release/Monitor", "Release/Roll back", "Audit", "Revert", "Notify"}
    assert "Prune" not in run.results
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


def test_a_rollback_that_does_nothing_is_reported_and_left_to_the_watchdog(
    shop: Shop, first: First
) -> None:
    """The results of all jobs are those of the test above, so it has to inspect the cluster.

    The record is then that of a killed run, which the watchdog rolls back.
    """
    run = _release_bad(shop, emptied="commands.rollback.rollback")
    assert run.results["Release/Roll back"] == "success"
    assert "Release/Roll back" not in run.ran
    assert run.failed == {"Release/Monitor", "Verdict"}
    assert "the watchdog workflow restores" in " ".join(run.logs["Verdict"].split())
    with pytest.raises(AssertionError, match="not on the images of the last known good release"):
        _assert_on_last_known_good(shop, first)

    other = _watch(shop, finished=999)
    assert other.failed == set()
    assert shop.record["state"] == "in-flight", "the watchdog acted on the end of another run"

    watched = _watch(shop, finished=2)
    assert watched.failed == {"Watch over production"}, (
        "the watchdog rolled back and succeeded: nobody would notice"
    )
    assert watched.ran == {"Watch over production"}
    _assert_on_last_known_good(shop, first)


def _release_bad(shop: Shop, emptied: str = "") -> Run:
    """Releases both services; the client crashes repeatedly after its first health check."""
    crash = functools.partial(shop.cluster.behave, BAD, crash_loop=True)
    shop.cluster.after("GET", "/pods/client-.*/proxy/", crash)
    shop.sample.change("server")
    shop.sample.change("client", digest=BAD)
    if emptied:
        shop.sample.empty(emptied)
    run = shop.push(run=2)
    shop.sample.git("checkout", "--quiet", "--", ".github")
    assert {"deployments/server", "deployments/client"} <= {*_applied(shop.cluster.requests)}
    return run


def _assert_on_last_known_good(shop: Shop, first: First) -> None:
    images = shop.cluster.images("shop")
    assert images == first.images, "not on the images of the last known good release"
    good = set(first.images.values())
    shop.cluster.wait(lambda: {*shop.cluster.running("shop").values()} == good)
    assert (shop.record["state"], shop.record["release"]) == ("good", 1)
    assert shop.record["in_flight"] is None


def _watch(shop: Shop, finished: int) -> Run:
    payload = {"action": "completed", "workflow_run": {"id": finished}}
    return shop.start("workflow_run", "watchdog.yml", payload, run=finished + 1)


def _applied(writes: list[dict[str, Any]]) -> list[str]:
    """The workloads that were applied, dry runs excluded, in order."""
    pattern = r"/((?:deployments|statefulsets)/[a-z]+)$"
    paths = [w["path"] for w in writes if w["verb"] == "PATCH" and not w["dry_run"]]
    return [match[1] for path in paths if (match := re.search(pattern, path))]


def _facts(message: str) -> dict[str, Any]:
    """The JSON in the last line of a tag's message."""
    facts: dict[str, Any] = json.loads(message.strip().rpartition("\n")[2])
    return facts


def _client(shop: Shop) -> str:
    return shop.cluster.images("shop")["client"]


def _pods(shop: Shop, service: str) -> list[str]:
    return [name for name in shop.cluster.running("shop") if name.startswith(service)]
