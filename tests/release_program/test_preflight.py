"""Which releases preflight allows, and what it does with the remains of an earlier run."""

from __future__ import annotations

import time

import pytest

from tests.release_program.conftest import RECORD, Outputs, Release, git


def refused(done: Outputs) -> bool:
    """Whether a preflight refused the release, so that the rollback does not start."""
    outputs = (done.values.get("proceed"), done.values.get("stale"))
    return done.code == 1 and outputs == ("false", "false")


def test_a_second_run_is_refused_while_the_first_is_in_flight(in_flight: Release) -> None:
    writes, owner = len(in_flight.writes), f"acme/shop/{in_flight.run_id}"
    done = in_flight.preflight()
    assert refused(done), done
    assert owner in done.log
    assert refused(in_flight.preflight(GITHUB_REPOSITORY="other/shop"))
    assert len(in_flight.writes) == writes


@pytest.mark.parametrize("same_run", [False, True], ids=["lease-ran-out", "all-jobs-re-run"])
def test_a_release_left_in_flight_is_rolled_back_first(in_flight: Release, same_run: bool) -> None:
    if same_run:
        in_flight.run_id -= 1
    else:
        in_flight.change_record(lease=0)
    done = in_flight.preflight()
    assert done.values["proceed"] == "true", done.log
    assert (
        in_flight.images(client="c1", server="s1").items()
        <= in_flight.cluster.images("shop").items()
    )
    assert (in_flight.record["state"], in_flight.record["release"]) == ("in-flight", 1)
    assert in_flight.record["owner"] == f"acme/shop/{in_flight.run_id}"


def test_a_run_that_ends_after_preflight_leaves_everything_unchanged(shop: Release) -> None:
    before = shop.cluster.images("shop")
    assert shop.preflight().values["proceed"] == "true"
    done = shop.run("rollback")
    assert (done.code, done.values["restored"]) == (0, "nothing")
    assert shop.cluster.images("shop") == before
    assert (shop.record["state"], shop.record["in_flight"]) == ("good", None)


def test_a_commit_that_does_not_contain_what_is_live_is_stale_unless_forced(
    shop: Release,
) -> None:
    shop.sha = git(shop.checkout, "commit-tree", "-m", "elsewhere", "HEAD^{tree}")
    writes = len(shop.writes)
    done = shop.preflight()
    assert (done.code, done.values["proceed"], done.values["stale"]) == (0, "false", "true")
    assert "Stale" in done.summary
    assert len(shop.writes) == writes
    assert shop.preflight(WFGEN_FORCE="true").values["proceed"] == "true"


def test_a_commit_made_before_the_failure_that_it_contains_is_stale(shop: Release) -> None:
    bad = shop.commit()
    shop.commit()
    shop.change_record(failed=[{"sha": bad, "at": time.time() + 60}])
    assert shop.preflight().values["stale"] == "true"
    shop.change_record(
        failed=[{"sha": bad, "at": time.time() - 60}]
    )  # a later commit may contain a fix
    assert shop.preflight().values["proceed"] == "true"


def test_a_held_environment_stays_held_until_a_forced_release_is_verified(
    shop: Release,
) -> None:
    shop.change_record(state="held")
    done = shop.preflight()
    assert refused(done), done
    assert "dispatch with `force`" in done.log
    assert shop.preflight(WFGEN_FORCE="true").values["proceed"] == "true"
    assert shop.run("rollback").values["restored"] == "nothing"
    assert shop.record["state"] == "held"
    assert shop.preflight(WFGEN_GO_BACK="1").values["proceed"] == "true"


def test_going_back_to_a_release_with_missing_objects_is_refused_at_once(shop: Release) -> None:
    done = shop.preflight(WFGEN_GO_BACK="7")
    assert refused(done), done
    assert "the manifests of release 7 are not stored" in done.log
    for name in shop.cluster.names("Secret", "shop"):
        shop.cluster.delete("Secret", name, "shop")
    done = shop.preflight(WFGEN_GO_BACK="1")
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
