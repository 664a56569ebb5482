"""What preflight decides under the lock, and what it does with the remains of an earlier run."""

from __future__ import annotations

import time

import pytest

from tests.release_program.conftest import APP, RECORD, Outputs, Release, git


def refused(done: Outputs, decision: str = "failed") -> bool:
    """Whether a preflight refused the release: red, for a reason with a name."""
    return done.code == 1 and done.has(proceed="false", decision=decision)


def test_a_second_run_is_refused_while_the_first_may_run(in_flight: Release) -> None:
    writes, owner = len(in_flight.writes), f"acme/shop/{in_flight.run_id}/1"
    in_flight.change_record(lease=0)  # which proves nothing
    in_flight.ended(in_flight.run_id, status="in_progress")
    done = in_flight.preflight(WFGEN_FORCE="true")
    assert refused(done), done
    assert f"{owner}, which owns it, still runs" in done.log
    in_flight.api.clear()  # GitHub answers 404
    done = in_flight.preflight()
    assert refused(done), done
    assert f"whether {owner}, which owns it, has ended is unknown" in done.log
    assert "with `force`" in done.values["reason"]
    assert refused(in_flight.preflight(GITHUB_REPOSITORY="other/shop"))
    assert len(in_flight.writes) == writes


@pytest.mark.parametrize("how", ["ended", "force", "all-jobs-re-run"])
def test_a_release_left_in_flight_is_rolled_back_first(in_flight: Release, how: str) -> None:
    forced = {"WFGEN_FORCE": "true"} if how == "force" else {}
    if how == "ended":
        in_flight.ended(in_flight.run_id)
    in_flight.build(client="c3", server="s3")
    needs = in_flight.needs(client="c3", server="s3")
    if how == "all-jobs-re-run":
        in_flight.attempt = 2
    else:
        in_flight.next_run()
    done = in_flight.run("preflight", WFGEN_NEEDS=needs, **forced)
    assert done.has(proceed="true", decision="release", release="3"), done.log
    assert (
        in_flight.images(client="c1", server="s1").items()
        <= in_flight.cluster.images("shop").items()
    )
    assert (in_flight.record["state"], in_flight.record["release"]) == ("in-flight", 1)
    assert in_flight.record["owner"] == f"acme/shop/{in_flight.run_id}/{in_flight.attempt}"


def test_a_run_that_ends_after_preflight_leaves_everything_unchanged(shop: Release) -> None:
    before = shop.cluster.images("shop")
    assert shop.preflight().values["proceed"] == "true"
    done = shop.run("rollback")
    assert (done.code, done.values["restored"]) == (0, "nothing")
    assert shop.cluster.images("shop") == before
    assert (shop.record["state"], shop.record["in_flight"]) == ("good", None)


def test_preflight_applies_nothing_and_records_what_would_change(shop: Release) -> None:
    before = {w for w in shop.writes if RECORD not in w}
    done = shop.preflight()
    assert {w for w in shop.writes if RECORD not in w} == before
    assert done.has(release="2", lkg_sha=shop.record["releases"][0]["sha"], sha=shop.sha)
    flight = shop.record["in_flight"]
    assert (flight["created"], flight["touching"]) == ([], False)
    assert {"Deployment/client", "Deployment/server"} <= set(flight["changed"])
    assert "Service/client" not in flight["changed"]
    assert (
        shop.manifests(2)["Deployment/client"]["spec"]["template"]["spec"]["containers"][0]["image"]
        == shop.images(client="c3")["client"]
    )


def test_an_object_whose_webhook_has_no_dry_run_counts_as_changed(shop: Release) -> None:
    name = "metadata:\n  name: client"
    hooked = "metadata:\n  annotations: {test.wfgen/no-dry-run: yes}\n  name: client"
    shop.commit("kube/bases/client/service.yaml", name, hooked)
    done = shop.preflight()
    assert done.values["proceed"] == "true", done.log
    assert "Service/client counts as changed" in done.log
    assert "does not support dry run" in done.log
    assert "Service/client" in shop.record["in_flight"]["changed"]
    assert shop.run("migrate").code == 0
    assert shop.run("deploy").code == 0


def test_what_the_api_server_rejects_is_refused_before_the_migration(shop: Release) -> None:
    name = "metadata:\n  name: client"
    refuse = "metadata:\n  annotations: {test.wfgen/reject: no}\n  name: client"
    shop.commit("kube/bases/client/deployment.yaml", name, refuse)
    before = len(shop.writes)
    done = shop.preflight()
    assert refused(done), done
    assert "nothing was applied" in done.log
    assert len(shop.writes) == before
    assert shop.record["state"] == "good"


def test_a_held_environment_stays_held_until_a_forced_release_is_verified(
    shop: Release,
) -> None:
    shop.change_record(state="held")
    done = shop.preflight()
    assert refused(done, "held"), done
    assert "with `force`" in done.log
    assert shop.preflight(WFGEN_FORCE="true").values["proceed"] == "true"
    assert shop.run("rollback").values["restored"] == "nothing"
    assert shop.record["state"] == "held"
    shop.plan["go_back"] = "1"
    assert shop.begin(APP).values["proceed"] == "true"


def test_a_held_environment_is_green_for_what_changes_nothing_and_records_nothing(
    shop: Release,
) -> None:
    shop.change_record(state="held")
    shop.commit()
    writes = len(shop.writes)
    done = shop.begin()
    assert (done.code, done.values["decision"]) == (0, "nothing"), done.log
    assert len(shop.writes) == writes


def test_going_back_to_a_release_with_missing_objects_is_refused_at_once(shop: Release) -> None:
    shop.plan["go_back"] = "7"
    done = shop.begin()
    assert refused(done), done
    assert "cannot go back to release 7: the record does not have it. It has: 1" in done.log
    for name in shop.cluster.names("Secret", "shop"):
        shop.cluster.delete("Secret", name, "shop")
    shop.plan["go_back"] = "1"
    done = shop.begin(APP)
    assert refused(done), done
    assert "Secret/server-secrets" in done.log


def test_the_first_run_that_writes_the_record_releases(shop: Release) -> None:
    shop.cluster.fault("PUT", RECORD, 409)
    done = shop.preflight()
    assert refused(done), done
    assert "another run wrote the release record meanwhile" in done.log
    assert shop.record["state"] == "good"


def test_a_cluster_that_cannot_be_reached_refuses_the_release(shop: Release) -> None:
    shop.environment.update(KUBECONFIG="/nowhere", WFGEN_RETRY_SECONDS="0.01")
    assert refused(shop.preflight())


def test_no_release_begins_while_a_job_of_an_earlier_one_runs(shop: Release) -> None:
    labels = {"wfgen/environment": "production", "wfgen/release": "1"}
    spec = {"containers": [{"name": "server", "image": "slow"}], "restartPolicy": "Never"}
    shop.cluster.behave("slow", job_seconds=600)
    metadata = {"name": "server-migrate-1x", "namespace": "shop", "labels": labels}
    template = {"metadata": {"labels": labels}, "spec": spec}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}
    shop.cluster.create({**job, "spec": {"template": template}})
    shop.cluster.wait(lambda: any("migrate-1x" in n for n in shop.cluster.names("Pod", "shop")))
    writes = len(shop.writes)
    done = shop.preflight()
    assert refused(done), done
    assert "Job/server-migrate-1x" in done.log
    assert len(shop.writes) == writes
    shop.cluster.delete("Job", "server-migrate-1x", "shop")
    assert shop.begin().values["proceed"] == "true"


def test_numbers_go_on_above_the_tags_except_absurd_ones(shop: Release) -> None:
    for tag in ("deploy/production/41", "rollback/production/42", "deploy/other/77",
                "deploy/production/1000000"):  # fmt: skip
        git(shop.checkout, "tag", tag)
    done = shop.preflight()
    assert done.has(release="43"), done.log
    assert "[1000000]" in done.log
    assert time.time() - shop.record["in_flight"]["started"] < 60
