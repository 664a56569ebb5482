"""What is live after a rollback, and what the record then has."""

from __future__ import annotations

from typing import Any

import pytest

from tests.release_program.conftest import APP, Release


def test_an_apply_that_fails_halfway_is_rolled_back_for_all_services(shop: Release) -> None:
    before = shop.cluster.images("shop")
    shop.cluster.fault("PATCH", "/deployments/client[?](?!.*dryRun)", 403)
    done = shop.release(services=APP, client="c2", server="s2")
    assert done["deploy"].code == 1, done["deploy"].log
    assert "forbidden" in done["deploy"].log
    assert done["rollback"].has(restored="all", cause="infra"), done["rollback"].log
    assert shop.cluster.images("shop") == before
    assert shop.record["state"] == "good"
    assert shop.record["failed"] == []


def test_a_second_rollback_changes_nothing(in_flight: Release) -> None:
    assert in_flight.run("rollback").values["restored"] == "all"
    writes, live = len(in_flight.writes), in_flight.cluster.images("shop")
    assert in_flight.images(client="c1", server="s1").items() <= live.items()
    done = in_flight.run("rollback")
    assert (done.code, done.values["restored"]) == (0, "nothing")
    assert len(in_flight.writes) == writes
    assert in_flight.cluster.images("shop") == live


def test_after_the_commit_point_nothing_is_rolled_back(shop: Release) -> None:
    writes = len(shop.writes)
    done = shop.run("rollback")
    assert (done.code, done.values["restored"]) == (0, "verified")
    assert len(shop.writes) == writes


def test_only_the_owner_monitors_and_rolls_back(in_flight: Release) -> None:
    live, writes = in_flight.cluster.images("shop"), len(in_flight.writes)
    done = in_flight.run("rollback", GITHUB_RUN_ID="999")
    assert (done.code, done.values["restored"]) == (1, "taken over")
    assert f"owned by acme/shop/{in_flight.run_id}/1" in done.log
    assert in_flight.run("monitor", GITHUB_RUN_ID="999").code == 1
    assert in_flight.cluster.images("shop") == live
    assert len(in_flight.writes) == writes
    assert in_flight.record["state"] == "in-flight"


def test_a_failed_rollback_is_reported_and_the_dispatched_watchdog_repeats_it(
    in_flight: Release,
) -> None:
    in_flight.cluster.fault("PATCH", "/deployments/server[?]", 403, times=-1)
    done = in_flight.run("rollback")
    assert (done.code, done.values["restored"]) == (1, "failed")
    assert "attempt 3 of 3" in done.log
    assert "The rollback failed" in done.summary
    assert in_flight.record["state"] == "rollback-failed"
    in_flight.ended(in_flight.run_id)
    refused = in_flight.preflight()
    assert (refused.code, refused.values["proceed"]) == (1, "false")
    assert "dispatch the watchdog" in refused.log
    writes = len(in_flight.writes)
    assert in_flight.run("restore", GITHUB_RUN_ID="500").code == 1
    assert len(in_flight.writes) == writes
    in_flight.cluster.api.faults.due.clear()
    in_flight.run("restore", GITHUB_RUN_ID="501", WFGEN_FORCE="true")
    assert (
        in_flight.images(client="c1", server="s1").items()
        <= in_flight.cluster.images("shop").items()
    )
    assert in_flight.record["state"] == "good"
    assert in_flight.preflight().values["proceed"] == "true"


def test_a_forced_release_after_a_failed_rollback_rolls_back_both_when_it_fails(
    in_flight: Release,
) -> None:
    in_flight.change_record(state="rollback-failed")
    in_flight.ended(in_flight.run_id)
    in_flight.environment["WFGEN_FORCE"] = "true"
    assert in_flight.preflight().values["proceed"] == "true"
    done = in_flight.run("rollback")
    assert done.values["restored"] == "all", done.log
    assert (
        in_flight.images(client="c1", server="s1").items()
        <= in_flight.cluster.images("shop").items()
    )
    assert in_flight.record["state"] == "good"


def test_an_api_server_that_does_not_answer_leaves_the_rollback_to_the_watchdog(
    in_flight: Release,
) -> None:
    in_flight.cluster.fault("PATCH", "/deployments/", 503, times=-1)
    in_flight.environment["WFGEN_RETRY_SECONDS"] = "0.01"
    done = in_flight.run("rollback")
    assert (done.code, done.values["restored"]) == (1, "failed")
    assert in_flight.record["state"] == "rolling-back"
    in_flight.cluster.api.faults.due.clear()
    in_flight.ended(in_flight.run_id)
    assert in_flight.run("restore", GITHUB_RUN_ID="500").code == 1
    assert (
        in_flight.images(client="c1", server="s1").items()
        <= in_flight.cluster.images("shop").items()
    )
    assert in_flight.record["state"] == "good"


@pytest.mark.slow
def test_a_first_release_that_fails_deletes_what_it_created_except_state(
    first: Release,
) -> None:
    stranger = {"kind": "ConfigMap", "metadata": {"name": "stranger", "namespace": "shop"}}
    first.cluster.create(stranger)
    first.cluster.behave(first.images(client="bad")["client"], crash_loop=True)
    done = first.release(client="bad", server="s1")
    assert done["rollback"].values["restored"] == "except: postgres, redis", done
    assert first.cluster.names("Deployment", "shop") == []
    assert first.cluster.names("StatefulSet", "shop") == ["postgres", "redis"]
    assert len(first.cluster.names("PersistentVolumeClaim", "shop")) == 2
    assert "stranger" in first.cluster.names("ConfigMap", "shop")


def test_what_is_live_before_the_first_release_is_release_0(shop: Release) -> None:
    for name in [n for n in shop.cluster.names("ConfigMap", "shop") if n.startswith("wfgen")]:
        shop.cluster.delete("ConfigMap", name, "shop")
    unlabeled = {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}
    for name in ("postgres", "redis"):
        for kind in ("StatefulSet", "Service"):
            shop.cluster.patch(kind, name, "shop", unlabeled)
    live = shop.cluster.images("shop")
    shop.cluster.behave(shop.images(client="bad")["client"], crash_loop=True)
    done = shop.release(client="bad", server="s2")
    # Only wfgen's label changed in the databases, so they are restored as well.
    assert done["rollback"].values["restored"] == "all", done["rollback"].log
    assert shop.cluster.images("shop") == live
    assert (shop.record["state"], shop.record["release"]) == ("good", 0)
    stored = shop.manifests(0)
    assert "replicas" not in stored["Deployment/server"]["spec"]
    assert stored["Deployment/client"]["spec"]["replicas"] == 2


def test_a_service_that_was_live_before_its_first_release_is_reported_as_not_restored(
    in_flight: Release,
) -> None:
    known = in_flight.manifests(1)
    objects = [obj for name, obj in known.items() if not name.endswith("/client")]
    in_flight.change_manifests(1, objects)
    done = in_flight.run("rollback")
    assert done.values["restored"] == "except: client", done.log
    assert (
        in_flight.images(client="c2", server="s1").items()
        <= in_flight.cluster.images("shop").items()
    )


def test_a_database_that_fails_is_reported_and_left_unchanged(shop: Release) -> None:
    shop.commit("kube/bases/redis/statefulset.yaml", "redis:7.4.1", "redis:7.4.2")
    shop.cluster.behave("redis:7.4.2", never_ready=True)
    shop.description["services"]["redis"]["timeout_seconds"] = 1
    done = shop.release(client="c2", server="s2")
    assert "not ready after 1 s" in done["deploy"].log
    assert (done["rollback"].code, done["rollback"].values["restored"]) == (0, "except: redis")
    live = shop.cluster.images("shop")
    assert live["redis"] == "redis:7.4.2"
    assert shop.images(client="c1", server="s1").items() <= live.items()


def test_the_rollback_of_a_stateful_set_deletes_its_stuck_pod(shop: Release) -> None:
    shop.description["services"]["redis"]["rollback"] = "auto"
    shop.commit("kube/bases/redis/statefulset.yaml", "redis:7.4.1", "redis:7.4.2")
    shop.cluster.behave("redis:7.4.2", pull_error=True)
    done = shop.release(client="c2", server="s2")
    assert done["rollback"].values["restored"] == "all", done["rollback"].log
    assert "of the bad revision, which blocks the rollback" in done["rollback"].log
    pod = shop.cluster.find("Pod", "redis-0", "shop")
    assert pod is not None
    assert pod["spec"]["containers"][0]["image"] == "redis:7.4.1"


def test_a_rollback_neither_deletes_nor_applies_claims_and_jobs(in_flight: Release) -> None:
    def objects_of(name: str) -> list[dict[str, Any]]:
        labels = {"app.kubernetes.io/name": "client"}
        metadata = {"name": name, "namespace": "shop", "labels": labels}
        container = {"name": "job", "image": "busybox:1.37.0"}
        pod = {"spec": {"restartPolicy": "Never", "containers": [container]}}
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        kinds = (
            ("batch/v1", "Job", {"template": pod}),
            ("v1", "PersistentVolumeClaim", claim),
        )
        return [
            {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
            for version, kind, spec in kinds
        ]

    in_flight.cluster.create(*objects_of("added"))
    in_flight.change_manifests(1, [*in_flight.manifests(1).values(), *objects_of("earlier")])
    in_flight.change_manifests(2, [*in_flight.manifests(2).values(), *objects_of("added")])
    flight = in_flight.record["in_flight"]
    created = [*flight["created"], "Job/added", "PersistentVolumeClaim/added"]
    in_flight.change_record(in_flight={**flight, "created": created})
    assert in_flight.run("rollback").values["restored"] == "all"
    for kind in ("Job", "PersistentVolumeClaim"):
        names = in_flight.cluster.names(kind, "shop")
        assert "added" in names
        assert "earlier" not in names


def test_a_failed_migration_changes_nothing_else(shop: Release) -> None:
    before = shop.cluster.images("shop")
    shop.cluster.behave(shop.images(server="bad")["server"], job_fails=True)
    done = shop.release(services=APP, client="c2", server="bad")
    assert done["migrate"].code == 1
    assert "deploy" not in done
    assert done["rollback"].values["restored"] == "nothing"
    assert shop.cluster.images("shop") == before
    assert shop.record["state"] == "good"
    assert shop.cluster.names("Job", "shop").count("server-migrate-2") == 1


def test_a_migration_with_a_missing_image_fails_before_its_deadline(shop: Release) -> None:
    shop.cluster.behave(shop.images(server="bad")["server"], pull_error=True)
    shop.cluster.world.time_scale = 1  # no deadline of the Job ends before the pull is judged
    done = shop.release("migrate", APP, client="c2", server="bad")
    assert done["migrate"].code == 1
    assert "ErrImagePull" in done["migrate"].log
    assert "deadline" not in done["migrate"].log


def test_a_contracting_migration_disables_the_rollback(shop: Release) -> None:
    shop.description["services"]["server"]["migrate"]["contracting"] = True
    shop.release("migrate", APP, client="c2", server="s2")
    done = shop.run("rollback")
    assert (done.code, done.values["restored"]) == (1, "failed")
    assert "contracting migration" in done.log
    assert shop.record["state"] == "rollback-failed"
    assert shop.preflight().code == 1
