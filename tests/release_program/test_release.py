"""What a good release does, and what it leaves unchanged."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.kube_api import FakeCluster
from tests.release_program.conftest import APP, RECORD, ROOT, Outputs, Release, Start

SECRET = "placeholder-of-the-test"


def test_a_good_release_is_the_last_known_good(
    shop: Release, released: tuple[Start, dict[str, Outputs]]
) -> None:
    done = released[1]
    assert done["monitor"].has(verified="true", cause="none"), done
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


def test_a_release_of_one_service_leaves_the_others_in_the_state_to_go_back_to(
    shop: Release,
) -> None:
    images = shop.cluster.images("shop")
    done = shop.release(services="client", client="c2")
    assert done["monitor"].values["verified"] == "true", done
    assert shop.cluster.images("shop") == {**images, **shop.images(client="c2")}
    stored = shop.manifests(2)
    assert {"Deployment/client", "Deployment/server", "StatefulSet/redis"} <= stored.keys()
    record = shop.record
    assert [record["services"][name]["release"] for name in ("client", "server")] == [2, 1]


def test_what_was_live_before_the_first_release_stays_in_the_state_to_go_back_to(
    shop: Release,
) -> None:
    for name in [n for n in shop.cluster.names("ConfigMap", "shop") if n.startswith("wfgen")]:
        shop.cluster.delete("ConfigMap", name, "shop")
    assert shop.release(services="client", client="c2")["monitor"].code == 0
    for release in (0, 1):
        assert {"Deployment/client", "Deployment/server"} <= shop.manifests(release).keys()


def test_autoscaled_replicas_are_left_unchanged(shop: Release) -> None:
    scaler = {"spec": {"minReplicas": 4}}
    shop.cluster.patch("HorizontalPodAutoscaler", "server", "shop", scaler)
    assert shop.release("deploy", "server", server="s2")["deploy"].code == 0
    server = shop.cluster.find("Deployment", "server", "shop")
    assert server is not None
    assert server["spec"]["replicas"] == 4


def test_no_record_and_no_log_contains_secrets(
    shop: Release, released: tuple[Start, dict[str, Outputs]]
) -> None:
    texts = [result.log + result.summary for result in released[1].values()]
    texts += [json.dumps(obj) for obj in shop.cluster.objects("ConfigMap", "shop")]
    texts.append(json.dumps(shop.manifests(1)))
    assert any("Secret/server-secrets" in text for text in texts)
    for text in texts:
        assert SECRET not in text
        assert base64.b64encode(SECRET.encode()).decode() not in text


def test_a_missing_secret_stops_the_release_before_anything_is_applied(
    first: Release,
) -> None:
    first.environment["SECRET_POSTGRES_PASSWORD"] = ""
    done = first.release(client="c1", server="s1")
    assert "GitHub environment production: POSTGRES_PASSWORD" in done["preflight"].log
    assert first.cluster.images("shop") == {}
    assert done["rollback"].values["restored"] == "nothing"


def test_an_api_server_that_fails_sometimes_does_not_fail_the_release(shop: Release) -> None:
    shop.cluster.fault("GET", "/pods[?]", 500, times=3)
    shop.cluster.fault("PATCH", "/deployments/server[?](?!.*dryRun)", 429)
    shop.cluster.fault("PUT", RECORD, 503)
    shop.cluster.fault("PUT", RECORD, 504, after=True)  # it takes effect, and the answer is lost
    shop.cluster.fault("PATCH", "/deployments/client[?]", reset=True)
    done = shop.release(services=APP, client="c2", server="s2")
    assert done["monitor"].values["verified"] == "true", done
    assert not [fault for fault in shop.cluster.api.faults.due if fault.times]


def test_going_back_restores_a_recorded_release_and_holds_the_environment(
    in_flight: Release,
) -> None:
    assert in_flight.run("monitor").code == 0
    in_flight.plan["go_back"] = "1"
    done = in_flight.release(services=APP)
    assert done["monitor"].values["verified"] == "true", done
    live = in_flight.cluster.images("shop")
    assert in_flight.images(client="c1", server="s1").items() <= live.items()
    record = in_flight.record
    assert (record["state"], record["release"]) == ("held", 3)
    assert record["services"]["client"]["image"] == in_flight.images(client="c1")["client"]
    assert record["services"]["client"]["sha"] == record["releases"][0]["sha"]
    assert "Deployment/client" in in_flight.manifests(3)


def test_pruning_keeps_what_a_recorded_release_uses(shop: Release) -> None:
    old = {n for n in shop.cluster.names("ConfigMap", "shop") if n.startswith("server-config")}
    shop.commit("kube/bases/server/kustomization.yaml", "PORT=8000", "PORT=8000\n      - MORE=1")
    assert shop.release(services="server", server="s2")["monitor"].code == 0
    ours = {"app.kubernetes.io/managed-by": "wfgen"}
    for name, labels in (("left", ours), ("foreign", {})):
        metadata = {"name": name, "namespace": "shop", "labels": labels}
        shop.cluster.create({"kind": "ConfigMap", "metadata": metadata})
    claims = shop.cluster.names("PersistentVolumeClaim", "shop")
    done = shop.run("prune")
    assert done.code == 0, done.log
    names = set(shop.cluster.names("ConfigMap", "shop"))
    assert old < names
    assert "left" not in names
    assert "foreign" in names
    assert set(shop.cluster.names("Deployment", "shop")) == {"client", "server"}
    assert shop.cluster.names("PersistentVolumeClaim", "shop") == claims


def test_a_release_of_another_repository_deletes_nothing(shop: Release) -> None:
    path = "kube/overlays/production/kustomization.yaml"
    for line in (
        "  - ../../bases/server\n",
        "  - ../../bases/redis\n",
        "  - ../../bases/postgres\n",
        "  - ingress.yaml\n",
        "  - horizontalpodautoscaler.yaml\n",
    ):
        shop.commit(path, line, "")
    services = shop.description["services"]
    shop.description["services"] = {"client": {**services["client"], "depends_on": []}}
    shop.environment.update(GITHUB_REPOSITORY="acme/other", WFGEN_FORCE="true")
    kinds = ("Deployment", "StatefulSet", "Ingress", "Service", "ConfigMap")
    before = {(kind, n) for kind in kinds for n in shop.cluster.names(kind, "shop")}
    assert shop.release(client="c2")["monitor"].code == 0
    assert shop.run("prune").code == 0
    assert before <= {(kind, n) for kind in kinds for n in shop.cluster.names(kind, "shop")}
    assert {"Deployment/server", "Ingress/shop"} <= shop.manifests(2).keys()


def test_nothing_is_pruned_while_a_release_is_in_flight(in_flight: Release) -> None:
    writes = len(in_flight.writes)
    assert in_flight.run("prune").code == 0
    assert len(in_flight.writes) == writes


def test_the_program_runs_from_any_folder_and_has_help_for_each_command(
    tmp_path: Path, cluster: FakeCluster
) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(ROOT / "wfgen/release_program", copy)
    shown = subprocess.run(
        [sys.executable, str(copy), "monitor", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert "writes:\n  verified " in shown
