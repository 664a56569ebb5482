"""Failing releases, from the first bad sign to the last known good release."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable

import pytest

from tests.release_program.conftest import APP, Release, describe
from wfgen.release_program.cluster.pods import ServiceStatus
from wfgen.release_program.commands.monitor import MonitoredService
from wfgen.release_program.contract import Description, from_json


def deploy_bad_client(shop: Release) -> None:
    """Releases a client and a server up to the deploy, and waits until all pods are ready.

    The client is applied last, when the rest of the release is ready.
    """
    done = shop.release("deploy", APP, client="bad", server="s2")
    assert done["deploy"].code == 0, done["deploy"].log
    shop.cluster.wait(lambda: shop.cluster.rolled_out("shop"), 60)


def assert_rolled_back(shop: Release, before: dict[str, str]) -> None:
    """Runs the rollback job, which restores `before`, the images of release 1."""
    done = shop.run("rollback")
    assert done.has(restored="all", cause="app"), done.log
    assert done.code == 0
    assert "rolled back to release 1" in done.summary
    assert shop.cluster.images("shop") == before
    record = shop.record
    assert (record["state"], record["release"], record["in_flight"]) == ("good", 1, None)
    assert record["failed"][0]["sha"] == shop.sha


def test_a_health_check_that_fails_rolls_back_every_service(shop: Release) -> None:
    before = shop.cluster.images("shop")
    shop.cluster.behave(shop.images(client="bad")["client"], http={"/healthz": 503})
    deploy_bad_client(shop)
    patience = shop.description["services"]["client"]["timeout_seconds"]
    shop.description["services"]["client"]["timeout_seconds"] = 1
    done = shop.run("monitor")
    assert done.has(verified="false", cause="app")
    assert "not ready after 1 s" in done.log
    assert "http 8080/healthz" in done.log
    shop.description["services"]["client"]["timeout_seconds"] = patience
    assert_rolled_back(shop, before)


def test_a_crash_within_the_bake_time_rolls_back_every_service(shop: Release) -> None:
    before, bad = shop.cluster.images("shop"), shop.images(client="bad")["client"]
    deploy_bad_client(shop)
    shop.description["services"]["client"]["bake_seconds"] = 600  # the crash ends it
    crash = functools.partial(shop.cluster.behave, bad, crash_loop=True, crashes=1)
    shop.cluster.after("GET", "/pods/client-.*/proxy/healthz", crash)  # the bake time begins
    done = shop.run("monitor")
    assert done.has(verified="false", cause="app")
    assert "client: a container was restarted within the bake time" in done.log
    assert_rolled_back(shop, before)


def test_the_rollback_deletes_what_only_the_bad_release_added(shop: Release) -> None:
    before = shop.cluster.find("Deployment", "client", "shop")
    path = "kube/bases/client/deployment.yaml"
    sidecar = "        - name: sidecar\n          image: busybox:1.37.0\n"
    shop.commit(path, "      containers:\n", f"      containers:\n{sidecar}")
    image = "          image: client"
    shop.commit(path, image, f"          env: [{{name: NEW, value: x}}]\n{image}")
    account = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: new\n"
    (shop.checkout / "kube/bases/client/account.yaml").write_text(account, "utf-8")
    resources = "  - deployment.yaml\n"
    shop.commit("kube/bases/client/kustomization.yaml", resources, f"{resources}  - account.yaml\n")
    shop.cluster.behave(shop.images(client="bad")["client"], crash_loop=True)
    done = shop.release(services=APP, client="bad", server="s1")
    assert "restarted" in done["monitor"].log
    diagnostics = ("Back-off restarting failed container", "[pod/client-", "sidecar")
    assert all(text in done["monitor"].log for text in diagnostics), done["monitor"].log
    assert done["rollback"].values["restored"] == "all", done
    after = shop.cluster.find("Deployment", "client", "shop")
    assert before is not None
    assert after is not None
    assert after["spec"] == before["spec"]
    assert "new" not in shop.cluster.names("ServiceAccount", "shop")


def test_a_bad_dependency_stops_the_deploy_with_the_application_as_cause(shop: Release) -> None:
    before = shop.cluster.images("shop")
    text = "connecting as shop:placeholder-of-the-test, refused"  # the password is the Secret's
    shop.cluster.behave(shop.images(server="bad")["server"], never_ready=True, logs=text)
    done = shop.release(services=APP, client="c2", server="bad")
    assert done["deploy"].code == 1
    assert "connecting as shop:***, refused" in done["deploy"].log
    assert "placeholder-of-the-test" not in done["deploy"].log
    assert "no progress within its deadline" in done["deploy"].log
    assert "diagnostics of server" in done["deploy"].log
    assert done["rollback"].has(restored="all", cause="app")
    assert shop.cluster.images("shop") == before


def test_what_another_client_deploys_meanwhile_does_not_count_as_the_release(
    in_flight: Release,
) -> None:
    container = {"name": "client", "image": "somebody:else"}
    spec = {"spec": {"template": {"spec": {"containers": [container]}}}}
    in_flight.cluster.patch("Deployment", "client", "shop", spec)
    done = in_flight.run("monitor")
    assert done.code == 1
    assert "image somebody:else: somebody changed it" in done.log


def test_an_api_server_that_does_not_answer_in_time_is_a_failure_of_the_infrastructure(
    in_flight: Release,
) -> None:
    in_flight.cluster.fault("GET", "/pods[?]", 503, times=-1)
    for service in in_flight.description["services"].values():
        service["timeout_seconds"] = 1
    done = in_flight.run("monitor")
    assert done.code == 1
    assert done.has(verified="false", cause="infra")
    assert in_flight.record["in_flight"]["cause"] == "infra"


def test_re_running_failed_jobs_after_a_rollback_does_nothing_and_prints_what_to_do(
    in_flight: Release,
) -> None:
    assert in_flight.run("rollback").has(restored="all", cause="infra")
    live, writes = in_flight.cluster.images("shop"), len(in_flight.writes)
    for command in ("migrate", "deploy", "monitor"):
        done = in_flight.run(command)
        assert done.code == 1
        assert "Re-run all jobs, not only failed jobs" in done.log
    assert in_flight.run("rollback").has(restored="nothing", cause="none", release="0")
    assert len(in_flight.writes) == writes
    assert in_flight.cluster.images("shop") == live


def test_a_release_that_is_rolled_back_meanwhile_is_never_verified(in_flight: Release) -> None:
    in_flight.change_record(state="rolling-back")
    done = in_flight.run("monitor")
    assert done.code == 1
    assert "being rolled back" in done.log
    assert in_flight.record["release"] == 1


def test_the_timeout_starts_with_the_apply_and_not_with_the_monitor(
    in_flight: Release,
) -> None:
    in_flight.cluster.behave(in_flight.images(client="c2")["client"], http={"/healthz": 503})
    flight = in_flight.record["in_flight"]
    applied = dict.fromkeys(flight["applied"], time.time() - 300)
    in_flight.change_record(in_flight={**flight, "applied": applied})
    in_flight.description["services"]["client"]["timeout_seconds"] = 280
    done = in_flight.run("monitor")  # with a timeout from its own start, it would not end here
    assert "client: not ready after 280 s: " in done.log
    assert done.values["cause"] == "app"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the program's time, in seconds since the epoch."""
    now = [0.0]
    monkeypatch.setattr("wfgen.release_program.commands.monitor.time.time", lambda: now[0])
    return lambda seconds: now.__setitem__(0, seconds)


def test_a_look_that_takes_long_does_not_count_as_bake_time(
    clock: Callable[[float], None],
) -> None:
    """What an API server that stalls shows may be from any moment of the look."""
    described = describe("production")
    described["services"]["redis"].update(health=None, bake_seconds=60.0)
    description = from_json(Description, described)
    monitored = MonitoredService(description.services["redis"], 0.0, 0.0)

    def look(begins: float, ends: float) -> bool:
        clock(ends)
        monitored.watch.judge(ServiceStatus())
        monitored.decide(description, begins)
        return monitored.good

    assert not look(0, 100)  # ready, but possibly only just before the answer
    assert monitored.ready_at == 100
    assert not look(101, 170)  # what was seen may be of second 101
    assert not look(159, 159)
    assert look(160, 161)


def test_only_the_attempt_that_deployed_verifies(in_flight: Release) -> None:
    in_flight.attempt = 2
    done = in_flight.run("monitor")
    assert (done.code, done.values["verified"]) == (1, "false")
    assert "an earlier attempt of this run: this attempt can only roll it back" in done.log
    assert in_flight.record["release"] == 1
    rolled_back = in_flight.run("rollback")
    assert rolled_back.has(restored="all", release="2", sha=in_flight.sha), rolled_back.log
    assert json.loads(rolled_back.values["images"]) == in_flight.images(client="c2", server="s2")
    assert rolled_back.values["lkg_sha"] == in_flight.record["releases"][0]["sha"]


def test_a_release_that_was_not_fully_deployed_is_never_verified(shop: Release) -> None:
    done = shop.release("migrate", APP, client="c2", server="s2")
    assert done["migrate"].code == 0
    monitored = shop.run("monitor")
    assert (monitored.code, monitored.values["verified"]) == (1, "false")
    assert "release 2 was not fully deployed" in monitored.log
    assert shop.record["release"] == 1


def test_the_rollback_after_the_commit_point_repeats_the_facts_of_the_release(
    in_flight: Release,
) -> None:
    before = in_flight.record["releases"][0]["sha"]
    verified = in_flight.run("monitor")
    assert verified.has(verified="true", release="2", lkg_sha=before), verified.log
    in_flight.attempt = 2
    done = in_flight.run("rollback")
    assert done.has(restored="verified", cause="none", release="2", lkg_sha=before), done.log
    assert json.loads(done.values["services"]) == ["client", "server"]
    assert done.values["images"] == verified.values["images"]
