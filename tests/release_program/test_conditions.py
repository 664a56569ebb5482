"""Conditions for starting a release, and services that are left out of it."""

from __future__ import annotations

import functools

import pytest

from tests.release_program.conftest import APP, Release
from tests.release_program.test_preflight import refused

REDIS = "kube/bases/redis/statefulset.yaml"


def test_manifests_that_kustomize_rejects_start_no_release(shop: Release) -> None:
    shop.commit("kube/bases/client/kustomization.yaml", "deployment.yaml", "gone.yaml")
    writes = len(shop.writes)
    done = shop.begin("client")
    assert refused(done), done
    assert "gone.yaml" in done.log
    assert "run.go" not in done.log
    assert len(shop.writes) == writes


def test_what_a_release_depends_on_must_be_live_or_part_of_it(first: Release) -> None:
    first.build(client="c3", server="s3")
    done = first.begin("client")
    assert refused(done), done
    assert "StatefulSet postgres, which this release depends on, is neither live" in done.log
    assert first.begin().values["proceed"] == "true"


def test_another_major_version_of_a_database_needs_permission_and_a_backup(shop: Release) -> None:
    shop.commit(REDIS, "redis:7.4.1", "redis:8.0.0")
    redis = shop.description["services"]["redis"]
    done = shop.begin("redis")
    assert refused(done), done
    assert "redis would go from redis:7.4.1 to redis:8.0.0" in done.log
    redis["allow_major"] = 8
    assert refused(shop.begin("redis"))
    redis["migrate"] = {"command": ["backup"], "timeout_seconds": 600, "contracting": False}
    assert shop.begin("redis").values["proceed"] == "true"
    assert shop.run("migrate").code == 0
    job = shop.cluster.find("Job", "redis-migrate-2", "shop")
    assert job is not None
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert (container["image"], container["command"]) == ("redis:8.0.0", ["backup"])
    # The claim has the data, and a Job mounts no claim.
    assert [m["name"] for m in container["volumeMounts"]] == ["config"]


def test_a_backup_that_fails_leaves_the_database_unchanged(shop: Release) -> None:
    shop.commit(REDIS, "redis:7.4.1", "redis:8.0.0")
    command = {"command": ["backup"], "timeout_seconds": 600, "contracting": False}
    shop.description["services"]["redis"].update(allow_major=8, migrate=command)
    shop.cluster.behave("redis:8", job_fails=True)
    done = shop.release(services="redis")
    assert done["migrate"].code == 1
    assert done["rollback"].values["restored"] == "nothing"
    assert shop.cluster.images("shop")["redis"] == "redis:7.4.1"


def test_a_minor_version_of_a_database_needs_no_permission(shop: Release) -> None:
    shop.commit(REDIS, "redis:7.4.1", "redis:7.4.2")
    assert shop.begin("redis").values["proceed"] == "true"


def test_a_database_whose_manifests_did_not_change_is_not_released(shop: Release) -> None:
    by_hand = {"spec": {"template": {"metadata": {"annotations": {"by": "hand"}}}}}
    shop.cluster.patch("StatefulSet", "redis", "shop", by_hand)
    shop.commit("kube/bases/postgres/statefulset.yaml", "postgres:17.2", "postgres:17.3")
    # Of all services, as far as paths show.
    shop.commit("kube/overlays/production/kustomization.yaml", "resources:", "# new\nresources:")
    done = shop.release("deploy", client="c1", server="s2")
    assert "redis: unchanged since release 1, skipped" in done["preflight"].log
    assert not [write for write in shop.writes if "/redis" in write]
    flight = shop.record["in_flight"]
    assert flight["services"] == ["postgres", "server", "client"]
    assert flight["progress"]["equal"] == ["redis"]
    assert shop.cluster.images("shop")["postgres"] == "postgres:17.3"


@pytest.mark.slow
def test_a_deleted_database_is_created_again(shop: Release) -> None:
    shop.cluster.delete("StatefulSet", "redis", "shop")
    shop.environment["WFGEN_FORCE"] = "true"
    assert shop.release("deploy", client="c1", server="s1")["deploy"].code == 0
    assert "redis" in shop.cluster.images("shop")


def test_going_back_is_refused_if_an_image_is_gone(in_flight: Release) -> None:
    assert in_flight.run("monitor").code == 0
    in_flight.cluster.behave(in_flight.images(server="s1")["server"], pull_error=True)
    in_flight.cluster.world.time_scale = 1  # no deadline of the Job ends before the pull is judged
    in_flight.plan["go_back"] = "1"
    done = in_flight.begin(APP)
    assert refused(done), done
    assert in_flight.record["in_flight"] is None
    assert "server-pull-3" not in in_flight.cluster.names("Job", "shop")
    assert "cannot go back to release 1" in done.log
    assert "ErrImagePull" in done.log
    in_flight.cluster.behave(in_flight.images(server="s1")["server"], job_fails=True)
    assert in_flight.begin(APP).values["proceed"] == "true"


@pytest.mark.slow
def test_grpc_health_needs_a_grpc_probe(shop: Release) -> None:
    shop.description["services"]["client"]["health"] = {"type": "grpc", "port": 9000}
    done = shop.begin("client", WFGEN_FORCE="true")
    assert refused(done), done
    assert "Deployment/client has no gRPC readinessProbe on port 9000" in done.log
    probe = "readinessProbe:\n            "
    by_http = f"{probe}httpGet:\n              path: /healthz\n              port: http"
    by_grpc = f"{probe}grpc: {{port: 9000}}"
    shop.commit("kube/bases/client/deployment.yaml", by_http, by_grpc)
    assert shop.release("deploy", "client", client="bad")["deploy"].code == 0
    shop.cluster.wait(lambda: shop.cluster.rolled_out("shop"), 60)
    shop.description["services"]["client"]["bake_seconds"] = 600  # the failing probe ends it
    bad = shop.images(client="bad")["client"]
    fail = functools.partial(shop.cluster.behave, bad, never_ready=True)
    shop.cluster.after("GET", "/pods[?]", fail)  # the bake time begins
    assert "within the bake time" in shop.run("monitor").log
    assert shop.run("rollback").has(restored="all", cause="app")
