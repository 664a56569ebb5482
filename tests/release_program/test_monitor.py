"""Failing releases, from the first bad sign to the last known good release."""

from __future__ import annotations

import functools
import time

from tests.release_program.conftest import APP, Release


def deploy_bad_client(shop: Release) -> None:
    """Releases a client and a server up to the monitor; all pods are ready when it starts.

    The client is applied last: everything else of the release is applied and ready before it.
    """
    done = shop.release("deploy", APP, client="bad", server="s2")
    assert done["deploy"].code == 0, done["deploy"].log
    shop.cluster.wait(lambda: shop.cluster.rolled_out("shop"), 60)


def assert_rolled_back(shop: Release, before: dict[str, str]) -> None:
    """Runs the rollback job, which restores `before`, the images of release 1."""
    done = shop.run("rollback")
    assert done.values == {"restored": "all", "cause": "app"}, done.log
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
    assert done.values == {"verified": "false", "cause": "app"}
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
    assert done.values == {"verified": "false", "cause": "app"}
    assert "client: a container was restarted within the bake time" in done.log
    assert_rolled_back(shop, before)


def test_what_only_the_bad_release_added_is_gone_after_the_rollback(shop: Release) -> None:
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


def test_a_bad_dependency_stops_the_deploy_and_blames_the_application(shop: Release) -> None:
    before = shop.cluster.images("shop")
    told = "connecting as shop:placeholder-of-the-test, refused"  # the password is the Secret's
    shop.cluster.behave(shop.images(server="bad")["server"], never_ready=True, logs=told)
    done = shop.release(services=APP, client="c2", server="bad")
    assert done["deploy"].code == 1
    assert "connecting as shop:***, refused" in done["deploy"].log
    assert "placeholder-of-the-test" not in done["deploy"].log
    assert "no progress within its deadline" in done["deploy"].log
    assert "diagnostics of server" in done["deploy"].log
    assert done["rollback"].values == {"restored": "all", "cause": "app"}
    assert shop.cluster.images("shop") == before


def test_what_somebody_else_deploys_meanwhile_is_not_taken_for_the_release(
    flying: Release,
) -> None:
    container = {"name": "client", "image": "somebody:else"}
    spec = {"spec": {"template": {"spec": {"containers": [container]}}}}
    flying.cluster.patch("Deployment", "client", "shop", spec)
    done = flying.run("monitor")
    assert done.code == 1
    assert "image somebody:else: somebody changed it" in done.log


def test_an_api_server_that_does_not_answer_in_time_is_no_fault_of_the_application(
    flying: Release,
) -> None:
    flying.cluster.fault("GET", "/pods[?]", 503, times=-1)
    for service in flying.description["services"].values():
        service["timeout_seconds"] = 1
    done = flying.run("monitor")
    assert done.code == 1
    assert done.values == {"verified": "false", "cause": "infra"}
    assert flying.record["in_flight"]["cause"] == "infra"


def test_re_running_the_failed_jobs_after_a_rollback_does_nothing_and_says_what_to_do(
    flying: Release,
) -> None:
    assert flying.run("rollback").values == {"restored": "all", "cause": "infra"}
    live, writes = flying.cluster.images("shop"), len(flying.writes)
    for command in ("migrate", "deploy", "monitor"):
        done = flying.run(command)
        assert done.code == 1
        assert "Re-run all jobs, not only failed jobs" in done.log
    assert flying.run("rollback").values == {"restored": "nothing"}
    assert len(flying.writes) == writes
    assert flying.cluster.images("shop") == live


def test_a_release_that_is_being_undone_is_never_made_good(flying: Release) -> None:
    flying.change_record(state="rolling-back")
    done = flying.run("monitor")
    assert done.code == 1
    assert "being rolled back" in done.log
    assert flying.record["release"] == 1


def test_the_deadline_runs_from_the_apply_and_not_from_when_a_runner_was_found(
    flying: Release,
) -> None:
    flying.cluster.behave(flying.images(client="c2")["client"], http={"/healthz": 503})
    flight = flying.record["in_flight"]
    applied = dict.fromkeys(flight["applied"], time.time() - 300)
    flying.change_record(in_flight={**flight, "applied": applied})
    flying.description["services"]["client"]["timeout_seconds"] = 280
    done = flying.run("monitor")  # of which a test waits for 90 s
    assert "client: not ready after 280 s: " in done.log
    assert done.values["cause"] == "app"
