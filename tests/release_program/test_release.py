"""What the cluster is on, and what the record says, after each kind of ending."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.kube_api import FakeCluster
from tests.release_program.conftest import ROOT, Release


def test_a_good_release_is_the_last_known_good(shop: Release) -> None:
    done = shop.release(client="c1", server="s1")
    assert done["monitor"].values == {"verified": "true", "cause": ""}, done
    assert shop.images(client="c1", server="s1").items() <= shop.cluster.images("shop").items()
    record = shop.record
    assert (record["state"], record["release"], record["in_flight"]) == ("good", 1, None)
    assert record["services"]["server"]["image"] == shop.images(server="s1")["server"]
    assert "| server |" in done["monitor"].summary


def test_a_service_that_did_not_change_keeps_its_pods(shop: Release) -> None:
    before = {n for n in shop.cluster.names("Pod", "shop") if n.startswith(("client", "redis"))}
    done = shop.release(client="c1", server="s2")
    assert done["monitor"].values["verified"] == "true", done
    assert before <= set(shop.cluster.names("Pod", "shop"))
    assert len(before) == 3


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ({"pull_error": True}, "ErrImagePull"),
        ({"crash_loop": True}, "restarted"),
        ({"http": {"/healthz": 503}}, "http 8080/healthz"),
        ({"never_ready": True}, "no progress within its deadline|not ready after"),
        ({"crash_after": 0.9}, "restarted"),
    ],
    ids=["image-not-found", "crash-at-start", "health-address", "never-ready", "crash-in-bake"],
)
def test_a_failing_monitor_brings_every_service_back(
    shop: Release, behaviour: dict[str, Any], reason: str
) -> None:
    # The client comes last: everything else of the release is applied and well by then.
    before = shop.cluster.images("shop")
    shop.cluster.behave(shop.images(client="bad")["client"], **behaviour)
    shop.description["services"]["client"]["timeout_seconds"] = 4
    shop.description["services"]["client"]["bake_seconds"] = 2
    done = shop.release(client="bad", server="s2")
    assert done["deploy"].code == 0, done["deploy"].log
    assert done["monitor"].values == {"verified": "false", "cause": "app"}
    assert any(each in done["monitor"].log for each in reason.split("|")), done["monitor"].log
    assert done["rollback"].values == {"restored": "all", "cause": "app"}, done["rollback"].log
    assert shop.cluster.images("shop") == before
    record = shop.record
    assert (record["state"], record["release"]) == ("good", 1)
    assert record["failed"][0]["sha"] == shop.sha


def test_a_bad_dependency_stops_the_deploy_and_blames_the_application(shop: Release) -> None:
    before = shop.cluster.images("shop")
    shop.cluster.behave(shop.images(server="bad")["server"], pull_error=True)
    done = shop.release(client="c2", server="bad")
    assert done["deploy"].code == 1
    assert "diagnostics of server" in done["deploy"].log
    assert done["rollback"].values == {"restored": "all", "cause": "app"}
    assert shop.cluster.images("shop") == before


def test_what_only_the_bad_release_added_is_gone_after_the_rollback(shop: Release) -> None:
    before = shop.cluster.find("Deployment", "client", "shop")
    path = shop.checkout / "kube/bases/client/deployment.yaml"
    text = path.read_text("utf-8")
    at = text.index("      containers:\n") + len("      containers:\n")
    sidecar = "        - name: sidecar\n          image: busybox:1.37.0\n"
    text = text[:at] + sidecar + text[at:]
    text = text.replace(
        "          image: client", "          env: [{name: NEW, value: x}]\n          image: client"
    )
    path.write_text(text, "utf-8")
    shop.commit()
    shop.cluster.behave(shop.images(client="bad")["client"], crash_loop=True)
    done = shop.release(client="bad", server="s1")
    assert done["rollback"].values["restored"] == "all", done
    after = shop.cluster.find("Deployment", "client", "shop")
    assert before is not None
    assert after is not None
    assert after["spec"] == before["spec"]


def test_an_apply_that_fails_midway_is_undone_for_all(shop: Release) -> None:
    before = shop.cluster.images("shop")
    shop.cluster.fault("PATCH", "/deployments/client.*dryRun", 403)
    assert shop.release(client="c2", server="s2")["deploy"].code == 1
    assert shop.cluster.images("shop") == before
    shop.release("preflight", client="c2", server="s2")
    shop.cluster.fault("PATCH", "/deployments/client[?](?!.*dryRun)", 403)
    done = {name: shop.run(name) for name in ("migrate", "deploy", "rollback")}
    assert done["deploy"].code == 1, done["deploy"].log
    assert shop.record["state"] == "good"
    assert done["rollback"].values["restored"] == "all", done["rollback"].log
    assert shop.cluster.images("shop") == before


def test_manifests_that_the_server_refuses_touch_nothing(shop: Release) -> None:
    path = shop.checkout / "kube/bases/client/deployment.yaml"
    text = path.read_text("utf-8").replace(
        "metadata:\n  name: client",
        "metadata:\n  annotations: {test.wfgen/reject: no}\n  name: client",
        1,
    )
    path.write_text(text, "utf-8")
    shop.commit()
    shop.release("migrate", client="c2", server="s2")
    before = len(shop.writes)
    assert shop.run("deploy").code == 1
    written = [w for w in shop.writes[before:] if "wfgen-release" not in w]
    assert written == []
    assert shop.run("rollback").values["restored"] == "nothing"
    assert shop.record["state"] == "good"


def test_rollback_twice_is_the_same_as_once_and_nothing_after_the_commit_point(
    shop: Release,
) -> None:
    live = shop.cluster.images("shop")
    assert shop.run("rollback").values["restored"] == "nothing"
    assert shop.cluster.images("shop") == live
    shop.release("deploy", client="c2", server="s2")
    assert shop.run("rollback").values["restored"] == "all"
    writes = len(shop.writes)
    assert shop.run("rollback").values["restored"] == "nothing"
    assert len(shop.writes) == writes
    assert shop.cluster.images("shop") == live


def test_only_the_owner_rolls_back_and_only_the_owner_may_be_monitored(shop: Release) -> None:
    shop.release("deploy", client="c2", server="s2")
    live = shop.cluster.images("shop")
    assert shop.run("rollback", GITHUB_RUN_ID="999").values["restored"] == "nothing"
    assert shop.run("monitor", GITHUB_RUN_ID="999").code == 1
    assert shop.cluster.images("shop") == live
    assert shop.record["state"] == "in-flight"


def test_a_second_run_is_refused_while_the_first_is_in_flight(shop: Release) -> None:
    shop.release("preflight", client="c2", server="s2")
    done = shop.release(client="c3", server="s3")
    assert done["preflight"].code == 1
    assert done["preflight"].values["proceed"] == "false"
    assert "rollback" not in done


def test_a_dead_run_is_undone_by_the_watchdog_or_by_the_next_preflight(shop: Release) -> None:
    good = shop.cluster.images("shop")
    shop.release("deploy", client="c2", server="s2")
    dead = shop.run_id
    assert shop.run("watchdog", GITHUB_RUN_ID="500").code == 0  # the lease still runs
    assert shop.cluster.images("shop") != good
    done = shop.run("watchdog", GITHUB_RUN_ID="500", WFGEN_FINISHED_RUN=str(dead))
    assert done.code == 1
    assert shop.cluster.images("shop") == good
    shop.environment["WFGEN_LEASE_SECONDS"] = "-1"
    shop.release("deploy", client="c2", server="s2")
    del shop.environment["WFGEN_LEASE_SECONDS"]
    done = shop.release("preflight", client="c3", server="s3")["preflight"]
    assert done.values["proceed"] == "true", done.log
    assert shop.cluster.images("shop") == good


def test_a_commit_that_does_not_contain_what_is_live_is_stale_unless_forced(shop: Release) -> None:
    old = shop.sha
    shop.commit()
    shop.release(client="c2", server="s2")
    shop.sha = old
    done = shop.release(client="c1", server="s1")
    assert done["preflight"].values["stale"] == "true"
    assert done["preflight"].code == 0
    assert "rollback" not in done
    shop.environment["WFGEN_FORCE"] = "true"
    assert shop.release(client="c1", server="s1")["monitor"].values["verified"] == "true"


def test_a_commit_made_before_the_failure_that_it_contains_is_stale(shop: Release) -> None:
    shop.commit()
    shop.cluster.behave(shop.images(client="bad")["client"], crash_loop=True)
    bad = shop.sha
    waiting = shop.commit()
    shop.sha = bad
    shop.release(client="bad", server="s1")
    shop.sha = waiting
    done = shop.release(client="c3", server="s1")
    assert done["preflight"].values["stale"] == "true", done["preflight"].log


def test_a_first_release_that_fails_deletes_only_what_it_made_and_no_state(shop: Release) -> None:
    stranger = {"kind": "ConfigMap", "metadata": {"name": "stranger", "namespace": "shop"}}
    shop.cluster.create(stranger)
    shop.cluster.behave(shop.images(client="bad")["client"], crash_loop=True)
    done = shop.release(client="bad", server="s1")
    assert done["rollback"].values["restored"].startswith("except: postgres, redis"), done
    assert shop.cluster.names("Deployment", "shop") == []
    assert shop.cluster.names("StatefulSet", "shop") == ["postgres", "redis"]
    assert "stranger" in shop.cluster.names("ConfigMap", "shop")


def test_what_is_live_before_the_first_release_is_release_0(shop: Release) -> None:
    for name in [n for n in shop.cluster.names("ConfigMap", "shop") if n.startswith("wfgen")]:
        shop.cluster.delete("ConfigMap", name, "shop")
    live = shop.cluster.images("shop")
    shop.cluster.behave(shop.images(client="bad")["client"], crash_loop=True)
    done = shop.release(client="bad", server="s2")
    assert done["rollback"].values["restored"] == "all", done["rollback"].log
    assert shop.cluster.images("shop") == live
    assert shop.record["release"] == 0


def test_a_database_that_fails_is_named_and_left_alone(shop: Release) -> None:
    path = shop.checkout / "kube/bases/redis/statefulset.yaml"
    path.write_text(path.read_text("utf-8").replace("redis:7.4.1", "redis:7.4.2"), "utf-8")
    shop.commit()
    shop.cluster.behave("redis:7.4.2", never_ready=True)
    shop.description["services"]["redis"]["timeout_seconds"] = 1
    done = shop.release(client="c2", server="s2")
    assert done["rollback"].values["restored"] == "except: redis", done["rollback"].log
    live = shop.cluster.images("shop")
    assert live["redis"] == "redis:7.4.2"
    assert shop.images(client="c1", server="s1").items() <= live.items()


def test_a_stateful_set_that_may_be_rolled_back_loses_its_stuck_pod(shop: Release) -> None:
    shop.description["services"]["redis"]["rollback"] = "auto"
    path = shop.checkout / "kube/bases/redis/statefulset.yaml"
    path.write_text(path.read_text("utf-8").replace("redis:7.4.1", "redis:7.4.2"), "utf-8")
    shop.commit()
    shop.cluster.behave("redis:7.4.2", pull_error=True)
    done = shop.release(client="c2", server="s2")
    assert done["rollback"].values["restored"] == "all", done["rollback"].log
    assert "stuck on the bad revision" in done["rollback"].log
    pod = shop.cluster.find("Pod", "redis-0", "shop")
    assert pod is not None
    assert pod["spec"]["containers"][0]["image"] == "redis:7.4.1"


def test_a_failing_migration_leaves_everything_and_the_schema(shop: Release) -> None:
    before = shop.cluster.images("shop")
    shop.cluster.behave(shop.images(server="bad")["server"], job_fails=True)
    done = shop.release(client="c2", server="bad")
    assert done["migrate"].code == 1
    assert done["rollback"].values["restored"] == "nothing"
    assert shop.cluster.images("shop") == before
    assert shop.record["state"] == "good"


def test_a_contracting_migration_switches_the_rollback_off_and_says_so(shop: Release) -> None:
    shop.description["services"]["server"]["migrate"]["contracting"] = True
    shop.cluster.behave(shop.images(client="bad")["client"], crash_loop=True)
    done = shop.release(client="bad", server="s2")
    assert done["rollback"].code == 1
    assert done["rollback"].values["restored"] == "failed"
    assert shop.record["state"] == "rollback-failed"
    assert shop.release(client="c3", server="s3")["preflight"].code == 1


def test_autoscaled_replicas_are_left_to_the_autoscaler(shop: Release) -> None:
    scaler = {"spec": {"minReplicas": 4}}
    shop.cluster.patch("HorizontalPodAutoscaler", "server", "shop", scaler)
    shop.release(client="c2", server="s2")
    found = shop.cluster.find("Deployment", "server", "shop")
    assert found is not None
    assert found["spec"]["replicas"] == 4


def test_secrets_stand_in_no_record_and_in_no_log(shop: Release) -> None:
    done = shop.release(client="c1", server="s1")
    logs = "".join(each.log + each.summary for each in done.values())
    assert "placeholder-of-the-test" not in logs
    secret = base64.b64encode(b"placeholder-of-the-test").decode()
    for name in [n for n in shop.cluster.names("ConfigMap", "shop") if n.startswith("wfgen")]:
        found = shop.cluster.find("ConfigMap", name, "shop")
        assert found is not None
        text = json.dumps(found)
        if "manifests" in found["data"]:
            text += gzip.decompress(base64.b64decode(found["data"]["manifests"])).decode()
        assert "placeholder-of-the-test" not in text
        assert secret not in text


def test_a_secret_that_is_missing_stops_the_release_before_anything_is_applied(
    shop: Release,
) -> None:
    shop.environment["SECRET_POSTGRES_PASSWORD"] = ""
    done = shop.release(client="c1", server="s1")
    assert "POSTGRES_PASSWORD_PRODUCTION" in done["migrate"].log
    assert shop.cluster.images("shop") == {}


def test_an_api_server_that_fails_now_and_then_does_not_fail_the_release(shop: Release) -> None:
    shop.cluster.fault("GET", "/pods$", 500, times=3)
    shop.cluster.fault("PATCH", "/deployments/server$", 429, times=1)
    done = shop.release(client="c1", server="s1")
    assert done["monitor"].values["verified"] == "true", done


def test_going_back_restores_a_recorded_release_and_holds_the_environment(shop: Release) -> None:
    first = shop.cluster.images("shop")
    shop.release(client="c2", server="s2")
    shop.environment["WFGEN_GO_BACK"] = "1"
    assert shop.release(client="c1", server="s1")["monitor"].values["verified"] == "true"
    del shop.environment["WFGEN_GO_BACK"]
    assert shop.cluster.images("shop") == first
    assert shop.record["state"] == "held"
    assert shop.release(client="c3", server="s3")["preflight"].code == 1
    shop.environment["WFGEN_FORCE"] = "true"
    assert shop.release(client="c3", server="s3")["monitor"].values["verified"] == "true"


def test_pruning_keeps_what_a_recorded_release_uses(shop: Release) -> None:
    path = shop.checkout / "kube/bases/server/kustomization.yaml"
    path.write_text(
        path.read_text("utf-8").replace("PORT=8000", "PORT=8000\n      - MORE=1"), "utf-8"
    )
    shop.commit()
    old = {n for n in shop.cluster.names("ConfigMap", "shop") if n.startswith("server-config")}
    shop.release(client="c1", server="s2")
    unused = {"app.kubernetes.io/managed-by": "wfgen"}
    shop.cluster.create(
        {"kind": "ConfigMap", "metadata": {"name": "left", "namespace": "shop", "labels": unused}}
    )
    done = shop.run("prune")
    assert done.code == 0, done.log
    names = set(shop.cluster.names("ConfigMap", "shop"))
    assert old < names
    assert "left" not in names
    assert set(shop.cluster.names("Deployment", "shop")) == {"client", "server"}


def test_a_preview_is_made_found_and_torn_down_by_its_labels(shop: Release) -> None:
    path = ROOT / ".github/actions/release/staging.json"
    shop.description = json.loads(path.read_text("utf-8"))
    shop.cluster.namespace("shop-pr-9")
    shop.environment["WFGEN_NUMBER"] = "7"
    assert shop.run("namespace").code == 0
    found = json.loads(shop.run("previews").values["namespaces"])
    assert [each["number"] for each in found] == ["7"]
    assert shop.run("teardown", WFGEN_NUMBER="9").code == 1  # somebody else's
    assert shop.run("teardown").code == 0
    assert "shop-pr-9" in shop.cluster.names("Namespace", "")
    assert "shop-pr-7" not in shop.cluster.names("Namespace", "")


def test_a_failed_preview_stays_up_and_its_address_is_its_own(shop: Release) -> None:
    path = ROOT / ".github/actions/release/staging.json"
    shop.description = json.loads(path.read_text("utf-8"))
    for service in shop.description["services"].values():
        service.update(timeout_seconds=4, bake_seconds=0)
    shop.environment["WFGEN_NUMBER"] = "7"
    shop.run("namespace")
    shop.cluster.behave(shop.images(client="bad")["client"], crash_loop=True)
    done = shop.release(client="bad", server="s1")
    assert done["monitor"].code == 1
    assert done["rollback"].values["restored"] == "nothing"
    assert shop.images(client="bad").items() <= shop.cluster.images("shop-pr-7").items()
    ingress = shop.cluster.find("Ingress", "shop", "shop-pr-7")
    assert ingress is not None
    assert ingress["spec"]["rules"][0]["host"] == "pr-7.preview.example.com"


def test_the_program_runs_as_a_folder_of_any_name_and_explains_each_command(
    tmp_path: Path, cluster: FakeCluster
) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(ROOT / "wfgen/release_program", copy)
    shown = subprocess.run(
        [sys.executable, str(copy), "monitor", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert "Writes: verified, cause" in shown
